"""Real processes that use an embedded PostgreSQL, for the tests of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from tests.support.servers.environments import environment
from tests.support.servers.processes import PROJECT, lives, pid_in
from tests.support.waiting import PATIENCE, wait_until

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
CONNECTED = "meeting_server of meeting_server"


class User:
    """One process that uses the database."""

    def __init__(self, var: Path, program: str = PROGRAM, wrapper: tuple[str, ...] = ()) -> None:
        self.said = (var.parent / f"{var.name}.stderr").open("ab")
        self.process = subprocess.Popen(
            [*wrapper, sys.executable, "-c", MAY_CREATE + program],
            cwd=PROJECT,
            env=embedded_in(var),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            text=True,
            start_new_session=True,
        )

    def next_line(self) -> str:
        """Wait for its next line of output, and return that."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def ask(self) -> str:
        """Let it ask the database again."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.next_line()

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
        return pid_in(self.var / "postgres/postmaster.pid")

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


def embedded_in(var: Path) -> dict[str, str]:
    """The environment of a process that uses the embedded database of this VAR_DIR."""
    settings = {"DJANGO_SETTINGS_MODULE": "meeting_server.settings", "VAR_DIR": os.fspath(var)}
    return environment(**settings)
