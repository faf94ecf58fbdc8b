"""STORE: what was decided, if nobody else has planned since the look.

One statement. It begins with the meeting's row, whose ``plan`` must still be the one that was read,
and everything else joins that row. So either all of it is written, or nothing is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from meetings.models.outbox.parameters import changed_overrides, dropped_overrides, parameters
from meetings.models.outbox.plan import Plan
from meetings.models.outbox.sql import run


@dataclass(frozen=True, slots=True)
class Written:
    """What STORE has written: the right to send ``deliveries``.

    ``new`` has a delivery's id, by the number of its mail and the recipient's address key.
    ``again`` has the attempt of each delivery that was taken up.
    """

    meeting_id: int
    plan: int
    new: Mapping[tuple[int, str], int]
    again: Mapping[int, int]


_Row = tuple[int, int, list[tuple[int, str, int]] | None, list[tuple[int, int]] | None]

_EVENT = (
    "status", "sequence", "whole_sequence", "organizer_address", "organizer_name", "summary",
    "description", "location", "start", '"end"', "tzid", "all_day", "rrule", "exdates", "reminder",
    "ends_at", "comment", "language",
)  # fmt: skip
_OWNER = ("client_id", "uid", "ical_uid", "continues_id", "continues_from")
_QUEUE = """
    COALESCE(statement_timestamp() + make_interval(secs => %(due_in)s), %(due_at)s::timestamptz)
"""


def _columns(names: tuple[str, ...], row: str) -> str:
    return ", ".join(f"{row}.{name}" for name in names)


# A plan for some people only does not know what is due for the others.
# The promise that two plans never mix hangs on "plan = ": who loses writes nothing at all.
_UPDATE = f"""
meeting AS (
    UPDATE meetings_meeting AS mine
    SET plan = mine.plan + %(raises)s,
        due_at = LEAST({_QUEUE}, CASE WHEN %(for_some)s THEN mine.due_at END),
        passed_over = %(passed_over)s OR (%(for_some)s AND mine.passed_over),
        thread = CASE mine.thread WHEN '' THEN %(thread)s ELSE mine.thread END
        {{version}}
    WHERE mine.id = %(id)s AND mine.plan = %(plan)s
    RETURNING mine.id, mine.plan)
"""
_UPDATED_VERSION = f""",
        updated_at = statement_timestamp(),
        ({", ".join(_EVENT)}) = (
            SELECT {_columns(_EVENT, "new")}
            FROM json_populate_record(NULL::meetings_meeting, %(meeting)s) AS new)
"""
# No row: the uid, or its UID in calendars, is taken. Without a target this waits for a concurrent
# sender of the same uid, so the next look finds the other's meeting.
_INSERT = f"""
meeting AS (
    INSERT INTO meetings_meeting
        ({", ".join((*_OWNER, *_EVENT))}, plan, due_at, passed_over, thread)
    SELECT {_columns((*_OWNER, *_EVENT), "new")}, 1, {_QUEUE}, %(passed_over)s, %(thread)s
    FROM json_populate_record(NULL::meetings_meeting, %(meeting)s) AS new
    ON CONFLICT DO NOTHING
    RETURNING id, plan)
"""
_VERSION = """
version AS (
    INSERT INTO meetings_version (meeting_id, sequence, changes, comment, asked_by, tzdata)
    SELECT meeting.id, new.sequence, new.changes, new.comment, new.asked_by, new.tzdata
    FROM meeting, json_populate_record(NULL::meetings_version, %(version)s) AS new)
"""
_OVERRIDES = """
override AS (
    INSERT INTO meetings_occurrenceoverride
        (meeting_id, recurrence_id, is_cancelled, comment, sequence, changes, added, removed)
    SELECT meeting.id, new.recurrence_id, new.is_cancelled, new.comment, new.sequence,
           new.changes, new.added, new.removed
    FROM meeting, json_populate_recordset(NULL::meetings_occurrenceoverride, %(overrides)s) AS new
    ON CONFLICT (meeting_id, recurrence_id) DO UPDATE
    SET is_cancelled = EXCLUDED.is_cancelled, comment = EXCLUDED.comment,
        sequence = EXCLUDED.sequence, changes = EXCLUDED.changes,
        added = EXCLUDED.added, removed = EXCLUDED.removed)
