"""``manage.py deliver_mail``: deliver in the background, where there is no message broker.

Several may run at once, on any number of machines. A claim in the database guards each mail.
"""

import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from meetings import trouble
from meetings.operations.retention import drop_old
from meetings.operations.sweep import sweep

# Seconds from a sweep that found nothing to the next. A signal may go unnoticed as long.
PAUSE = 0.5
RETENTION_EVERY = 3600.0


class Command(BaseCommand):
    help = (
        "Delivers queued and unfinished mails until it is stopped (SIGTERM, Ctrl-C)."
        " Several may run at once."
    )

    stopping = False
    swept: list[int] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="deliver what is due now, then end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        if once:
            while self._sweep_again():
                pass
            drop_old()
        else:
            self._run()

    def _run(self) -> None:
        next_retention = time.monotonic()
        while not self.stopping:
            worked = _unless_unavailable(self._sweep_again)
            if time.monotonic() >= next_retention and not self.stopping:
                _unless_unavailable(drop_old)
                next_retention = time.monotonic() + RETENTION_EVERY
            if not worked and not self.stopping:
                time.sleep(PAUSE)

    def _sweep_again(self) -> bool:
        """Sweep once. Return whether there may be more to do at once."""
        before, self.swept = self.swept, sweep(stop=self._is_stopping)
        # The same mails twice in a row are in another process's hands.
        return not self.stopping and bool(self.swept) and self.swept != before

    def _stop(self, number: int, _frame: object) -> None:
        # A second signal ends the process at once. The lease of its mail then ends by time.
        signal.signal(number, signal.SIG_DFL)
        self.stopping = True

    def _is_stopping(self) -> bool:
        return self.stopping


def _unless_unavailable(work: Callable[[], object]) -> object:
    """Return what ``work`` returns, or None while the database is unavailable."""
    close_old_connections()
    try:
        return work()
    except (DatabaseError, InterfaceError) as error:
        connection.close()  # the next call opens a new one
        trouble.report("database", f"The database is unavailable, so nothing is delivered: {error}")
        return None
