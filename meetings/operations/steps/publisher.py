"""Publish tasks for the workers, in a thread of its own: a call never waits for a broker.

A task that is lost here costs only time. The next sweep finds the mail.
"""

import logging
import queue
import threading
from collections.abc import Sequence

from celery import current_app

from meetings import trouble

DELIVER = "meetings.tasks.deliver"
SWEEP = "meetings.tasks.sweep"

MOST_AT_ONCE = 10  # one sweep publishes more mails than these
# Seconds, by the broker's clock, after which it drops a task that no worker took. By then a sweep
# has published the mail again, so the queue does not grow with each sweep.
EXPIRATION = 30.0
_SECONDS = 2.0  # each for connecting, for writing, and for the broker's confirmation

log = logging.getLogger(__name__)

_waiting: queue.Queue[tuple[str, list[int]]] = queue.Queue(1000)
_starting = threading.Lock()
_thread: threading.Thread | None = None


def publish(mail_ids: Sequence[int]) -> None:
    """Tell the workers to deliver these mails. Returns at once and never raises."""
    tasks: list[tuple[str, list[int]]] = [(DELIVER, [mail_id]) for mail_id in mail_ids]
    try:
        for task in tasks if len(tasks) <= MOST_AT_ONCE else [(SWEEP, [])]:
            _waiting.put_nowait(task)
    except queue.Full:
        return  # the broker is slow or unavailable; the next sweep finds the mails
    _start_thread()


def send(task: str, args: Sequence[int]) -> None:
    """Publish a task by its name, now. Raises what the broker's client raises."""
    current_app.send_task(
        task,
        args=args,
        expiration=EXPIRATION,
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
                f"the message broker is unavailable ({error}); the next sweep publishes the mails",
            )
            _drop_waiting()


def _drop_waiting() -> None:
    """Drop what waits: each task would take as long to fail, and the sweep finds its mail."""
    while True:
        try:
            _waiting.get_nowait()
        except queue.Empty:
            return
