"""The connections of this process to its mail servers, shared by its threads.

There are at most MEETINGS_SMTP_CONNECTIONS of them, in use and idle together. One thread uses a
connection, from ``lend`` until the end of its ``with``. A thread of the pool closes those that were
idle for too long, without waiting for a mail.
"""

import atexit
import contextlib
import os
import smtplib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from meetings.deadline import Deadline
from meetings.transport.smtp.connection import DeadlineSMTP
from meetings.transport.smtp.session import Server

_OK = 250
_MOST_WITHOUT_SENDERS = 8  # connections, where each thread that calls sends its mails itself


@dataclass(frozen=True, slots=True)
class Limits:
    """When a kept connection is probed with NOOP, and when it is given up. Times are in seconds."""

    probe_after: float = 2.0
    probe: float = 2.0  # how long the reply to NOOP may take
    idle: float = 60.0
    transactions: int = 100


class AllInUseError(Exception):
    """No connection became free in time."""


class Connection:
    """A place in the pool, and the connection in it once there is one."""

    def __init__(self, server: Server, limits: Limits) -> None:
        self.server = server
        self.limits = limits
        self.smtp: DeadlineSMTP | None = None
        self.is_interrupted = False
        self.used_at = time.monotonic()
        self.transactions = 0

    @property
    def gives_up_at(self) -> float:
        """When it will have been idle for too long, by the monotonic clock."""
        return self.used_at + self.limits.idle

    def open(self, deadline: Deadline) -> DeadlineSMTP:
        """Return a new connection to the server. Raises SessionError and OSError."""
        self.close()
        self.transactions = 0
        self.smtp = self.server.client(deadline)
        # After it is there. So an interruption that has not seen it is seen here.
        if self.is_interrupted:
            raise smtplib.SMTPServerDisconnected("this process interrupted the connection")
        self.server.open(self.smtp)
        return self.smtp

    def kept(self, deadline: Deadline) -> DeadlineSMTP | None:
        """Return the connection of an earlier transaction, with ``deadline``, if it is alive."""
        if self.smtp is None:
            return None
        self.smtp.deadline = deadline
        is_probed = time.monotonic() - self.used_at >= self.limits.probe_after
        if is_probed and not _is_alive(self.smtp, deadline, self.limits):
            self.close()
        return self.smtp

    def interrupt(self) -> None:
        """End what another thread does on it, and let it open no new one."""
        self.is_interrupted = True
        smtp = self.smtp
        if smtp is not None:
            smtp.interrupt()

    def rest(self) -> bool:
        """Close it unless another transaction can follow, and return whether one can."""
        self.transactions += 1
        self.used_at = time.monotonic()
        if self.smtp is None or self.smtp.sock is None or self.is_interrupted:
            self.close()
        elif self.transactions >= self.limits.transactions:
            self.hang_up()
        return self.smtp is not None

    def hang_up(self) -> None:
        """Say QUIT and close."""
        if self.smtp is not None:
            self.smtp.hang_up()
            self.smtp = None

    def close(self) -> None:
        """Close without QUIT."""
        if self.smtp is not None:
            self.smtp.close()
            self.smtp = None


