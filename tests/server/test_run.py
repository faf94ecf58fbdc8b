"""``make run``'s last line: web server and mail loop start together, and end together, however one
of them ends.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
import requests

from tests.server.embedded import lives
from tests.support.background import Process, environment, queue, states, wait_until
from tests.support.smtp_server import ScriptedSMTP


class Both(Process):
    """The two, and what started them."""

    url = ""

    def pid_of(self, what: str) -> int:
        """The process whose command ends so, and that was not forked from another such."""
        found = [child.pid for child in self.children() if what in " ".join(child.cmdline())]
        return min(found, default=0)

    def children(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def serves(self) -> bool:
        try:
            return requests.get(f"{self.url}/meeting_server/", timeout=5).status_code > 0
        except requests.ConnectionError:
            return False


@pytest.fixture
def both(transactional_db: None, mail_server: ScriptedSMTP, tmp_path: Path) -> Iterator[Both]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = environment(mail_server, PORT=str(port), WEB_CONCURRENCY="1")
    running = Both(tmp_path / "run.log", env, "-m", "meeting_server.run")
    running.url = f"http://127.0.0.1:{port}"
    try:
        wait_until(running.serves, "the web server")
        wait_until(lambda: running.pid_of("deliver_mail"), "the mail loop")
        yield running
    finally:
        left = running.children() if running.process.poll() is None else []
        running.close()
        for process in left:
            if lives(process.pid):
                process.kill()


def by_signal(number: int) -> Callable[[Both], None]:
    return lambda both: both.signal(number)


def by_kill(what: str) -> Callable[[Both], None]:
    return lambda both: os.kill(both.pid_of(what), signal.SIGKILL)


@pytest.mark.parametrize(
    ("stop", "exit_codes"),
    [
        pytest.param(by_signal(signal.SIGTERM), {0}, id="SIGTERM"),
        pytest.param(by_signal(signal.SIGINT), {0}, id="Ctrl-C"),
        pytest.param(by_kill("deliver_mail"), {247}, id="the mail loop dies"),
        pytest.param(by_kill("gunicorn"), {247}, id="the web server dies"),
    ],
)
def test_both_end_when_one_does_or_they_are_told_to(
    both: Both, stop: Callable[[Both], None], exit_codes: set[int]
) -> None:
    queue()
    wait_until(lambda: set(states()) == {"sent"}, "the mail loop's work")
    children = [child.pid for child in both.children()]
    assert len(children) >= 2
    stop(both)
    assert both.wait() in exit_codes
    wait_until(lambda: not [pid for pid in children if lives(pid)], "the end of all of them")


def test_make_run_ends_with_that_line() -> None:
    dry = subprocess.run(
        ["make", "--no-print-directory", "-n", "run"], capture_output=True, text=True, check=True
    )
    assert dry.stdout.splitlines()[-1].endswith("-m meeting_server.run")
