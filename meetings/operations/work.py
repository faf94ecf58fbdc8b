"""Work off the queue: claim meetings that are due, and bring their people up to date.

Any number of workers may do so at once, on any number of machines: each claim takes other meetings.
"""

import logging
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import InterfaceError, OperationalError

from meetings.deadline import Deadline
from meetings.models.outbox import queue
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


def work(*, limit: int = BATCH, stop: Callable[[], bool] = lambda: False) -> int:
    """Claim meetings and bring them up to date, until ``stop()``; return how many were claimed.

    Raises OperationalError or InterfaceError when the database is unavailable.
    """
    claimed = claim(limit)
    tell_people_of(claimed, stop=stop)
    return len(claimed)


def tell_people_of(meeting_ids: Sequence[int], *, stop: Callable[[], bool] = lambda: False) -> None:
    """Bring the people of these meetings up to date, one meeting after the other.

    A claim that is left ends by time, and then somebody else takes the meeting.
    """
    for meeting_id in meeting_ids:
        if stop():
            return
        try:
            bring_up_to_date(meeting_id, Deadline(settings.MEETINGS_SMTP_DEADLINE))
        except (OperationalError, InterfaceError):
            raise
        # One meeting that cannot be mailed does not keep the others: its claim ends by time.
        except Exception:
            log.exception("The people of meeting %d could not be told.", meeting_id)