class _Pool:
    """The connections of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._freed = threading.Condition(self._lock)
        self._idle: list[Connection] = []  # the one that was used last comes last
        self._in_use: set[Connection] = set()
        self._interruptions = 0
        self._reaper: threading.Thread | None = None
        self._reaper_wakes_at = 0.0
        self._wake_reaper = threading.Condition(self._lock)

    @property
    def in_use(self) -> int:
        return len(self._in_use)

    def take(self, server: Server, limits: Limits, deadline: Deadline) -> Connection:
        """Return a connection to ``server``, or a place for one. Raises AllInUseError."""
        with self._lock:
            self._wait_for_a_place(deadline)
            connection = self._kept(server) or Connection(server, limits)
            connection.limits = limits
            dropped = self._make_room() if connection.smtp is None else []
            self._in_use.add(connection)
        for each in dropped:
            each.hang_up()
        return connection

    def _wait_for_a_place(self, deadline: Deadline) -> None:
        interruptions = self._interruptions
        while len(self._in_use) >= _most():
            if self._interruptions > interruptions or not self._freed.wait(deadline.left):
                raise AllInUseError

    def _kept(self, server: Server) -> Connection | None:
        """The connection to ``server`` that was used last, taken out of the idle ones."""
        for index in reversed(range(len(self._idle))):
            if self._idle[index].server == server:
                return self._idle.pop(index)
        return None

    def _make_room(self) -> list[Connection]:
        """Take out the idle connections, to other servers, in whose place a new one comes."""
        count = max(0, len(self._in_use) + len(self._idle) + 1 - _most())
        dropped, self._idle = self._idle[:count], self._idle[count:]
        return dropped

    def give_back(self, connection: Connection) -> None:
        """Keep the connection for the next transaction if one can follow on it."""
        can_follow = connection.rest()
        with self._lock:
            self._in_use.discard(connection)
            if can_follow:
                self._idle.append(connection)
                self._see_to_reaper(connection.gives_up_at)
            self._freed.notify()

    def _see_to_reaper(self, gives_up_at: float) -> None:
        if self._reaper is None:
            reaper = threading.Thread(target=self._reap, name="smtp-reaper", daemon=True)
            with contextlib.suppress(RuntimeError):  # the machine has no thread left to give
                reaper.start()
                self._reaper = reaper
        elif gives_up_at < self._reaper_wakes_at:
            self._wake_reaper.notify()

    def _reap(self) -> None:
        """Close each connection that was idle for too long, until none is idle."""
        while True:
            for each in self._tired():
                each.hang_up()
            with self._lock:
                if not self._idle:
                    self._reaper = None
                    return
                self._reaper_wakes_at = min(each.gives_up_at for each in self._idle)
                self._wake_reaper.wait(max(0.0, self._reaper_wakes_at - time.monotonic()))

    def _tired(self) -> list[Connection]:
        now = time.monotonic()
        with self._lock:
            tired = [each for each in self._idle if each.gives_up_at <= now]
            self._idle = [each for each in self._idle if each.gives_up_at > now]
        return tired

    def close_idle(self) -> None:
        """Say QUIT on each idle connection."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._wake_reaper.notify()
        for each in idle:
            each.hang_up()

    def interrupt(self) -> None:
        """End what is read or written on each connection in use, and each wait for one."""
        with self._lock:
            self._interruptions += 1
            in_use = list(self._in_use)
            self._freed.notify_all()
        for each in in_use:
            each.interrupt()


# By process: a fork copies this, and if parent and child both spoke on one socket, each would read
# replies to the other's commands.
_pools: dict[int, _Pool] = {}


def _pool() -> _Pool:
    return _pools.get(os.getpid()) or _pools.setdefault(os.getpid(), _Pool())


@contextlib.contextmanager
def lend(server: Server, limits: Limits, deadline: Deadline) -> Iterator[Connection]:
    """Lend a connection for one transaction. Wait for one until ``deadline``.

    Raises AllInUseError. An exception within the ``with`` closes the connection.
    """
    pool = _pool()
    connection = pool.take(server, limits, deadline)
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
    finally:
        pool.give_back(connection)


def connections_in_use() -> int:
    """How many connections the threads of this process use at this moment."""
    return _pool().in_use


def interrupt() -> None:
    """Interrupt every connection that a thread of this process uses. Raises nothing.

    What is blocked there ends at once, with a connection that is lost.
    """
    _pool().interrupt()


def close_kept_connections() -> None:
    """Say QUIT on the idle connections of this process, and forget them."""
    _pool().close_idle()


def _most() -> int:
    return int(settings.MEETINGS_SMTP_CONNECTIONS) or _MOST_WITHOUT_SENDERS


def _is_alive(smtp: DeadlineSMTP, deadline: Deadline, limits: Limits) -> bool:
    # A firewall that has forgotten the connection drops our packets without a word. So the probe
    # gets a part of the time, and the rest is left for a new connection.
    smtp.deadline = Deadline(min(limits.probe, deadline.left / 2))
    try:
        return smtp.noop()[0] == _OK
    except OSError:
        return False
    finally:
        smtp.deadline = deadline


atexit.register(close_kept_connections)
