"""MAIL AGAIN and BRING UP TO DATE: what stood is forgotten, so that it is outstanding again."""

from typing import cast

from meetings.models.outbox.sql import run

# What stands with a person. Of a cancelled meeting that is its CANCEL too.
_STOOD = """
    (mine.told_possible OR COALESCE(mine.told_method = 'REQUEST', false)
     OR (mine.told_method IS NOT NULL AND meeting.status = 'CANCELLED'))
"""
_MAIL_AGAIN = f"""
WITH meeting AS (
    UPDATE meetings_meeting AS mine
    SET plan = mine.plan + 1, due_at = statement_timestamp()
    WHERE mine.id = %(id)s
    RETURNING mine.id, mine.sequence, mine.status),
person AS (
    UPDATE meetings_attendee AS mine
    SET told_possible = {_STOOD},
        told_method = CASE WHEN {_STOOD} THEN NULL ELSE mine.told_method END,
        told_sequence = CASE WHEN {_STOOD} THEN NULL ELSE mine.told_sequence END,
        asked_sequence = meeting.sequence, asked_at = statement_timestamp(),
        failed_sequence = NULL, retry_at = NULL
    FROM meeting
    WHERE mine.meeting_id = meeting.id
      AND (%(address_key)s IS NULL OR mine.address_key = %(address_key)s)
    RETURNING mine.id),
told AS (
    UPDATE meetings_toldoccurrence AS mine SET possible = true
    FROM meeting, person
    WHERE mine.attendee_id = person.id
      AND (mine.method = 'REQUEST' OR meeting.status = 'CANCELLED'))
SELECT count(*) FROM person
"""

# The mark of what was given up goes, and time begins anew. What is told already stays told.
_BRING_UP_TO_DATE = """
WITH meeting AS (
    UPDATE meetings_meeting AS mine
    SET plan = mine.plan + 1, due_at = statement_timestamp()
    WHERE mine.id = ANY (%(ids)s)
    RETURNING mine.id),
person AS (
    UPDATE meetings_attendee AS mine
    SET failed_sequence = NULL, retry_at = NULL, asked_at = statement_timestamp()
    FROM meeting
    WHERE mine.meeting_id = meeting.id
      AND (mine.failed_sequence IS NOT NULL OR mine.retry_at IS NOT NULL))
SELECT count(*) FROM meeting
"""


def forget_told(meeting_id: int, address_key: str | None = None) -> int:
    """Forget what people were told, all of them or one, so that they are mailed again.

    Return how many people that is. Somebody has to bring the meeting up to date then; the queue has
    it in any case.
    """
    [(count,)] = run(_MAIL_AGAIN, {"id": meeting_id, "address_key": address_key})
    return cast("int", count)


def forget_failures(meeting_ids: list[int]) -> int:
    """Have what was given up tried again, and what is in back-off at once, by the background.

    Return how many meetings that is.
    """
    [(count,)] = run(_BRING_UP_TO_DATE, {"ids": meeting_ids})
    return cast("int", count)
