"""RECORD: what became of one SMTP transaction, and what its recipients were told by it.

One statement. It writes only where sender and attempt of a delivery are still the caller's: who was
taken for dead meanwhile records nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, cast

from meetings.models.attendee import as_time
from meetings.models.delivery import DeliveryState
from meetings.models.outbox.sql import Parameters, run

RETRY_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How an attempt ended.

    ``state`` is what the delivery becomes. SENDING: its end is unknown, and it is tried again at
    once. DROPPED: it was not begun. ``retry_after`` is in seconds, for DEFERRED and UNKNOWN; None
    gives up, and a DEFERRED end with 0 says nothing of this mail. ``given_up`` marks a DEFERRED end
    that is to be the last one, unless somebody else has planned meanwhile. ``shown`` are the single
    occurrences (RECURRENCE-IDs as stored) that a REQUEST of the whole shows to its reader, who was
    told them alone before.
    """

    delivery_id: int
    attempt: int
    state: DeliveryState
    reply: str = ""
    retry_after: float | None = None
    given_up: bool = False
    shown: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was recorded of a delivery, and what its person's row says since."""

    state: DeliveryState
    failed: bool
    retry_at: datetime | None
    told_at: datetime | None


class _Recorded(TypedDict):
    id: int
    state: str
    failed: bool
    retry_at: str | None
    told_at: str | None


