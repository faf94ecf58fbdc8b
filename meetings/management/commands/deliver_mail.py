"""``manage.py deliver_mail``: the background of one machine, where there is no message broker."""

import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from meetings import trouble
from meetings.operations.retention import drop_old_bytes
from meetings.operations.sweep import sweep

# seconds between two looks when there was nothing to do; also how long a signal may go unnoticed
PAUSE = 0.5
RETENTION_EVERY = 3600.0


class Command(BaseCommand):
    """Delivers what waits. Several of it may run, on any number of machines: each message goes out
    once.
    """

    help = "Delivers what is queued or was left unsent, until it is stopped (SIGTERM, Ctrl-C). Several may run at once."

    stopping = False
    swept: list[int] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Once, or for ever."""
        parser.add_argument("--once", action="store_true", help="deliver what is due now, then end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        """Sweep; a signal ends it after the message in hand."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        if once:
            while self._sweep_something_new():
                pass
            drop_old_bytes()
        else:
            self._run()

    def _run(self) -> None:
        next_retention = time.monotonic()
        while not self.stopping:
            worked = _unless_away(self._sweep_something_new)
            if time.monotonic() >= next_retention and not self.stopping:
                _unless_away(drop_old_bytes)
                next_retention = time.monotonic() + RETENTION_EVERY
            if not worked and not self.stopping:
                time.sleep(PAUSE)

    def _sweep_something_new(self) -> bool:
        """Sweep; whether to look again at once: not when nothing is due, or the same that somebody
        else has in hand.
        """
        before, self.swept = self.swept, sweep(stop=self._is_stopping)
        return not self.stopping and bool(self.swept) and self.swept != before

    def _stop(self, number: int, _frame: object) -> None:
        # A second signal ends at once; what is being sent then is found when its lease ends.
        signal.signal(number, signal.SIG_DFL)
        self.stopping = True

    def _is_stopping(self) -> bool:
        return self.stopping


def _unless_away(work: Callable[[], object]) -> object:
    """What ``work`` returns; None while the database is away, to which the next call connects anew."""
    close_old_connections()
    try:
        return work()
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        trouble.report(
            "database", f"the database is away, nothing is delivered until it is back: {error}"
        )
        return None
