"""The threads of this process that send: as many as it may have connections, at most.

A transaction that has begun runs to its own end in one of them, however long the mail server takes.
A caller waits for as long as it has time, and no thread of the web server waits longer than that.
"""

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable

from django.conf import settings
from django.db import connection

from meetings.transport.send import connections_allowed

_REST = 5.0  # seconds without work after which a thread ends, and with it its database connection

log = logging.getLogger(__name__)


class Job:
    """Work for one thread: it is done once, or taken back before it has begun."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._taken = threading.Lock()  # by who does it, or takes it back; never released
        self._ended = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Do the work, unless it was taken back. Raises nothing."""
        if not self.take_back():
            return
        try:
            self._work()
        except BaseException as failure:
            self.failure = failure
        finally:
            self._ended.set()

    def take_back(self) -> bool:
        """Have no thread begin it any more. False: one has."""
        return self._taken.acquire(blocking=False)

    def wait(self, seconds: float | None = None) -> bool:
        """Return whether it ends within so many seconds, any number for None.

        Raises what the work has raised.
        """
        has_ended = self._ended.wait(seconds)
        if self.failure is not None:
            raise self.failure
        return has_ended


class SenderThreads:
    """Threads that do jobs in the order in which they come. Each begins when there is need of it.

    With MEETINGS_SMTP_CONNECTIONS = 0 there are none, and who begins a job does it.
    """

    def __init__(self) -> None:
        lock = threading.Lock()
        self._work = threading.Condition(lock)  # there is a job, or it is over
        self._changed = threading.Condition(lock)  # a job was begun, or a thread has ended
        self._jobs: deque[Job] = deque()
        self._begun_at: dict[int, float] = {}  # by thread: when it began its job
        self._living = self._taking = self._idle = 0
        self._is_over = False
        self.stopped_at: float | None = None

    def begin(self, work: Callable[[], object]) -> Job:
        """Have a thread do the work as soon as one is free."""
        job = Job(work)
        if not settings.MEETINGS_SMTP_CONNECTIONS:
            job.run()
            return job
        with self._work:
            self._jobs.append(job)
            self._see_to_threads()
            self._work.notify()
        return job

    def _see_to_threads(self) -> None:
        if self._idle < len(self._jobs) and self._taking < connections_allowed():
            threading.Thread(target=self._live, name="sender", daemon=True).start()
            self._living += 1
            self._taking += 1

    def are_at_one_job_for(self, seconds: float) -> bool:
        """Whether all threads that there may be have been at one job for longer than that."""
        with self._work:
            begun_before = time.monotonic() - seconds
            stuck = sum(begun_at < begun_before for begun_at in self._begun_at.values())
        has_threads = settings.MEETINGS_SMTP_CONNECTIONS > 0
        return has_threads and connections_allowed() <= stuck

    @property
    def is_stopping(self) -> bool:
        """Whether no transaction may begin any more, because the process is about to end."""
        return self.stopped_at is not None

    def stop(self, *, at_once: bool = False) -> None:
        """Begin no transaction any more. It takes no lock, so a signal handler may call it.

        ``at_once``: what has begun has no time left either.
        """
        if at_once:
            self.stopped_at = -math.inf
        elif self.stopped_at is None:
            self.stopped_at = time.monotonic()

    def go_on(self) -> None:
        """Transactions may begin again."""
        self.stopped_at = None

    def wait_for_room(self, jobs: int, seconds: float) -> bool:
        """Return whether fewer than so many ``jobs`` wait for a thread within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._jobs) < jobs, seconds)

    @property
    def waiting(self) -> int:
        """How many jobs no thread has begun yet."""
        return len(self._jobs)

    def finish(self, seconds: float) -> bool:
        """Have the threads end once they have nothing to do; return whether all did in time."""
        with self._changed:
            self._is_over = True
            self._work.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._living, seconds)
            finally:
                self._is_over = False

    def _live(self) -> None:
        try:
            while job := self._next():
                job.run()
                if job.failure is not None:
                    log.error("A sender thread failed.", exc_info=job.failure)
                    connection.close()  # it may be what has failed; the next job opens another
        finally:
            connection.close()
            with self._changed:
                self._living -= 1
                self._changed.notify_all()

    def _next(self) -> Job | None:
        """The next job, or None: the thread takes no more of them then."""
        with self._work:
            self._begun_at.pop(threading.get_ident(), None)
            self._idle += 1
            self._work.wait_for(lambda: self._jobs or self._is_over, _REST)
            self._idle -= 1
            if not self._jobs or self._taking > connections_allowed():
                self._taking -= 1
                self._work.notify()  # another one takes what there is
                return None
            self._begun_at[threading.get_ident()] = time.monotonic()
            self._changed.notify_all()
            job = self._jobs.popleft()
            self._see_to_threads()
            return job


sender_threads = SenderThreads()


def _forget_after_a_fork() -> None:
    # The threads are the parent's.
    sender_threads.__init__()  # type: ignore[misc]


os.register_at_fork(after_in_child=_forget_after_a_fork)
