"""The side of a process that uses the embedded PostgreSQL.

It counts itself as a user, and has the server started if it does not run.
"""

import fcntl
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

from django.db.utils import OperationalError

from meeting_server.database.place import Place

logger = logging.getLogger("meeting_server.database")

PATIENCE = 60.0  # seconds: recovery after a power cut takes some
PAUSE = 0.05
LARGEST_LOG = 10_000_000
PROJECT = Path(__file__).resolve().parent.parent.parent

_holding: dict[Path, int] = {}
_holding_lock = threading.Lock()


def hold(place: Place) -> None:
    """Count this process, and what it forks, as a user until it ends.

    Waits while a keeper is stopping the server.
    """
    with _holding_lock:
        if place.users_lock not in _holding:
            fd = _open(place.users_lock)
            fcntl.flock(fd, fcntl.LOCK_SH)
            _holding[place.users_lock] = fd


def bring_up(place: Place, deadline: float) -> None:
    """Return when PostgreSQL listens. Start it if no other process does."""
    time.sleep(PAUSE)  # it may listen already and only be recovering
    while not _listens(place):
        if time.monotonic() > deadline:
            raise OperationalError(f"The embedded PostgreSQL does not answer. {_end_of(place.log)}")
        lock = _open(place.keeper_lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _start_keeper(place, lock)
        except BlockingIOError:
            time.sleep(PAUSE)  # another process is starting it, or its keeper is about to end
        finally:
            os.close(lock)


def is_passing(error: Exception) -> bool:
    """Whether the server is absent, starts, recovers or stops. Its refusals are final."""
    text = str(error)
    return "FATAL:" not in text or "the database system is" in text


def refuse_foreign_socket(place: Place) -> None:
    """Refuse a directory that another account made below /tmp. It would be given the data."""
    uids = {os.geteuid()}
    if place.data.exists():
        uids.add(place.data.stat().st_uid)
    if not place.owned_by(*uids):
        raise OperationalError(
            f"{place.socket_dir} belongs to another account. PostgreSQL's socket must be there."
        )


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _listens(place: Place) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(os.fspath(place.socket))
        except OSError:
            return False
        return True


def _start_keeper(place: Place, lock: int) -> None:
    """Start the keeper, which inherits the lock. At no moment is the lock free.

    The keeper has its own session. Ctrl-C in a terminal reaches the web server's workers, which
    then finish their requests, but it must not reach the database that they need for that.
    """
    keeper_module = "meeting_server.database.keeper"
    with (
        _open_log(place.log) as log,
        subprocess.Popen(  # noqa: S603 (no part of it comes from a request)
            [sys.executable, "-m", keeper_module, os.fspath(place.var), str(lock)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,
            text=True,
        ) as keeper,
    ):
        for line in keeper.stdout or ():
            if line == "ready\n":
                return
            logger.info("%s", line.rstrip())
    raise OperationalError(f"The embedded PostgreSQL did not start. {_end_of(place.log)}")


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _end_of(log: Path) -> str:
    return f"The end of {log}:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-5:])
