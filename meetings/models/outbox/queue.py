"""The queue is ``Meeting.due_at``. Each process that works on it says that it lives."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from django.conf import settings

from meetings.models.outbox.sql import run
from meetings.models.outbox.state import MOST_HANGS, STATE, ServerState, state_of

SLOT_PATIENCE = 10.0
"""Seconds for which the background waits for the next slot of MEETINGS_SMTP_RATE."""

# SKIP LOCKED: workers that look at the same moment take different meetings. The claim is no lock.
# It moves the meeting away for two leases, in case the worker dies before anything is stored.
# A server that hung is tried with one meeting, and one whose next slot is far away with none.
_CLAIM = """
WITH next AS MATERIALIZED (
    SELECT id FROM meetings_meeting
    WHERE due_at <= statement_timestamp() AND NOT EXISTS (SELECT FROM meetings_pause)
      AND NOT EXISTS (
        SELECT FROM meetings_mailserver AS server
        WHERE server.paused_until > statement_timestamp()
           OR server.next_slot > statement_timestamp() + make_interval(secs => %(patience)s))
    ORDER BY due_at
    LIMIT CASE WHEN EXISTS (SELECT FROM meetings_mailserver WHERE hangs >= %(most)s)
               THEN 1 ELSE %(limit)s END
    FOR UPDATE SKIP LOCKED)
UPDATE meetings_meeting AS mine
SET due_at = statement_timestamp() + make_interval(secs => %(seconds)s)
FROM next WHERE mine.id = next.id
RETURNING mine.id
"""

# A sender that died with mails in hand can record nothing: somebody has to look after its people.
_ADOPT = """
WITH orphaned AS MATERIALIZED (
    SELECT meeting.id FROM meetings_meeting AS meeting
    WHERE meeting.id IN (
        SELECT delivery.meeting_id FROM meetings_delivery AS delivery
        WHERE delivery.state = 'sending' AND NOT EXISTS (
            SELECT FROM meetings_sender AS sender
            WHERE sender.id = delivery.sender_id AND sender.alive_until > statement_timestamp()))
      AND (meeting.due_at IS NULL OR meeting.due_at > statement_timestamp())
    ORDER BY meeting.id FOR NO KEY UPDATE SKIP LOCKED)
, adopted AS (
    UPDATE meetings_meeting AS mine SET due_at = statement_timestamp()
    FROM orphaned WHERE mine.id = orphaned.id)
SELECT count(*) FROM orphaned
"""
_FORGET_DEAD = """
DELETE FROM meetings_sender AS sender
WHERE alive_until < statement_timestamp() AND NOT EXISTS (
    SELECT FROM meetings_delivery AS delivery
    WHERE delivery.sender_id = sender.id AND delivery.state = 'sending')
"""

_BEGIN = """
INSERT INTO meetings_sender (kind, host, alive_until)
VALUES (%(kind)s, %(host)s, statement_timestamp() + make_interval(secs => %(lease)s))
RETURNING id
"""
# A lease that ended is never renewed: somebody may have taken over what was in hand.
_RENEW = f"""
UPDATE meetings_sender
SET alive_until = statement_timestamp() + make_interval(secs => %(lease)s),
    connections = %(connections)s,
    served_at = statement_timestamp() - make_interval(secs => %(served_ago)s),
    replied_at = statement_timestamp() - make_interval(secs => %(replied_ago)s)
WHERE id = %(id)s AND alive_until > statement_timestamp()
RETURNING EXISTS (SELECT FROM meetings_pause),
          (SELECT {STATE} FROM meetings_mailserver AS server)
"""
_END = "UPDATE meetings_sender SET alive_until = statement_timestamp() WHERE id = %(id)s"

# A piece of the next two: the deliveries to these people that living senders are at.
_LEAVING = """
    FROM meetings_delivery AS delivery
        JOIN meetings_sender AS sender ON sender.id = delivery.sender_id
    WHERE delivery.meeting_id = %(meeting)s AND delivery.attendee_id = ANY (%(people)s)
      AND delivery.state = 'sending' AND sender.alive_until > statement_timestamp()
