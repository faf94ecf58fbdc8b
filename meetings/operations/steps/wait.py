"""Wait, by looking, until others have told somebody something. Nobody waits in a lock."""

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.conf import settings

from meetings.deadline import Deadline
from meetings.models.outbox.queue import is_being_sent

MOST_FOR_ONE = 2  # calls that wait for one meeting, in each process
_FIRST, _LONGEST = 0.02, 0.2  # seconds between two looks

_lock = threading.Lock()
_calls = 0
_waiting: Counter[int] = Counter()


@contextmanager
def place_to_wait(deadline: Deadline) -> Iterator[Deadline]:
    """Give a call its time to wait for mail, or none where MEETINGS_WAITING_CALLS wait already.

    So a process always has threads left for calls that wait for nothing.
    """
    global _calls  # noqa: PLW0603 (one for the process)
    with _lock:
        has_place = deadline.left > 0 and _calls < settings.MEETINGS_WAITING_CALLS
        _calls += has_place
    try:
        yield deadline if has_place else Deadline(0.0)
    finally:
        with _lock:
            _calls -= has_place


def wait_until_sent(meeting_id: int, attendee_ids: Collection[int], deadline: Deadline) -> bool:
    """Wait until no living sender is at a mail to these people.

    False: the deadline came first, or enough calls wait already. So slow mails of one meeting do
    not keep a whole process from its other calls.
    """
    with _place(meeting_id) as may_wait:
        return may_wait and _looked(meeting_id, attendee_ids, deadline)


def _looked(meeting_id: int, attendee_ids: Collection[int], deadline: Deadline) -> bool:
    pause = _FIRST
    while is_being_sent(meeting_id, attendee_ids):
        if deadline.left <= 0:
            return False
        time.sleep(min(pause, deadline.left))
        pause = min(2 * pause, _LONGEST)
    return True


@contextmanager
def _place(meeting_id: int) -> Iterator[bool]:
    with _lock:
        may_wait = _waiting[meeting_id] < MOST_FOR_ONE
        if may_wait:
            _waiting[meeting_id] += 1
    try:
        yield may_wait
    finally:
        if may_wait:
            with _lock:
                _waiting[meeting_id] -= 1
                if not _waiting[meeting_id]:
                    del _waiting[meeting_id]
