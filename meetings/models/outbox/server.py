"""The mail server's row: how it bears us, and whose turn it is. One statement each.

What one process learns of the mail server holds for all: a server without room, or one that hangs,
is left alone by everybody, and one rate counts for everybody.
"""

from typing import cast

from django.conf import settings

from meetings.models.outbox.sql import run
from meetings.models.outbox.state import MOST_HANGS, STATE, ServerState, state_of

_FIRST_PAUSE = 5.0  # seconds; doubled each time that there is no room again
_LONGEST_PAUSE = 300.0
_LONGEST_BETWEEN_PROBES = 60.0
_LATELY = 0.4  # of a lease: a heartbeat comes after a third of it
_MINUTE = 63.0  # seconds: mails leave a little late, and no minute may have one more for that

# Many transactions may meet one moment without room. They are one time, so all but the first find
# a pause and leave it as it is.
_BUSY = f"""
INSERT INTO meetings_mailserver AS server (id, hangs, busy, paused_until)
VALUES (1, 0, 1, statement_timestamp() + make_interval(secs => %(first)s))
ON CONFLICT (id) DO UPDATE
SET (busy, paused_until) = (
    SELECT CASE WHEN is_new THEN server.busy + 1 ELSE server.busy END,
           CASE WHEN is_new THEN statement_timestamp() + make_interval(
                    secs => LEAST(%(first)s * 2 ^ LEAST(server.busy, 10), %(longest)s))
                ELSE server.paused_until END
    FROM (SELECT server.paused_until IS NULL
              OR server.paused_until <= statement_timestamp() AS is_new) AS moment)
RETURNING {STATE}
"""
# Where a process got a reply to what is younger, the server works. Once it is left alone, only what
# tries it counts: many transactions may have hung together. A pause for want of room stays. While a
# transaction probes, the pause is its turn, which ends with it.
_HUNG = f"""
INSERT INTO meetings_mailserver AS server (id, hangs, busy)
SELECT 1, 1, 0 WHERE NOT EXISTS (
    SELECT FROM meetings_sender
    WHERE replied_at > statement_timestamp() - make_interval(secs => %(lasted)s))
ON CONFLICT (id) DO UPDATE
SET (hangs, paused_until) = (
    SELECT CASE WHEN counts THEN server.hangs + 1 ELSE server.hangs END,
           CASE WHEN server.hangs + 1 < %(most)s OR NOT counts THEN server.paused_until
                ELSE GREATEST(
                    CASE WHEN server.busy > 0 AND NOT %(probes)s THEN server.paused_until END,
                    statement_timestamp() + make_interval(secs => LEAST(
                        %(pause)s * 2 ^ LEAST(server.hangs + 1 - %(most)s, 10), %(longest)s))) END
    FROM (SELECT server.hangs < %(most)s OR %(probes)s AS counts) AS moment)
RETURNING {STATE}
"""
# The server bears a connection of another process, or did so lately that no heartbeat may have said
# a later one.
_TURNED_AWAY = f"""
INSERT INTO meetings_mailserver AS server (id, hangs, busy, turned_away)
SELECT 1, 0, 0, %(count)s WHERE EXISTS (
    SELECT FROM meetings_sender
    WHERE id <> %(sender)s AND alive_until > statement_timestamp()
      AND served_at > statement_timestamp() - make_interval(secs => %(lately)s))
ON CONFLICT (id) DO UPDATE SET turned_away = server.turned_away + %(count)s
RETURNING {STATE}
"""
# A server without room for more may well go on taking what it has begun to take: its pause stays.
_WELL = f"""
UPDATE meetings_mailserver AS server
SET hangs = 0, busy = 0,
    paused_until = CASE WHEN server.hangs < %(most)s THEN server.paused_until END
WHERE server.hangs > 0 OR server.busy > 0
RETURNING {STATE}
"""
_FORGET = "UPDATE meetings_mailserver SET hangs = 0, busy = 0, paused_until = NULL"
# While one process probes, the others go on leaving it alone. It holds its turn for as long as it
# lives, because the reply to a final dot may take ten minutes.
_PROBE = """
UPDATE meetings_mailserver AS server
SET paused_until = statement_timestamp() + make_interval(secs => %(seconds)s)
WHERE server.hangs >= %(most)s
  AND (server.paused_until IS NULL OR server.paused_until <= statement_timestamp())
RETURNING server.id
"""
_HOLD = """
UPDATE meetings_mailserver
SET paused_until = GREATEST(paused_until,
                            statement_timestamp() + make_interval(secs => %(seconds)s))
WHERE hangs >= %(most)s
"""
_END_PROBE = f"""
UPDATE meetings_mailserver AS server
SET paused_until = statement_timestamp() + make_interval(secs => %(seconds)s)
WHERE server.hangs >= %(most)s
RETURNING {STATE}
"""
_SLOT = """
INSERT INTO meetings_mailserver AS server (id, hangs, busy, next_slot)
VALUES (1, 0, 0, statement_timestamp() + make_interval(secs => %(step)s))
ON CONFLICT (id) DO UPDATE
SET next_slot = GREATEST(server.next_slot, statement_timestamp())
        + make_interval(secs => %(step)s)
WHERE server.next_slot IS NULL
   OR server.next_slot <= statement_timestamp() + make_interval(secs => %(patience)s)
RETURNING EXTRACT(EPOCH FROM
    server.next_slot - statement_timestamp() - make_interval(secs => %(step)s))::float
"""


