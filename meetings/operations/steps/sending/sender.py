"""This process as a sender: a row that says that it lives, moved on three times a lease or more.

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from meetings import trouble
from meetings.models.outbox import queue
from meetings.models.outbox import record as outbox
from meetings.models.outbox.record import End, Recorded, Sending
from meetings.operations.steps.sending import mail_server
from meetings.transport.send import connections_in_use, say_served_ago, wait_for_news

# A final dot needs some of the lease left: what the mail server answers has to be recorded, too.
_MARGIN = 2.0
_PAUSE = 0.05  # seconds between two tries to record
_LETTING_GO = 1.0  # seconds for calls to see that their mail has ended

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Lease:
    """This process's row, and when (monotonic) it last said that it lives.

    ``paused_at`` is when it last saw that mail is paused. ``in_hand`` counts what is being stored
    or sent under it.
    """

    sender_id: int
    process: int
    renewed_at: float
    paused_at: float = -math.inf
    in_hand: int = 0

    @property
    def left(self) -> float:
        """Seconds until others may take this sender for dead; never below 0."""
        return max(0.0, self.renewed_at + float(settings.MEETINGS_LEASE) - time.monotonic())


_lock = threading.Lock()
_released = threading.Condition(_lock)  # something is no longer in hand
_lease: Lease | None = None
_retired: list[Lease] = []
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


@contextmanager
def in_hand(
    lease: Lease | None, *, stores_nothing: type[Exception] | None = None
) -> Iterator[None]:
    """Store or send something under the lease, which lives at least for so long.

    Where that breaks off, deliveries may be stored as this sender's that nobody has in hand any
    more: of a STORE whose response was lost, say. While the sender lives, nobody takes them over.
    So the process takes a new one then, and this one lives only for what else is in hand. After an
    error that ``stores_nothing``, it goes on.
    """
    if lease is None:
        yield
        return
    with _lock:
        lease.in_hand += 1
    try:
        yield
    except BaseException as error:
        if stores_nothing is None or not isinstance(error, stores_nothing):
            _retire(lease)
        raise
    finally:
        with _released:
            lease.in_hand -= 1
            _released.notify_all()


def heartbeat() -> float:
    """Return after how many seconds at most a sender says again that it lives."""
    return float(settings.MEETINGS_LEASE) / 3


def may_finish(lease: Lease) -> bool:
    """Whether the sender still holds the lease, so that it may send a final dot."""
    return lease.left > _MARGIN


def renew_lease(lease: Lease) -> bool:
    """Say that this process lives, and note what it may begin. False: the lease has ended."""
    begun = time.monotonic()
    answer = queue.renew(
        lease.sender_id,
        connections=connections_in_use(),
        served_ago=say_served_ago(),
        replied_ago=mail_server.replied_ago(),
    )
    if answer is None:
        return False
    lease.renewed_at = begun
    mail_server.note(answer.server)
    if answer.is_paused:  # a run that has begun begins no further transaction
        lease.paused_at = begun
    return True


def renew_leases() -> None:
    """Renew each lease of this process that something is, or may be, in hand under."""
    for lease in _living():
        if not renew_lease(lease):
            _lose(lease)
    mail_server.hold_probe()
    mail_server.report_silence()


def end_lease() -> None:
    """Give the lease back, when the process ends in order."""
    global _lease
    with _released:
        lease = _lease
        if lease is None or lease.process != os.getpid():
            return
        if not _released.wait_for(lambda: not lease.in_hand, _LETTING_GO):
            log.info("Mails are still in hand, so the lease ends by time.")
            return
        # Another thread may be about to store a mail. It sends no final dot from now on.
        _lease, lease.renewed_at = None, -math.inf
        queue.end_sending(lease.sender_id)
        # Again, because the heart may have renewed it just before it ended.
        lease.renewed_at = -math.inf


def forget_lease() -> None:
    """Take a new row the next time."""
    global _lease  # noqa: PLW0603
    with _lock:
        _lease = None


def _retire(lease: Lease) -> None:
    global _lease  # noqa: PLW0603
    with _lock:
        if _lease is lease:
            _lease = None
            _retired.append(lease)


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
    while True:
        wait_for_news(heartbeat())
        try:
            renew_leases()
        except (DatabaseError, InterfaceError):
            log.debug("The database is unavailable, so a lease could not be renewed.")
        finally:
            connection.close()


def _living() -> list[Lease]:
    with _lock:
        _retired[:] = [each for each in _retired if each.in_hand]
        every = [*_retired, _lease] if _lease else _retired
        return [each for each in every if each.process == os.getpid()]


def _lose(lease: Lease) -> None:
    """Begin nothing under it, and send no final dot any more: others may have taken over."""
    global _lease  # noqa: PLW0603
    with _lock:
        lease.renewed_at = -math.inf
        _lease = None if _lease is lease else _lease
        if lease in _retired:
            _retired.remove(lease)


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
            _lose(lease)
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
