"""Tasks on their way to the broker, in a thread of their own: a call never waits for a broker.

What is lost here, a broker that is away included, is found by the next sweep.
"""

import logging
import queue
import threading
from collections.abc import Sequence

from celery import current_app

from meetings import trouble

DELIVER = "meetings.tasks.deliver"
SWEEP = "meetings.tasks.sweep"

MOST_AT_ONCE = 10  # more messages than these are left to one sweep
# Seconds, by the broker's clock, after which it drops a task that no worker took: by then a sweep
# has published the message anew, and so a backlog does not grow with each sweep.
EXPIRATION = 30.0
_SECONDS = 2.0  # for each of: connecting, writing, the broker's confirmation

log = logging.getLogger(__name__)

_waiting: queue.Queue[tuple[str, list[int]]] = queue.Queue(1000)
_starting = threading.Lock()
_thread: threading.Thread | None = None


def publish(message_ids: Sequence[int]) -> None:
    """Have the workers deliver these messages. Returns at once, whatever the broker does; never
    raises.
    """
    tasks: list[tuple[str, list[int]]] = [(DELIVER, [message_id]) for message_id in message_ids]
    try:
        for task in tasks if len(tasks) <= MOST_AT_ONCE else [(SWEEP, [])]:
            _waiting.put_nowait(task)
    except queue.Full:
        return  # the broker is slow or away, and the sweep will find it
    _see_that_somebody_publishes()


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


def _see_that_somebody_publishes() -> None:
    global _thread  # noqa: PLW0603 (one thread for the process; a fork has none, and starts its own)
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
                "broker", f"the message broker is away ({error}): the next sweep finds what waits"
            )
            _forget()


def _forget() -> None:
    """Drop what waits: each would take as long as the one that failed, and the sweep finds them
    all.
    """
    while True:
        try:
            _waiting.get_nowait()
        except queue.Empty:
            return
