"""What a process that sends does when it ends in order."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, connection

from meetings.operations.steps.sender import end_lease

PATIENCE = 2.0  # seconds; what is not given back then ends by time

log = logging.getLogger(__name__)


def give_lease_back() -> None:
    """Give this process's lease back, if it has one and no mail is in hand.

    Another process need not wait for its end then. A database that does not respond delays the end
    of this process only for a moment.
    """
    thread = threading.Thread(target=_end_lease, name="end of the lease", daemon=True)
    thread.start()
    thread.join(PATIENCE)


@contextmanager
def lease_given_back() -> Iterator[None]:
    """Give the lease back at the end of this block, however it ends."""
    try:
        yield
    finally:
        give_lease_back()


def _end_lease() -> None:
    try:
        end_lease()
    except (DatabaseError, InterfaceError):
        log.info("The database is unavailable, so the lease ends by time.")
    finally:
        connection.close()
