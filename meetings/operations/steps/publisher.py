"""Publish tasks for the workers, in a thread of its own: a call never waits for a broker.

A task that is lost here costs only time. The next sweep finds the meeting.
"""

import logging
import queue
import threading
from collections.abc import Sequence

from celery import current_app

from meetings import trouble
from meetings.models.outbox.queue import claimed_for

DELIVER = "meetings.tasks.deliver"

_SECONDS = 2.0  # each for connecting, for writing, and for the broker's confirmation

log = logging.getLogger(__name__)

_waiting: queue.Queue[tuple[str, list[list[int]]]] = queue.Queue(1000)
_starting = threading.Lock()
_thread: threading.Thread | None = None


def publish(meeting_ids: Sequence[int]) -> None:
    """Tell the workers that these meetings are due. Returns at once and never raises."""
    try:
        _waiting.put_nowait((DELIVER, [list(meeting_ids)]))
    except queue.Full:
        return  # the broker is slow or unavailable; the next sweep finds the meetings
    _start_thread()


def send(task: str, args: Sequence[Sequence[int]]) -> None:
    """Publish a task by its name, now. Raises what the broker's client raises."""
    current_app.send_task(
        task,
        args=args,
        # By the broker's clock it drops a task that no worker took. The claims of its meetings have
        # ended then, so a sweep publishes them again, and the queue does not grow with each sweep.
        expiration=claimed_for(),
        # A connection that the broker closed meanwhile is opened anew, once.
        retry=True,
        retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0},
        timeout=_SECONDS,
        confirm_timeout=_SECONDS,
    )


def _start_thread() -> None:
    global _thread  # noqa: PLW0603 (one for the process; a fork starts its own)
    with _starting:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_publish_for_ever, name="publisher", daemon=True)
            _thread.start()


def _publish_for_ever() -> None:
    while True:
        task, args = _waiting.get()
        try:
            send(task, args)
        except Exception as error:
            trouble.report(
                "broker",
                f"the message broker is unavailable ({error}); the next sweep finds what is due",
            )
            _drop_waiting()


def _drop_waiting() -> None:
    """Drop what waits: each task would take as long to fail, and the sweep finds its meetings."""
    while True:
        try:
            _waiting.get_nowait()
        except queue.Empty:
            return