"""
_IS_BEING_SENT = f"SELECT EXISTS (SELECT {_LEAVING})"
# Of people who were passed over, some may not be mailed any more: their sender may have recorded
# its end after the look, and before it could see ``passed_over``.
_COME_BACK = f"""
UPDATE meetings_meeting AS mine SET due_at = statement_timestamp()
WHERE mine.id = %(meeting)s AND mine.passed_over
  AND %(count)s > (SELECT count(DISTINCT delivery.attendee_id) {_LEAVING})
RETURNING mine.id
"""

# All locks of the meetings come first, as in each statement on one meeting.
_END_BACK_OFF = """
WITH waiting AS MATERIALIZED (
    SELECT id FROM meetings_meeting WHERE id IN (
        SELECT meeting_id FROM meetings_attendee WHERE retry_at > statement_timestamp()
        LIMIT %(limit)s)
    ORDER BY id FOR NO KEY UPDATE),
person AS (
    UPDATE meetings_attendee AS mine SET retry_at = statement_timestamp()
    FROM waiting WHERE mine.meeting_id = waiting.id AND mine.retry_at > statement_timestamp()),
meeting AS (
    UPDATE meetings_meeting AS mine SET due_at = statement_timestamp()
    FROM waiting WHERE mine.id = waiting.id)
SELECT count(*) FROM waiting
"""
_AT_ONCE = 1000  # people at least, of whom one statement ends the back-off


def claimed_for() -> float:
    """Return for how many seconds a claim keeps a meeting from others."""
    return 2 * float(settings.MEETINGS_LEASE)


def claim(limit: int) -> list[int]:
    """Take up to ``limit`` due meetings off the queue, those that wait longest.

    A claim lasts as long as two leases. Return their ids; none while sending is paused, or while
    the mail server is left alone.
    """
    parameters = {"limit": limit, "seconds": claimed_for(), "most": MOST_HANGS}
    rows = run(_CLAIM, parameters | {"patience": SLOT_PATIENCE})
    return [cast("int", meeting) for (meeting,) in rows]


def adopt_orphans() -> int:
    """Make due the meetings with mails in the hands of a dead sender. Return how many."""
    [(count,)] = run(_ADOPT, {})
    run(_FORGET_DEAD, {})
    return cast("int", count)


def end_back_off() -> None:
    """Make everybody due now who waits for a next try."""
    while run(_END_BACK_OFF, {"limit": _AT_ONCE})[0][0]:
        pass


def begin_sending(kind: str, host: str) -> int:
    """Return the id of a new sender, which is alive for MEETINGS_LEASE seconds."""
    [(sender,)] = run(_BEGIN, {"kind": kind, "host": host, "lease": settings.MEETINGS_LEASE})
    return cast("int", sender)


@dataclass(frozen=True, slots=True)
class Renewed:
    """A lease that goes on. ``is_paused``: nothing new may be begun under it at present."""

    is_paused: bool
    server: ServerState


def renew(
    sender_id: int,
    *,
    connections: int,
    served_ago: float | None = None,
    replied_ago: float | None = None,
) -> Renewed | None:
    """Say that the sender lives, for MEETINGS_LEASE more seconds. None: its lease has ended.

    ``connections`` are those to the mail server that it has in use. ``served_ago`` seconds ago it
    had one, and ``replied_ago`` seconds ago a transaction got a reply; None for never.
    """
    parameters = {"id": sender_id, "lease": settings.MEETINGS_LEASE, "connections": connections}
    rows = run(_RENEW, parameters | {"served_ago": served_ago, "replied_ago": replied_ago})
    if not rows:
        return None
    [(is_paused, server)] = rows
    return Renewed(is_paused=bool(is_paused), server=state_of(server))


def end_sending(sender_id: int) -> None:
    """Say that the sender sends no more, so that nobody waits for its lease to end."""
    run(_END, {"id": sender_id})


def is_being_sent(meeting_id: int, attendee_ids: Collection[int]) -> bool:
    """Whether a living sender is at a mail to one of these people."""
    [(found,)] = run(_IS_BEING_SENT, {"meeting": meeting_id, "people": list(attendee_ids)})
    return bool(found)


def come_back(meeting_id: int, attendee_ids: Collection[int]) -> bool:
    """Make the meeting due now, unless living senders are at mails to all of these people.

    They were passed over by a plan that is stored.
    """
    people = list(attendee_ids)
    return bool(run(_COME_BACK, {"meeting": meeting_id, "people": people, "count": len(people)}))