def was_busy() -> ServerState:
    """Note that the server has no room for us: nobody begins anything for a while."""
    return _state(run(_BUSY, {"first": _first_pause(), "longest": _LONGEST_PAUSE}))


def hung(lasted: float, *, probes: bool = False) -> ServerState | None:
    """Note that the server did not reply in time to a transaction that ``lasted`` so many seconds.

    From the third time on it is left alone. Then only one that ``probes`` counts, and the next one
    comes later. None, and nothing is noted, where it has replied to another process meanwhile, or
    so lately that this may be.
    """
    parameters = {"lasted": max(lasted, _lately()), "probes": probes, "most": MOST_HANGS}
    parameters |= {"pause": _first_pause(), "longest": _LONGEST_BETWEEN_PROBES}
    rows = run(_HUNG, parameters)
    return _state(rows) if rows else None


def was_turned_away(sender_id: int, *, counts: bool) -> ServerState | None:
    """Return how the server stands that refuses a process because of the connections of others.

    ``counts``: these see it, and make way. None where no process but the sender's has had a
    connection lately.
    """
    parameters = {"sender": sender_id, "lately": _lately(), "count": int(counts)}
    rows = run(_TURNED_AWAY, parameters)
    return _state(rows) if rows else None


def was_well() -> ServerState:
    """Note that the server replied: what hung before works again."""
    return _state(run(_WELL, {"most": MOST_HANGS}))


def may_probe() -> bool:
    """Take the turn to try a server that hung. False where another process has it, or had it.

    It lasts as long as a lease, so that it ends if the process dies.
    """
    return bool(run(_PROBE, {"most": MOST_HANGS, "seconds": float(settings.MEETINGS_LEASE)}))


def hold_probe() -> None:
    """Keep the turn for another lease."""
    run(_HOLD, {"most": MOST_HANGS, "seconds": float(settings.MEETINGS_LEASE)})


def end_probe() -> ServerState:
    """Give the turn back, without an answer to what was asked."""
    return _state(run(_END_PROBE, {"most": MOST_HANGS, "seconds": _first_pause()}))


def take_slot(patience: float) -> float | None:
    """Take the next slot of MEETINGS_SMTP_RATE, and return in how many seconds it begins.

    None, and nothing is taken, where that is more than ``patience`` seconds. Slots are spread
    evenly, so that no minute has more mails than the rate says, whenever it begins.
    """
    step = _MINUTE / settings.MEETINGS_SMTP_RATE
    rows = run(_SLOT, {"step": step, "patience": patience})
    return max(0.0, cast("float", rows[0][0])) if rows else None


def forget_trouble() -> None:
    """Let the server be tried at once, as an operator asks who knows that it works."""
    run(_FORGET, {})


def _state(rows: list[tuple[object, ...]]) -> ServerState:
    return state_of(rows[0][0] if rows else None)


def _first_pause() -> float:
    return min(_FIRST_PAUSE, float(settings.MEETINGS_BACK_OFF[0]))


def _lately() -> float:
    """Seconds within which another process was perhaps served, though no heartbeat says it yet."""
    return float(settings.MEETINGS_LEASE) * _LATELY
