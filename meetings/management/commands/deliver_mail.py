"""``manage.py deliver_mail``: deliver in the background, where there is no message broker.

Several may run at once, on any number of machines. Each claims other meetings in the database.
"""

import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from meetings import trouble
from meetings.operations.retention import drop_old
from meetings.operations.steps.sending.ending import sending_ended
from meetings.operations.steps.sending.sender import heartbeat
from meetings.operations.steps.sending.threads import sender_threads
from meetings.operations.work import adopt_orphans, begin_work, wait_for_room, work

# Seconds from a look that found nothing to the next. A signal may go unnoticed as long.
PAUSE = 0.5


@dataclass
class Chore:
    """Something that is done every so many seconds, the first time at once."""

    work: Callable[[], object]
    every: float
    next: float = 0.0

    def run_if_due(self) -> None:
        if time.monotonic() >= self.next:
            _unless_unavailable(self.work)
            self.next = time.monotonic() + self.every


class Command(BaseCommand):
    help = (
        "Tells people what is outstanding, until it is stopped (SIGTERM, Ctrl-C)."
        " Several may run at once."
    )

    stopping = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="deliver what is due now, then end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        with sending_ended():
            if once:
                self._run_once()
            else:
                self._run()

    def _run_once(self) -> None:
        adopt_orphans()
        while work() and not self.stopping:
            pass
        drop_old()

    def _run(self) -> None:
        chores = [Chore(adopt_orphans, every=heartbeat()), Chore(drop_old, every=3600.0)]
        while not self.stopping:
            for chore in chores:
                chore.run_if_due()
            if wait_for_room(PAUSE) and not _unless_unavailable(begin_work) and not self.stopping:
                time.sleep(PAUSE)

    def _stop(self, number: int, _frame: object) -> None:
        # A second signal ends the process at once. Its lease then ends by time.
        signal.signal(number, signal.SIG_DFL)
        self.stopping = True
        sender_threads.stop()


def _unless_unavailable(work: Callable[[], object]) -> object:
    """Return what ``work`` returns, or None while the database is unavailable."""
    close_old_connections()
    try:
        return work()
    except (DatabaseError, InterfaceError) as error:
        connection.close()  # the next call opens a new one
        trouble.report("database", f"The database is unavailable, so nothing is delivered: {error}")
        return None
