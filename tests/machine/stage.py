"""Programs beside each other, of which one runs at a time, from one stop to the next.

A program is a thread with its own database connection. It stops where another process may come
between, and where its process may die: before each statement that is a transaction of its own, and
before each SMTP transaction. So whoever steps the programs chooses how they interleave.
"""

import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection

from meetings.models.outbox import queue
from meetings.operations.steps.sending import sender
from meetings.operations.steps.sending.sender import Lease

Job = Callable[[], object]


class Killed(BaseException):
    """The process is gone. It is no Exception, because no code may outlive it."""


class Process:
    """Programs that live and die together. They send under one lease."""

    def __init__(self, programs: int) -> None:
        self.lease: Lease | None = None
        self.programs = [Program(self) for _ in range(programs)]

    def kill(self) -> list["Program"]:
        """Kill -9: what is under way is never heard of again. Return what was."""
        victims = [program for program in self.programs if program.is_busy]
        for program in victims:
            program.go(kill=True)
        self.lease = None
        return victims

    def end(self) -> None:
        """End the threads."""
        for program in self.programs:
            program.end()

    def lose_lease(self) -> None:
        """Let it have been stopped for so long that others take it for dead."""
        if self.lease:
            self.lease.renewed_at -= 10 * settings.MEETINGS_LEASE


class Program:
    """A thread of ``process``. ``returned`` is what its last job did, or ``failure`` why not.

    ``number`` is the job's; it ``may_mail`` unless it began in a pause. ``waits``: its next
    statement looks whether another program is done. ``in_hand`` are the mails, each with its
    recipient, that the mail server has acknowledged and that are not recorded yet.
    """

    def __init__(self, process: Process) -> None:
        self.process = process
        self.number = 0
        self.is_busy = self.waits = False
        self.returned: object = None
        self.failure: BaseException | None = None
        self.has_stored = False
        self.may_mail = True
        self.in_hand: list[tuple[str, str]] = []
        self._job: Job | None = None
        self._killed = False
        self._mine, self._theirs = threading.Semaphore(0), threading.Semaphore(0)
        threading.Thread(target=self._live, daemon=True).start()

    def begin(self, job: Job) -> None:
        """Take a job. It runs with ``go``."""
        self._job, self.is_busy = job, True
        self.returned = self.failure = None

    def go(self, *, kill: bool = False) -> None:
        """Run to the next stop, or to the end of the job; with ``kill`` die where it stands."""
        self._killed = kill
        sender._lease = self.process.lease  # each process has its own
        self._mine.release()
        self._theirs.acquire()
        self.process.lease = sender._lease

    def end(self) -> None:
        """End the thread, and with it the connection."""
        self._job = None
        self._mine.release()
        self._theirs.acquire()

    def stop(self) -> None:
        """In the program's own thread: let the others run."""
        self._theirs.release()
        self._mine.acquire()
        if self._killed:
            raise Killed

    def _live(self) -> None:
        _HERE.program = self
        with connection.execute_wrapper(self._statement):
            while self._next():
                self._theirs.release()
        connection.close()
        self._theirs.release()

    def _next(self) -> bool:
        self._mine.acquire()
        if self._job is None:
            return False
        try:
            if not self._killed:
                self.returned = self._job()
        except Killed:
            pass
        except BaseException as failure:  # it is the stage's, which raises it again
            self.failure = failure
        self.is_busy = self.waits = False
        return True

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        # Others would wait for the locks of a transaction, and for that of the lease, which real
        # processes do not share: no stop in there.
        if not (connection.in_atomic_block or sender._lock.locked()):
            self.waits = sql == queue._IS_BEING_SENT
            self.stop()
            self.waits = False
        result = execute(sql, params, many, context)
        self.has_stored = self.has_stored or "INSERT INTO meetings_version" in sql
        self.in_hand = []
        return result


class _Here(threading.local):
    program: Program


_HERE = _Here()


def this_program() -> Program:
    """Return the program that runs in this thread."""
    return _HERE.program
