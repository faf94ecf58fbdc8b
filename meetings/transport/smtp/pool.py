"""The connections of this process to its mail servers, shared by its threads.

There are at most MEETINGS_SMTP_CONNECTIONS of them, in use and idle together, and fewer where the
server bears fewer. One thread uses a connection, from ``lend`` until the end of its ``with``. A
thread of the pool closes those that were idle for too long, without waiting for a mail.
"""

import atexit
import contextlib
import math
import os
import random
import threading
import time
from collections.abc import Iterator

from django.conf import settings

from meetings.deadline import Deadline
from meetings.transport.smtp.pooled import Connection, Limits
from meetings.transport.smtp.room import Room
from meetings.transport.smtp.service import Service
from meetings.transport.smtp.session import Server

_MOST_WITHOUT_SENDERS = 8  # connections, where each thread that calls sends its mails itself
_BETWEEN_TRIES = 1.0  # seconds, while other processes have all connections that the server bears
_OUR_REST = 1.3  # seconds for which the only connection is left to them: more than between tries
_CHANCE = 0.5  # of leaving it
_IDLE_WHERE_LIMITED = 0.2  # seconds: another process may wait for it


class AllInUseError(Exception):
    """No connection became free in time."""


class Pool:
    """The connections of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)  # there may be a place, or what was opened
        self._idle: list[Connection] = []  # the one that was used last comes last
        self._in_use: set[Connection] = set()
        self._room = Room()
        self.service = Service()
        self._interruptions = 0
        self._reaper: threading.Thread | None = None
        self._reaper_wakes_at = 0.0
        self._wake_reaper = threading.Condition(self._lock)

    @property
    def in_use(self) -> int:
        """How many connections threads use at this moment."""
        return len(self._in_use)

    def without_reply(self, seconds: float) -> int:
        """How many have waited for the reply to a final dot for longer than that."""
        before = time.monotonic() - seconds
        with self._lock:
            sent_at = [each.smtp.dot_sent_at for each in self._in_use if each.smtp]
        return sum(at is not None and at < before for at in sent_at)

    def say_served_ago(self) -> float | None:
        """Return how many seconds ago it last had a connection, for the heart; None for never."""
        with self._lock:
            if self._open:
                self.service.note()
            return self.service.say()

    @property
    def limit(self) -> int:
        """How many there may be at this moment, in use and idle together."""
        return self._room.limit(_most())

    def take(self, server: Server, limits: Limits, deadline: Deadline) -> Connection:
        """Return a connection to ``server``, or a place for one. Raises AllInUseError."""
        with self._lock:
            self._wait_for_a_place(deadline)
            connection = self._kept(server) or Connection(server, limits, self._say_opened)
            connection.limits = limits
            dropped = self._make_room() if connection.smtp is None else []
            self._in_use.add(connection)
        for each in dropped:
            each.hang_up()
        return connection

    def _say_opened(self) -> None:
        with self._lock:
            if self._open > self.limit:  # what was being opened when another one was refused
                self._room.learn(self._open)
            self.service.note_opened()
            self._changed.notify_all()

    def _wait_for_a_place(self, deadline: Deadline) -> None:
        interruptions = self._interruptions
        while self._room.closed_for or len(self._in_use) >= self.limit:
            self._changed.wait(min(deadline.left, self._room.changes_in))
            if self._interruptions > interruptions or not deadline.left:
                raise AllInUseError

    def _kept(self, server: Server) -> Connection | None:
        """The connection to ``server`` that was used last, taken out of the idle ones."""
        for index in reversed(range(len(self._idle))):
            if self._idle[index].server == server:
                return self._idle.pop(index)
        return None

    def _make_room(self) -> list[Connection]:
        """Take out the idle connections, to other servers, in whose place a new one comes."""
        count = max(0, len(self._in_use) + len(self._idle) + 1 - self.limit)
        dropped, self._idle = self._idle[:count], self._idle[count:]
        return dropped

    def give_back(self, connection: Connection) -> None:
        """Keep the connection for the next transaction if one can follow on it."""
        is_limited = self.limit < _most()
        can_follow = connection.rest(_IDLE_WHERE_LIMITED if is_limited else math.inf)
        with self._lock:
            self._in_use.discard(connection)
            count = len(self._idle) + len(self._in_use)
            is_kept = can_follow and not self._room.closed_for and count < self.limit
            if is_kept:
                self._idle.append(connection)
                self._see_to_reaper(connection.gives_up_at)
            self._changed.notify_all()
        if not is_kept:
            connection.hang_up()  # nothing, where it is closed

    def is_full(self, deadline: Deadline) -> bool:
        """Whether the server refuses one more while it bears others of ours; learn how many.

        What is being opened at this moment is waited for, because it may be what it bears.
        """
        with self._lock:
            self._changed.wait_for(lambda: self._open or not self._opening, deadline.left)
            number = self._open
            if number:
                self._room.learn(number)
        return number > 0

    def step_back(self) -> None:
        """Try one connection at a time, and none for a moment: other processes have them all."""
        with self._lock:
            self._room.learn(1)
            self._room.close_for(_BETWEEN_TRIES)

    def make_way(self) -> None:
        """Leave half of the connections to another process, the only one now and then."""
        with self._lock:
            number = self._open
            if not number:
                return
            self._room.learn(number // 2)
            # Where several processes have one each, not all of them are to stop.
            if number == 1 and random.random() < _CHANCE:  # noqa: S311 (no secret)
                self._room.close_for(_OUR_REST)
        self.close_idle()

    def mind_a_refused_mail(self) -> bool:
        """Whether others were in use when the server had too much to do; use fewer from now on."""
        with self._lock:
            number = len(self._in_use) - 1
            if number:
                self._room.learn(min(number, self.limit), by_mail=True)
        return number > 0

    @property
    def _open(self) -> int:
        in_use = sum(bool(each.smtp) and not each.is_opening for each in self._in_use)
        return len(self._idle) + in_use

    @property
    def _opening(self) -> bool:
        return any(each.is_opening for each in self._in_use)

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
            self._changed.notify_all()
        for each in in_use:
            each.interrupt()


# By process: a fork copies this, and if parent and child both spoke on one socket, each would read
# replies to the other's commands.
_pools: dict[int, Pool] = {}


def pool_of_process() -> Pool:
    """Return the pool that the threads of this process share."""
    return _pools.get(os.getpid()) or _pools.setdefault(os.getpid(), Pool())


@contextlib.contextmanager
def lend(server: Server, limits: Limits, deadline: Deadline) -> Iterator[Connection]:
    """Lend a connection for one transaction. Wait for one until ``deadline``.

    Raises AllInUseError. An exception within the ``with`` closes the connection.
    """
    pool = pool_of_process()
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
    return pool_of_process().in_use


def say_served_ago() -> float | None:
    """Return how many seconds ago the process last had a connection, for the heart; None: never."""
    return pool_of_process().say_served_ago()


def wait_for_news(seconds: float) -> bool:
    """Return whether a connection is opened within so many seconds that was not said yet."""
    return pool_of_process().service.wait_for_news(seconds)


def connections_allowed() -> int:
    """How many connections this process may have at this moment, by what the server has shown."""
    return pool_of_process().limit


def mails_without_reply(seconds: float) -> int:
    """How many mails of this process have waited for the reply to their dot for longer."""
    return pool_of_process().without_reply(seconds)


def make_way() -> None:
    """Leave some of the connections to another process, which the server refuses."""
    pool_of_process().make_way()


def interrupt() -> None:
    """Interrupt every connection that a thread of this process uses. Raises nothing.

    What is blocked there ends at once, with a connection that is lost.
    """
    pool_of_process().interrupt()


def close_kept_connections() -> None:
    """Say QUIT on the idle connections of this process, and forget them."""
    pool_of_process().close_idle()


def _most() -> int:
    return int(settings.MEETINGS_SMTP_CONNECTIONS) or _MOST_WITHOUT_SENDERS


atexit.register(close_kept_connections)
