"""Work off the queue: claim meetings that are due, and bring their people up to date.

Any number of workers may do so at once, on any number of machines: each claim takes other meetings.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from django.db import DatabaseError, InterfaceError, connection

from meetings import trouble
from meetings.models.outbox import queue
from meetings.models.outbox.queue import claimed_for
from meetings.operations.steps.sending.threads import Job, sender_threads
from meetings.operations.steps.tell import bring_up_to_date

log = logging.getLogger(__name__)

BATCH = 20  # meetings that one claim takes


def claim(limit: int = BATCH) -> list[int]:
    """Claim meetings that are due, those that wait longest first, and return their ids.

    One statement, by index.
    """
    return queue.claim(limit)


def adopt_orphans() -> int:
    """Make due what a dead sender had in hand, and return of how many meetings."""
    return queue.adopt_orphans()


def work(*, limit: int = BATCH) -> int:
    """Claim meetings and bring them up to date; return how many were claimed.

    Raises OperationalError or InterfaceError when the database is unavailable.
    """
    claimed = claim(limit)
    tell_people_of(claimed)
    return len(claimed)


def begin_work() -> int:
    """Claim as many meetings as sender threads will have time for; return how many were claimed.

    Nobody waits for their mails: where a mail server is slow with some, the others go on beside
    them. Raises OperationalError or InterfaceError when the database is unavailable.
    """
    claimed = claim(max(1, BATCH - sender_threads.waiting))
    _begin(claimed)
    return len(claimed)


def wait_for_room(seconds: float) -> bool:
    """Return whether there is room for ``begin_work`` within so many seconds."""
    return sender_threads.wait_for_room(BATCH // 2, seconds)


def tell_people_of(meeting_ids: Sequence[int]) -> None:
    """Bring the people of these meetings up to date, and wait until all have ended."""
    for job in _begin(meeting_ids):
        job.wait()


def _begin(meeting_ids: Sequence[int]) -> list[Job]:
    ends_at = time.monotonic() + claimed_for()
    return [
        sender_threads.begin(partial(_bring_up_to_date, meeting_id, ends_at))
        for meeting_id in meeting_ids
    ]


def _bring_up_to_date(meeting_id: int, claim_ends_at: float) -> None:
    # A claim that has ended is somebody else's to take, or has been taken.
    if sender_threads.is_stopping or time.monotonic() > claim_ends_at:
        return
    try:
        _with_another_connection(partial(bring_up_to_date, meeting_id))
    except (DatabaseError, InterfaceError):
        connection.close()
        trouble.report("database", "The database is unavailable. A later claim finds what is due.")
    # One meeting that cannot be mailed does not keep the others: its claim ends by time.
    except Exception:
        log.exception("The people of meeting %d could not be told.", meeting_id)


def _with_another_connection(work: Callable[[], object]) -> None:
    """Work, and once more where the thread's connection may have broken since its last meeting.

    Else the claim would have to end first. What the first try has stored is not stored again.
    """
    try:
        work()
    except (DatabaseError, InterfaceError):
        connection.close()
        work()
