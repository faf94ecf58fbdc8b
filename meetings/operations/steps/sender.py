"""This process as a sender: a row that says that it lives, moved on three times a lease.

Each sender proves by it that the deliveries are its own. A process that could not say so in time
may have been taken for dead, and its mails taken over: it must not send a final dot any more. What
it records is kept and tried again for as long as the lease lasts.
"""

import logging
import math
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from meetings import trouble
from meetings.models.outbox import queue
from meetings.models.outbox import record as outbox
from meetings.models.outbox.record import End, Recorded, Sending

# A final dot needs some of the lease left: what the mail server answers has to be recorded, too.
_MARGIN = 2.0
_PAUSE = 0.05  # seconds between two tries to record

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Lease:
    """This process's row, and when (monotonic) it last said that it lives.

    ``paused_at`` is when it last saw that mail is paused.
    """

    sender_id: int
    process: int
    renewed_at: float
    paused_at: float = -math.inf

    @property
    def left(self) -> float:
        """Seconds until others may take this sender for dead; never below 0."""
        return max(0.0, self.renewed_at + float(settings.MEETINGS_LEASE) - time.monotonic())


_lock = threading.Lock()
_lease: Lease | None = None
_heart: threading.Thread | None = None


def current_lease() -> Lease:
    """Return this process's lease, a new one where there is none or it is about to end."""
    global _lease  # noqa: PLW0603 (one for the process)
    with _lock:
        # A fork copies the lease. The child needs a row of its own, because it may die alone.
        if _lease is None or _lease.process != os.getpid() or not _holds(_lease):
            begun = time.monotonic()
            sender = queue.begin_sending(_kind(), socket.gethostname())
            _lease = Lease(sender, os.getpid(), begun)
        _start_heart()
        return _lease


def heartbeat() -> float:
    """Return every how many seconds a sender says that it lives."""
    return float(settings.MEETINGS_LEASE) / 3


def may_finish(lease: Lease) -> bool:
    """Whether the sender still holds the lease, so that it may send a final dot."""
    return lease.left > _MARGIN


def renew_lease(lease: Lease) -> bool:
    """Say that this process lives, and note if mail is paused. False: the lease has ended."""
    begun = time.monotonic()
    answer = queue.renew(lease.sender_id)
    if answer is None:
        return False
    lease.renewed_at = begun
    if answer.is_paused:  # a run that has begun begins no further transaction
        lease.paused_at = begun
    return True


def end_lease() -> None:
    """Give the lease back, when the process ends in order."""
    global _lease  # noqa: PLW0603
    with _lock:
        if _lease is not None and _lease.process == os.getpid():
            queue.end_sending(_lease.sender_id)
        _lease = None


def forget_lease() -> None:
    """Take a new row the next time."""
    global _lease  # noqa: PLW0603
    with _lock:
        _lease = None


def _holds(lease: Lease) -> bool:
    """Whether the lease still has most of its time; renew it where the heart is late."""
    return lease.left > settings.MEETINGS_LEASE / 3 or renew_lease(lease)


def _kind() -> str:
    program = Path(sys.argv[0])
    if program.name == "__main__.py":  # python -m celery
        program = program.parent
    if program.name == "manage.py" and len(sys.argv) > 1:
        program = Path(sys.argv[1])
    return program.name[:20] or "python"


def _start_heart() -> None:
    global _heart  # noqa: PLW0603
    if _heart is None or not _heart.is_alive():
        _heart = threading.Thread(target=_beat, name="heartbeat", daemon=True)
        _heart.start()


def _beat() -> None:
    """Renew the lease until it is lost. The thread ends then; a new lease starts another."""
    while True:
        time.sleep(heartbeat())
        lease = _lease
        if lease is None or lease.process != os.getpid():
            return
        try:
            if not renew_lease(lease):
                return
        except (DatabaseError, InterfaceError):
            log.debug("The database is unavailable, so the lease could not be renewed.")
        finally:
            connection.close()


def record(
    sending: Sending, lease: Lease, ends: Sequence[End], *, due_now: bool = False
) -> dict[int, Recorded]:
    """Record the ends, and return what was recorded of those deliveries that were still ours.

    Where the database stays away until the lease ends, nothing is. Then this process takes a new
    sender, and another one takes the deliveries for those of a dead one.
    """
    while True:
        try:
            return _recorded(sending, ends, due_now=due_now)
        # A server that is stopped short ends in a plain DatabaseError.
        except (DatabaseError, InterfaceError):
            if connection.in_atomic_block:
                raise
            connection.close()
            trouble.report(
                "database",
                "The database is unavailable, so what became of mails waits to be recorded.",
            )
        if lease.left <= 0:
            forget_lease()
            log.error("The outcome of %d deliveries could not be recorded.", len(ends))
            return {}
        time.sleep(_PAUSE)


def _recorded(sending: Sending, ends: Sequence[End], *, due_now: bool) -> dict[int, Recorded]:
    recorded = outbox.record(sending, ends, due_now=due_now)
    if len(recorded) < len(ends):
        log.warning(
            "%d deliveries had been taken over before their outcome could be recorded.",
            len(ends) - len(recorded),
        )
    return recorded
