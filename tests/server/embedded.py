"""Real processes that use an embedded PostgreSQL, for the tests of it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

PROJECT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 20.0

# Outside of these tests only "manage.py migrate" may.
MAY_CREATE = """
from meeting_server.database.base import DatabaseWrapper
DatabaseWrapper.may_create = True
"""

# Asks the database at its start, for each line that it reads, as a web worker does for each
# request, and at Ctrl-C.
PROGRAM = """
import sys
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils.log import configure_logging
configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)

def ask():
    close_old_connections()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user || ' of ' || current_database()")
        print(*cursor.fetchone(), flush=True)

try:
    ask()
    for line in sys.stdin:
        ask()
except KeyboardInterrupt:
    ask()
"""
ANSWER = "meeting_server of meeting_server"


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Poll until a deadline that no machine is too slow for."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for: {what}"
        time.sleep(0.02)


def free_port() -> int:
    """A port on which no program listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lives(pid: int) -> bool:
    """Whether the process runs. A zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class User:
    """One process that uses the database."""

    def __init__(self, var: Path, program: str = PROGRAM, wrapper: tuple[str, ...] = ()) -> None:
        self.said = (var.parent / f"{var.name}.stderr").open("ab")
        self.process = subprocess.Popen(
            [*wrapper, sys.executable, "-c", MAY_CREATE + program],
            cwd=PROJECT,
            env=environment(var),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            text=True,
            start_new_session=True,
        )

    def answer(self) -> str:
        """Return its next line, which is the database's answer."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def ask(self) -> str:
        """Let it ask the database again."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self) -> str:
        """Let it end by itself, and return the rest of its output."""
        return self.process.communicate(timeout=PATIENCE)[0].strip()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to its whole process group, as a terminal does for Ctrl-C."""
        os.killpg(self.process.pid, number)

    def close(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.said.close()


class Machine:
    """One VAR_DIR with its users, its keeper and its PostgreSQL."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.users: list[User] = []

    def user(self, **kwargs: Any) -> User:
        """Start a process that uses the database."""
        self.users.append(User(self.var, **kwargs))
        return self.users[-1]

    def postgres(self) -> int:
        """PostgreSQL's process id, or 0 if it does not run."""
        try:
            pid = int((self.var / "postgres/postmaster.pid").read_text().split("\n")[0])
        except FileNotFoundError:
            return 0
        return pid if lives(pid) else 0

    def keepers(self) -> list[int]:
        """The process ids of its keepers: one or none."""
        return [
            process.pid
            for process in psutil.process_iter(["cmdline"])
            if os.fspath(self.var) in (process.info["cmdline"] or []) and lives(process.pid)
            if "meeting_server.database.keeper" in process.info["cmdline"]
        ]

    def log(self) -> str:
        """PostgreSQL's log."""
        return (self.var / "postgres.log").read_text()

    def said(self) -> str:
        """The standard error of its users."""
        return (self.var.parent / f"{self.var.name}.stderr").read_text()

    def wait_until_stopped(self) -> None:
        """Wait for the end of PostgreSQL and of its keeper."""
        wait_until(
            lambda: not self.postgres() and not self.keepers(),
            "the end of PostgreSQL and its keeper",
        )

    def close(self) -> None:
        """End everything."""
        for user in self.users:
            user.close()
        self.wait_until_stopped()


def environment(var: Path) -> dict[str, str]:
    """The tests' own environment, with this VAR_DIR and the embedded database."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "LOG_LEVEL"}
    }
    return ours | {"DJANGO_SETTINGS_MODULE": "meeting_server.settings", "VAR_DIR": os.fspath(var)}