"""
_DROPPED_OVERRIDES = """
dropped_override AS (
    DELETE FROM meetings_occurrenceoverride AS old USING meeting
    WHERE old.meeting_id = meeting.id
      AND old.recurrence_id = ANY (%(dropped_overrides)s::timestamp[]))
"""
_PEOPLE = """
person AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(people)s) AS given (
        id bigint, address text, address_key text, name text, role text, partstat text,
        position int, listed bool, told_possible bool, told_stamp timestamptz,
        asked_sequence int, asks bool))
"""
# One UPDATE of those who are known and one INSERT of those who are new: a row that two parts of
# one statement write loses the second write without a word.
_KNOWN = """
known AS (
    UPDATE meetings_attendee AS mine
    SET address = person.address, name = person.name, role = person.role,
        partstat = person.partstat, position = person.position, listed = person.listed,
        told_possible = mine.told_possible OR person.told_possible,
        told_stamp = GREATEST(mine.told_stamp, person.told_stamp),
        asked_sequence = GREATEST(mine.asked_sequence, person.asked_sequence),
        asked_at = CASE WHEN person.asks THEN statement_timestamp() ELSE mine.asked_at END,
        failed_sequence = CASE WHEN person.asks THEN NULL ELSE mine.failed_sequence END,
        retry_at = NULL
    FROM meeting, person
    WHERE mine.id = person.id AND mine.meeting_id = meeting.id
    RETURNING mine.id, mine.address_key)
"""
_NEW = """
new_person AS (
    INSERT INTO meetings_attendee
        (meeting_id, address, address_key, name, role, partstat, position, listed, told_possible,
         told_stamp, asked_sequence, asked_at, last_reply)
    SELECT meeting.id, person.address, person.address_key, person.name, person.role,
           person.partstat, person.position, person.listed, false, person.told_stamp,
           person.asked_sequence, statement_timestamp(), ''
    FROM meeting, person WHERE person.id IS NULL
    RETURNING id, address_key)
"""
_UNSURE = """
unsure AS (
    INSERT INTO meetings_toldoccurrence
        (attendee_id, recurrence_id, method, sequence, possible, alone, ends_at)
    SELECT new.attendee_id, new.recurrence_id, new.method, new.sequence, new.possible, new.alone,
           new.ends_at
    FROM meeting, json_populate_recordset(NULL::meetings_toldoccurrence, %(unsure)s) AS new
    ON CONFLICT (attendee_id, recurrence_id) DO UPDATE
    SET method = EXCLUDED.method, sequence = EXCLUDED.sequence, possible = EXCLUDED.possible,
        alone = EXCLUDED.alone, ends_at = EXCLUDED.ends_at)
"""
# A sender may have recorded between our look and this: only what is still open is taken, and only
# that is sent.
_IS_OPEN = """
    (mine.state IN ('deferred', 'unknown') OR mine.state = 'sending' AND NOT EXISTS (
        SELECT FROM meetings_sender AS sender
        WHERE sender.id = mine.sender_id AND sender.alive_until > statement_timestamp()))
"""
_AGAIN = f"""
again AS (
    UPDATE meetings_delivery AS mine
    SET state = 'sending', attempt = mine.attempt + 1, sender_id = %(sender)s, finished_at = NULL,
        unknown_ends = mine.unknown_ends + (mine.state = 'sending')::int
    FROM meeting, json_to_recordset(%(again)s) AS given (id bigint, attempt int)
    WHERE mine.id = given.id AND mine.attempt = given.attempt AND {_IS_OPEN}
    RETURNING mine.id, mine.attempt)
"""
_CLOSED = f"""
closed AS (
    UPDATE meetings_delivery AS mine
    SET state = 'dropped', finished_at = statement_timestamp()
    FROM meeting, json_to_recordset(%(closed)s) AS given (id bigint, attempt int)
    WHERE mine.id = given.id AND mine.attempt = given.attempt AND {_IS_OPEN}
    RETURNING mine.id, mine.attempt)
"""
_MAILS = """
mail AS MATERIALIZED (
    SELECT nextval('meetings_mail_id_seq') AS id, given.*
    FROM meeting, json_to_recordset(%(mails)s) AS given (
        number int, sequence int, method text, recurrence_id text, excluded jsonb, plain bool,
        compared_with int, message_id text, stamp timestamptz, subject text, envelope_from text,
        ends_at timestamptz)),
