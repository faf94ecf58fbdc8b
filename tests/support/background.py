"""Real processes of the background, on the tests' database, and something queued for them to
deliver.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection
from django.utils import timezone

from meetings.deadline import Deadline
from meetings.models import Delivery
from meetings.operations.send_meeting import send_meeting
from meetings.operations.steps.call import Actor, Send
from meetings.queries.standing import Standing
from tests.support.cast import meeting
from tests.support.smtp_server import ScriptedSMTP

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0


def queue(uid: str = "meeting-1") -> Standing:
    """Alice's meeting, stored for the background to mail."""
    command = Send(event=meeting(uid=uid), language="en")
    return send_meeting(command, Actor(name="tests"), now=timezone.now(), deadline=Deadline(0))


def states() -> list[str]:
    """The states of all deliveries, in order."""
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Poll; the deadline is far beyond what any of these events takes."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for: {what}"
        time.sleep(0.02)


def environment(mail_server: ScriptedSMTP, **more: str) -> dict[str, str]:
    """Of a process that uses the tests' database, and sends through ``mail_server``."""
    params = connection.get_connection_params()
    host = str(params.get("host", ""))
    url = (
        f"postgres:///{host}/{params['dbname']}"
        if host.startswith("/")
        else f"postgres://{host}/{params['dbname']}"
    )
    # libpq reads these for what the URL leaves out: a socket's path and a name do not both fit into
    # one.
    for name, key in {"PGUSER": "user", "PGPASSWORD": "password", "PGPORT": "port"}.items():
        if params.get(key):
            more.setdefault(name, str(params[key]))
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CELERY_")}
    return ours | {"DATABASE_URL": url, "EMAIL_URL": mail_server.url} | more


class Process:
    """One process of ours; what it writes is in ``said()``."""

    def __init__(self, log: Path, env: dict[str, str], *command: str) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=PROJECT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit code."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """Leave nothing of it behind."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
