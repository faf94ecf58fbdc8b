"""``make run``: the web server and the mail loop start and end together."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from django.contrib.auth.models import User

from tests.server.embedded import Machine, embedded_in
from tests.support.callers import is_served
from tests.support.servers.environments import environment, on_test_database
from tests.support.servers.ports import free_port
from tests.support.servers.processes import PROJECT, Process, children, command_of, lives, run
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import queue
from tests.support.waiting import PATIENCE, wait_until

ALICE = {
    "DJANGO_SUPERUSER_USERNAME": "alice",
    "DJANGO_SUPERUSER_EMAIL": "alice@example.com",
    "DJANGO_SUPERUSER_PASSWORD": "correct horse",
}


class Both(Process):
    """The two, and what started them."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = env | {"PORT": str(self.port), "WEB_CONCURRENCY": "1"}
        super().__init__(folder / "run.log", self.env, "-m", "meeting_server.run")

    def pid_of(self, what: str) -> int:
        """The process whose command ends so, and that was not forked from another such."""
        return min((pid for pid in self.children() if what in command_of(pid)), default=0)

    def children(self) -> list[int]:
        return children(self.process.pid)

    def wait_until_it_serves(self) -> None:
        wait_until(lambda: is_served(self.port), "the web server")
        wait_until(lambda: self.pid_of("deliver_mail"), "the mail loop")

    def printed(self, command: str) -> str:
        """The command that it printed for people."""
        [line] = [
            line for line in self.said().splitlines() if line.endswith(f"manage.py {command}")
        ]
        return line.partition(": ")[2]

    def close(self) -> None:
        left = self.children()
        super().close()
        for pid in filter(lives, left):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def both(transactional_db: None, mail_server: ScriptedSMTP, tmp_path: Path) -> Iterator[Both]:
    """On the tests' database, whose URL has a password."""
    env = on_test_database(mail_server, VAR_DIR=os.fspath(tmp_path / "var"))
    account = f"{env.get('PGUSER', '')}:{env.setdefault('PGPASSWORD', 's3cret')}"
    with_password = env["DATABASE_URL"].replace("://", f"://{account}@", 1)
    running = Both(tmp_path, env | {"DATABASE_URL": with_password})
    try:
        running.wait_until_it_serves()
        yield running
    finally:
        running.close()


@pytest.fixture
def first(machine: Machine, tmp_path: Path) -> Iterator[Both]:
    """The first start in a folder."""
    running = Both(tmp_path, embedded_in(machine.var))
    try:
        running.wait_until_it_serves()
        yield running
    finally:
        running.close()


def paste(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it in a shell that knows nothing of where the server runs."""
    ours = environment()
    ours.pop("VAR_DIR", None)
    return subprocess.run(
        ["sh", "-c", f"{command} --no-input"],
        cwd=PROJECT,
        env=ours | ALICE | variables,
        capture_output=True,
        text=True,
        check=False,
    )


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
def test_both_processes_end_together(
    both: Both, stop: Callable[[Both], None], exit_codes: set[int]
) -> None:
    queue()
    wait_until(lambda: set(states()) == {"sent"}, "the mail loop's work")
    started = both.children()
    assert len(started) >= 2
    stop(both)
    assert both.wait() in exit_codes
    wait_until(lambda: not any(map(lives, started)), "the end of all of them")


def test_make_run_ends_with_that_line() -> None:
    dry = subprocess.run(
        ["make", "--no-print-directory", "-n", "run"], capture_output=True, text=True, check=True
    )
    assert dry.stdout.splitlines()[-1].endswith("-m meeting_server.run")


def test_printed_command_makes_an_account_of_this_server(first: Both, machine: Machine) -> None:
    result = paste(first.printed("createsuperuser"))
    assert (result.returncode, result.stderr) == (0, "")
    with requests.Session() as browser:
        form = browser.get(f"{first.url}/", timeout=PATIENCE)
        fields = {
            "username": ALICE["DJANGO_SUPERUSER_USERNAME"],
            "password": ALICE["DJANGO_SUPERUSER_PASSWORD"],
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }
        page = browser.post(form.url, data=fields, timeout=PATIENCE)
    assert page.url == f"{first.url}/admin/"
    assert machine.log().count("starting PostgreSQL") == 1


def test_printed_command_works_where_the_url_is_known(both: Both) -> None:
    command = both.printed("createsuperuser")
    known = {name: both.env[name] for name in both.env if name.startswith(("PG", "DATABASE_URL"))}
    assert paste(command, **known).returncode == 0
    assert User.objects.get().username == "alice"


def test_printed_command_refuses_where_the_url_is_unknown(both: Both) -> None:
    result = paste(both.printed("createsuperuser"))
    assert result.returncode != 0
    assert "DATABASE_URL" in result.stderr
    assert not User.objects.exists()


def test_no_password_is_printed(both: Both) -> None:
    assert both.env["PGPASSWORD"] in both.env["DATABASE_URL"]
    assert both.env["PGPASSWORD"] not in both.said()


@pytest.mark.parametrize("port", ["taken", "http", "70000"])
def test_a_port_that_cannot_be_used_is_one_sentence(public_folder: Path, port: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        if port == "taken":
            port = str(other.getsockname()[1])
        env = embedded_in(public_folder / "var") | {"PORT": port}
        result = run(env, "-m", "meeting_server.run", check=False)
    assert (result.returncode, result.stdout) == (1, "")
    [sentence] = result.stderr.splitlines()
    assert port in sentence
    assert not (public_folder / "var").exists()
