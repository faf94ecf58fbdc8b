"""The real thing: gunicorn on the embedded PostgreSQL, as ``make run`` starts it, and a mail server
on loopback.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.smtp_server import ScriptedSMTP

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "tests" / "e2e" / "page.txt"


@dataclass(frozen=True, slots=True)
class Server:
    """A running Meeting Server and the mail server it sends through."""

    url: str
    smtp: ScriptedSMTP

    def post(self, body: dict[str, Any], **headers: str) -> requests.Response:
        return requests.post(f"{self.url}/meeting_server/", json=body, headers=headers, timeout=30)


def page_examples() -> list[str]:
    """The two JSON examples of the page that old clients were written against, as they stand there."""
    return re.findall(
        r'^\{"start".*?^(?:"operation": "cancel"|"repeat": \{.*?\}\n)\}',
        PAGE.read_text(),
        re.DOTALL | re.MULTILINE,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_serves(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            requests.get(f"{url}/meeting_server/", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a fresh VAR_DIR; ended, and its database with it, when the tests are."""
    port = free_port()
    with ScriptedSMTP() as smtp:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")
        } | {
            "PORT": str(port),
            "VAR_DIR": str(tmp_path_factory.mktemp("a server")),
            "EMAIL_URL": smtp.url,
            "MEETINGS_LOOPBACK_WITHOUT_KEY": "true",
        }
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "meeting_server.wsgi"], cwd=ROOT, env=environment
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_it_serves(url, process)
            yield Server(url, smtp)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
