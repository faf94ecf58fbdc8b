"""How a process that sends ends in order.

It begins no transaction any more. A mail that is being transmitted has MEETINGS_STOP_TIMEOUT
seconds; then its connection is cut, which is an end like any other, and recorded. The lease is
given back last, so that nobody waits for its end.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from meetings.operations.steps.sending.sender import end_lease
from meetings.operations.steps.sending.threads import sender_threads
from meetings.transport.send import interrupt

_PATIENCE = 2.0  # seconds for recording what was cut, and for giving the lease back

log = logging.getLogger(__name__)


def end_sending() -> None:
    """End what this process sends, and give its lease back, so that others take over at once.

    A database that does not respond delays the end of this process only for a moment.
    """
    sender_threads.stop()
    if not sender_threads.finish(_time_left()):
        log.warning("The mail server takes too long with a mail, so its connection is cut.")
        interrupt()
        sender_threads.finish(_PATIENCE)
    thread = threading.Thread(target=_give_back, name="end of the lease", daemon=True)
    thread.start()
    thread.join(_PATIENCE)


@contextmanager
def sending_ended() -> Iterator[None]:
    """End what this process sends at the end of this block, however it ends.

    The process itself may go on: a program may call a command.
    """
    try:
        yield
    finally:
        end_sending()
        sender_threads.go_on()


def _time_left() -> float:
    """Seconds of MEETINGS_STOP_TIMEOUT that are left since the process was told to stop."""
    begun = sender_threads.stopped_at
    if begun is None:
        return float(settings.MEETINGS_STOP_TIMEOUT)
    return max(0.0, begun + float(settings.MEETINGS_STOP_TIMEOUT) - time.monotonic())


def _give_back() -> None:
    try:
        end_lease()
    except (DatabaseError, InterfaceError):
        log.info("The database is unavailable, so the lease ends by time.")
    finally:
        connection.close()