_ENDED = """
ended AS MATERIALIZED (
    SELECT given.*, delivery.attendee_id, mail.method, mail.sequence, mail.recurrence_id,
           mail.plain, mail.ends_at,
           ARRAY (SELECT jsonb_array_elements_text(mail.excluded)) AS leaves_out,
           given.state IN ('unknown', 'sending') AS is_unknown,
           -- A call that told nobody gives up, but not what another call has promised since.
           given.given_up AND meeting.plan = %(plan)s AS gives_up,
           -- The last try: the time asked for, and the end of what is told or known, come first.
           LEAST(person.asked_at + make_interval(hours => %(hours)s),
                 GREATEST(mail.ends_at, person.knows_until)) AS last_try_at,
           statement_timestamp() + make_interval(secs => given.retry_after) AS next_try_at
    FROM meeting
        CROSS JOIN json_to_recordset(%(ends)s) AS given (
            id bigint, attempt int, state text, reply text, retry_after float, given_up bool,
            shown text[])
        JOIN meetings_delivery AS delivery ON delivery.id = given.id
            AND delivery.meeting_id = meeting.id AND delivery.state = 'sending'
            AND delivery.sender_id = %(sender)s AND delivery.attempt = given.attempt
        JOIN meetings_attendee AS person ON person.id = delivery.attendee_id
        JOIN meetings_mail AS mail ON mail.id = delivery.mail_id)
"""
# A deferred end becomes "dropped" when it is given up. The person is outstanding then.
_OUTCOME = """
outcome AS MATERIALIZED (
    SELECT ended.*,
           CASE WHEN state = 'refused' THEN true
                WHEN state NOT IN ('deferred', 'unknown') THEN false
                ELSE gives_up OR (NOT given_up AND (
                    next_try_at IS NULL OR next_try_at > last_try_at)) END AS fails,
           CASE WHEN state NOT IN ('deferred', 'unknown') THEN NULL
                WHEN given_up THEN statement_timestamp() ELSE next_try_at END AS tries_at
    FROM ended)
"""
# The fence: a delivery that was taken over has another sender or another attempt.
_DELIVERY = """
delivery AS (
    UPDATE meetings_delivery AS mine
    SET state = CASE WHEN outcome.fails AND outcome.state <> 'refused' THEN 'dropped'
                     ELSE outcome.state END,
        attempt = mine.attempt + (outcome.state = 'sending')::int,
        unknown_ends = mine.unknown_ends + outcome.is_unknown::int,
        free_ends = mine.free_ends
            + (outcome.state = 'deferred' AND outcome.retry_after IS NOT DISTINCT FROM 0)::int,
        last_reply = outcome.reply,
        finished_at = CASE WHEN outcome.state = 'sending' THEN NULL
                           ELSE statement_timestamp() END
    FROM outcome
    WHERE mine.id = outcome.id AND mine.state = 'sending' AND mine.sender_id = %(sender)s
      AND mine.attempt = outcome.attempt
    RETURNING mine.id, mine.state)
"""
_PERSON = """
person AS (
    UPDATE meetings_attendee AS mine
    SET told_method = CASE WHEN tells THEN outcome.method ELSE mine.told_method END,
        told_sequence = CASE WHEN tells THEN outcome.sequence ELSE mine.told_sequence END,
        -- What is possible ends only with an accepted message, never with a refusal.
        told_possible = NOT tells AND (mine.told_possible OR may_tell),
        told_at = CASE WHEN outcome.state = 'sent' THEN statement_timestamp()
                       ELSE mine.told_at END,
        knows_until = CASE WHEN outcome.state = 'sent' OR outcome.is_unknown
                           THEN GREATEST(mine.knows_until, outcome.ends_at)
                           ELSE mine.knows_until END,
        -- Who was left out because this mail seemed to tell all is to be told after all.
        asked_sequence = CASE WHEN outcome.state = 'sent' THEN mine.asked_sequence
                              ELSE GREATEST(mine.asked_sequence, meeting.sequence) END,
        -- A newer version that was stored meanwhile has not failed: nobody has tried it.
        failed_sequence = CASE WHEN outcome.fails AND outcome.sequence = meeting.sequence
                               THEN outcome.sequence ELSE mine.failed_sequence END,
        retry_at = CASE WHEN outcome.fails THEN NULL ELSE outcome.tries_at END,
        last_reply = outcome.reply
    FROM meeting, delivery, (
        SELECT *, state = 'sent' AND recurrence_id = '' AS tells,
               is_unknown AND recurrence_id = '' AS may_tell
        FROM outcome) AS outcome
    WHERE delivery.id = outcome.id AND mine.id = outcome.attendee_id
      AND outcome.state <> 'dropped'
    RETURNING mine.id, mine.failed_sequence, mine.retry_at, mine.told_at)
"""
# The final row of each occurrence that somebody is known to have been told alone. "method" is null
# where the row goes. It is computed here, and the two parts below write disjoint rows.
_TOLD = """
told AS MATERIALIZED (
    -- A mail about one occurrence.
    SELECT outcome.attendee_id, outcome.recurrence_id,
           CASE WHEN takes_back THEN 'CANCEL' ELSE outcome.method END AS method,
           -- The SEQUENCE of a day that is hidden says if it was certainly sent again.
           CASE WHEN takes_back AND outcome.is_unknown THEN old.sequence
                ELSE outcome.sequence END AS sequence,
           outcome.is_unknown OR takes_back AS possible,
           outcome.method = 'REQUEST' OR COALESCE(old.alone, false) AS alone,
           GREATEST(old.ends_at, outcome.ends_at) AS ends_at
    FROM (SELECT outcome.*, outcome.plain AND EXISTS (
              SELECT FROM meetings_toldoccurrence AS old
              WHERE old.attendee_id = outcome.attendee_id
                AND old.recurrence_id = outcome.recurrence_id AND old.method = 'CANCEL')
              AS takes_back
          FROM outcome) AS outcome
        JOIN delivery ON delivery.id = outcome.id
        LEFT JOIN meetings_toldoccurrence AS old ON old.attendee_id = outcome.attendee_id
            AND old.recurrence_id = outcome.recurrence_id
    WHERE outcome.recurrence_id <> '' AND (outcome.state = 'sent' OR outcome.is_unknown)
    UNION ALL
    -- A mail about the whole resets what it shows, and cancels what it leaves out.
    SELECT old.attendee_id, old.recurrence_id,
           CASE WHEN outcome.is_unknown THEN old.method
                WHEN outcome.method = 'CANCEL' THEN CASE WHEN old.alone THEN 'CANCEL' END
                WHEN old.possible OR (old.alone AND old.recurrence_id = ANY (outcome.shown))
                    THEN 'REQUEST'
                WHEN old.alone THEN old.method END,
           CASE WHEN outcome.method = 'CANCEL' AND NOT outcome.is_unknown THEN outcome.sequence
                ELSE old.sequence END,
           CASE WHEN outcome.is_unknown THEN true
                WHEN outcome.method = 'CANCEL' THEN false
                ELSE old.possible OR old.recurrence_id = ANY (outcome.shown) END,
           old.alone, old.ends_at
    FROM outcome JOIN delivery ON delivery.id = outcome.id
        JOIN meetings_toldoccurrence AS old ON old.attendee_id = outcome.attendee_id
    WHERE outcome.recurrence_id = ''
      AND (outcome.state = 'sent' OR (outcome.is_unknown AND outcome.method = 'REQUEST'))
      AND NOT (outcome.state = 'sent' AND old.recurrence_id = ANY (outcome.leaves_out))
    UNION ALL
    SELECT outcome.attendee_id, left_out, 'CANCEL', outcome.sequence, false,
           COALESCE(old.alone, false), GREATEST(old.ends_at, outcome.ends_at)
    FROM outcome JOIN delivery ON delivery.id = outcome.id
        CROSS JOIN unnest(outcome.leaves_out) AS left_out
        LEFT JOIN meetings_toldoccurrence AS old ON old.attendee_id = outcome.attendee_id
            AND old.recurrence_id = left_out
    WHERE outcome.recurrence_id = '' AND outcome.state = 'sent')
"""
_TOLD_ROWS = """
told_gone AS (
    DELETE FROM meetings_toldoccurrence AS mine USING told
    WHERE mine.attendee_id = told.attendee_id AND mine.recurrence_id = told.recurrence_id
      AND told.method IS NULL),
told_kept AS (
    INSERT INTO meetings_toldoccurrence
        (attendee_id, recurrence_id, method, sequence, possible, alone, ends_at)
    SELECT attendee_id, recurrence_id, method, sequence, possible, alone, ends_at
    FROM told WHERE method IS NOT NULL
    ON CONFLICT (attendee_id, recurrence_id) DO UPDATE
    SET method = EXCLUDED.method, sequence = EXCLUDED.sequence, possible = EXCLUDED.possible,
        alone = EXCLUDED.alone, ends_at = EXCLUDED.ends_at)
"""
# Who passed over a person because of this delivery left the rest to us: it is due now. That is read
# from the locked row, which is newer than the statement's snapshot.
_DUE = """
due AS (
    UPDATE meetings_meeting AS mine
    SET due_at = CASE WHEN meeting.passed_over OR %(due_now)s
                      THEN statement_timestamp()
                      ELSE LEAST(mine.due_at, next.tries_at) END
    FROM meeting, (SELECT min(tries_at) AS tries_at FROM outcome WHERE NOT fails) AS next
    WHERE mine.id = meeting.id
      AND (meeting.passed_over OR %(due_now)s OR next.tries_at IS NOT NULL))
"""
# The lock comes first, so all statements on one meeting take their locks in the same order.
_MEETING = """
meeting AS MATERIALIZED (
    SELECT id, sequence, plan, passed_over
    FROM meetings_meeting WHERE id = %(id)s FOR NO KEY UPDATE)
"""
_RESULT = """
SELECT json_agg(json_build_object(
           'id', delivery.id, 'state', delivery.state, 'failed', outcome.fails,
           'retry_at', person.retry_at, 'told_at', person.told_at))
FROM delivery JOIN outcome ON outcome.id = delivery.id
    LEFT JOIN person ON person.id = outcome.attendee_id AND outcome.state <> 'dropped'
"""
_WHOLE = (_MEETING, _ENDED, _OUTCOME, _DELIVERY, _PERSON, _DUE)
_OF_THE_WHOLE = f"WITH {', '.join(_WHOLE)} {_RESULT}"
_WITH_OCCURRENCES = f"WITH {', '.join((*_WHOLE, _TOLD, _TOLD_ROWS))} {_RESULT}"