mail_row AS (
    INSERT INTO meetings_mail
        (id, meeting_id, sequence, method, recurrence_id, excluded, plain, compared_with,
         message_id, stamp, subject, envelope_from, ends_at)
    SELECT mail.id, meeting.id, mail.sequence, mail.method, mail.recurrence_id, mail.excluded,
           mail.plain, mail.compared_with, mail.message_id, mail.stamp, mail.subject,
           mail.envelope_from, mail.ends_at
    FROM meeting, mail),
mail_bytes AS (
    INSERT INTO meetings_mailbytes (mail_id, raw)
    SELECT mail.id, given.raw
    FROM mail JOIN unnest(%(raws)s::bytea[]) WITH ORDINALITY AS given (raw, number)
        ON given.number = mail.number),
delivery AS (
    INSERT INTO meetings_delivery
        (mail_id, meeting_id, attendee_id, state, attempt, unknown_ends, sender_id, last_reply)
    SELECT mail.id, meeting.id, recipient.id, 'sending', 1, 0, %(sender)s, ''
    FROM meeting, json_to_recordset(%(deliveries)s) AS given (
            number int, address_key text, needs bigint[])
        JOIN mail USING (number) JOIN recipient USING (address_key)
    WHERE given.needs <@ ARRAY({ours})
    ORDER BY mail.id
    RETURNING id, mail_id, attendee_id)
"""
_RESULT = """
SELECT meeting.id, meeting.plan, {new}, {again} FROM meeting
"""
_NEW_DELIVERIES = """
    (SELECT json_agg(json_build_array(mail.number, recipient.address_key, delivery.id))
     FROM delivery JOIN mail ON mail.id = delivery.mail_id
         JOIN recipient ON recipient.id = delivery.attendee_id)
"""
_TAKEN = "(SELECT json_agg(json_build_array(again.id, again.attempt)) FROM again)"


def store(plan: Plan, sender_id: int | None) -> Written | None:
    """Write the plan. Return None, and write nothing, where somebody else was faster.

    ``sender_id`` is the sender whose the deliveries are; a plan without any needs none.
    """
    rows = cast("list[_Row]", run(_statement(plan), parameters(plan, sender_id)))
    if not rows:
        return None
    [(meeting_id, number, new, again)] = rows
    return Written(
        meeting_id=meeting_id,
        plan=number,
        new={(mail, key): delivery for mail, key, delivery in new or ()},
        again=dict(again or ()),
    )


def _statement(plan: Plan) -> str:
    """The pieces that the plan needs: a statement with all of them takes longer to be planned."""
    selected = _RESULT.format(
        new=_NEW_DELIVERIES if plan.mails else "NULL", again=_TAKEN if plan.again else "NULL"
    )
    return f"WITH {', '.join(_pieces(plan))} {selected}"


def _pieces(plan: Plan) -> Iterator[str]:
    # Locks are taken in the order meeting, deliveries, attendees, told occurrences: the meeting's
    # row comes first for everybody, so the rest cannot meet another order.
    yield from _event(plan)
    if plan.again:
        yield _AGAIN
    if plan.closed:
        yield _CLOSED
    if plan.people:
        yield from _people(plan)
    if any(row.person.occurrences for row in plan.unsure):
        yield _UNSURE
    if plan.mails:
        yield _MAILS.format(ours=_ours(plan))


def _event(plan: Plan) -> Iterator[str]:
    if plan.stored is None:
        yield _INSERT
    else:
        yield _UPDATE.format(version=_UPDATED_VERSION if plan.version else "")
    if plan.version:
        yield _VERSION
    if changed_overrides(plan):
        yield _OVERRIDES
    if dropped_overrides(plan):
        yield _DROPPED_OVERRIDES


def _people(plan: Plan) -> Iterator[str]:
    yield _PEOPLE
    recipients = []
    if any(write.row.id for write in plan.people):
        yield _KNOWN
        recipients.append("SELECT * FROM known")
    if not all(write.row.id for write in plan.people):
        yield _NEW
        recipients.append("SELECT * FROM new_person")
    yield f"recipient AS ({' UNION ALL '.join(recipients)})"


def _ours(plan: Plan) -> str:
    """The open deliveries that are ours to follow up: those taken up again, and those closed."""
    taken = ["SELECT id FROM again"] * bool(plan.again)
    closed = ["SELECT id FROM closed"] * bool(plan.closed)
    return " UNION ALL ".join(taken + closed) or "SELECT 0::bigint"