@dataclass(frozen=True, slots=True)
class Sending:
    """Whose deliveries they are: a meeting's, planned as number ``plan``, of one sender.

    Unless the plan ``concerns_occurrences``, nobody's told occurrences change, and PostgreSQL plans
    a shorter statement.
    """

    meeting_id: int
    plan: int
    sender_id: int
    concerns_occurrences: bool = True


def record(sending: Sending, ends: Sequence[End], *, due_now: bool = False) -> dict[int, Recorded]:
    """Record how attempts ended, and return what became of each delivery that was still ours.

    ``due_now``: something that is outstanding was not begun, so the background has to look at once.
    """
    parameters: Parameters = {
        "id": sending.meeting_id,
        "plan": sending.plan,
        "sender": sending.sender_id,
        "hours": RETRY_HOURS,
        "due_now": due_now,
        "ends": json.dumps([_end(end) for end in ends]),
    }
    statement = _WITH_OCCURRENCES if sending.concerns_occurrences else _OF_THE_WHOLE
    [(found,)] = run(statement, parameters)
    rows = cast("list[_Recorded]", found or [])
    return {row["id"]: _recorded(row) for row in rows}


def _end(end: End) -> Mapping[str, object]:
    return {
        "id": end.delivery_id,
        "attempt": end.attempt,
        "state": end.state.value,
        "reply": end.reply,
        "retry_after": end.retry_after,
        "given_up": end.given_up,
        "shown": list(end.shown),
    }


def _recorded(row: _Recorded) -> Recorded:
    return Recorded(
        state=DeliveryState(row["state"]),
        failed=row["failed"],
        retry_at=as_time(row["retry_at"]),
        told_at=as_time(row["told_at"]),
    )
