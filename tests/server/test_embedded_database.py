"""The embedded PostgreSQL starts with its first user and stops with its last."""

import os
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from meeting_server.database.place import LONGEST_SOCKET_NAME, Place
from tests.server.embedded import CONNECTED, Machine, embedded_in
from tests.support.servers.processes import lives, run
from tests.support.waiting import wait_until

ROOT = os.geteuid() == 0
FIFTY_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from django.db import connection
together = Barrier(50)

def ask(_):
    connection.ensure_connection()
    together.wait()
    connection.close()

with ThreadPoolExecutor(50) as pool:
    print(len(list(pool.map(ask, range(50)))))
"""
ABSENT_DATABASE = """
from django.db import connection
connection.settings_dict["NAME"] = "absent"
connection.ensure_connection()
"""
PARENT_ENDS_CHILD_GOES_ON = """
import os, sys
from django.db import connection
connection.ensure_connection()
connection.close()
if os.fork():
    os._exit(0)
print("forked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def used(machine: Machine) -> Machine:
    """A machine with one user, whose PostgreSQL runs."""
    assert machine.user().next_line() == CONNECTED
    return machine


def test_reading_settings_starts_nothing(public_folder: Path) -> None:
    program = (
        "from django.db import connection;"
        "print(connection.settings_dict['NAME'], connection.vendor)"
    )
    output = run(embedded_in(public_folder / "var"), "-c", program).stdout
    assert output == "meeting_server postgresql\n"
    assert [path.name for path in (public_folder / "var").iterdir()] == ["secret-key"]


def test_first_user_starts_it_and_last_user_stops_it(machine: Machine) -> None:
    first = machine.user()
    assert first.next_line() == CONNECTED
    postgres = machine.postgres()
    second = machine.user()
    assert second.next_line() == CONNECTED
    first.end()
    assert second.ask() == CONNECTED
    assert machine.postgres() == postgres != 0
    assert len(machine.keepers()) == 1
    second.end()
    machine.wait_until_stopped()
    assert "database system is shut down" in machine.log()
    assert machine.said().count("First start: creating a PostgreSQL") == 1


def test_simultaneous_users_start_one_server(machine: Machine) -> None:
    users = [machine.user() for _ in range(4)]
    assert [user.next_line() for user in users] == [CONNECTED] * 4
    assert machine.log().count("starting PostgreSQL") == 1
    assert len(machine.keepers()) == 1


def test_user_during_shutdown_starts_it_again(machine: Machine) -> None:
    for _ in range(6):
        assert machine.user().next_line() == CONNECTED
        machine.users[-1].end()
    machine.wait_until_stopped()
    assert machine.log().count("starting PostgreSQL") >= 2


def test_killed_user_does_not_count(used: Machine) -> None:
    other = used.user()
    assert other.next_line() == CONNECTED
    used.users[0].kill()
    assert other.ask() == CONNECTED
    other.end()
    used.wait_until_stopped()


def test_forked_worker_counts_as_a_user(machine: Machine) -> None:
    worker = machine.user(program=PARENT_ENDS_CHILD_GOES_ON)
    assert worker.next_line() == "forked"
    worker.process.wait()
    postgres = machine.postgres()
    assert machine.user().next_line() == CONNECTED
    machine.users[-1].end()
    assert machine.postgres() == postgres != 0
    worker.end()
    machine.wait_until_stopped()


def test_killed_postgres_restarts_with_the_next_request(used: Machine) -> None:
    killed = used.postgres()
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not used.keepers(), "the end of the keeper")
    assert used.users[0].ask() == CONNECTED
    assert used.postgres() not in {0, killed}
    assert "automatic recovery in progress" in used.log()


def test_killed_backend_fails_no_request(used: Machine) -> None:
    postgres = used.postgres()
    backend = [
        process
        for process in psutil.Process(postgres).children()
        if "meeting_server" in process.cmdline()[0]
    ]
    backend[0].kill()
    wait_until(lambda: "all server processes terminated" in used.log(), "PostgreSQL noticing")
    assert used.users[0].ask() == CONNECTED
    assert used.postgres() == postgres


def test_killed_keeper_ends_postgres_and_both_restart(used: Machine) -> None:
    os.kill(used.keepers()[0], signal.SIGKILL)
    used.wait_until_stopped()
    assert used.users[0].ask() == CONNECTED
    assert len(used.keepers()) == 1
    used.users[0].end()
    used.wait_until_stopped()


def test_killed_keeper_and_user_leave_no_process(used: Machine) -> None:
    for pid in [*used.keepers(), used.users[0].process.pid]:
        os.kill(pid, signal.SIGKILL)
    used.wait_until_stopped()


def test_it_starts_after_everything_was_killed(used: Machine) -> None:
    for pid in [*used.keepers(), used.postgres(), used.users[0].process.pid]:
        os.kill(pid, signal.SIGKILL)
    assert used.user().next_line() == CONNECTED


def test_pid_file_of_another_process_is_ignored(
    machine: Machine,
) -> None:
    assert machine.user().next_line() == CONNECTED
    owner = (machine.var / "postgres").stat()
    machine.users[0].end()
    machine.wait_until_stopped()
    options: dict[str, Any] = (
        {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if ROOT else {}
    )
    with subprocess.Popen(["sleep", "60"], **options) as other:
        for name in "postmaster.pid", ".s.PGSQL.5432.lock":
            (machine.var / "postgres" / name).write_text(f"{other.pid}\n{machine.var}/postgres\n")
        assert machine.user().next_line() == CONNECTED
        assert lives(other.pid)
        other.kill()


def test_ctrl_c_does_not_stop_it_before_its_users(used: Machine) -> None:
    used.users[0].kill(signal.SIGINT)
    assert used.users[0].end() == CONNECTED
    used.wait_until_stopped()
    assert "interrupted" not in used.log()


def test_sigterm_to_the_keeper_does_not_stop_it(
    used: Machine,
) -> None:
    postgres = used.postgres()
    os.kill(used.keepers()[0], signal.SIGTERM)
    assert used.users[0].ask() == CONNECTED
    assert used.postgres() == postgres


@pytest.mark.parametrize(
    "name", ["with a space", 'comma, quote" and 中文', "/".join(["long" * 20] * 3)]
)
def test_it_runs_in_a_folder_named(public_folder: Path, name: str) -> None:
    machine = Machine(public_folder / name / "var")
    machine.var.mkdir(parents=True)
    assert machine.user().next_line() == CONNECTED
    socket = Place(machine.var).socket
    assert socket.is_socket()
    assert len(os.fsencode(socket)) <= LONGEST_SOCKET_NAME
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    machine.close()
    assert not socket.exists()
    assert socket.parent == machine.var / "postgres" or not socket.parent.exists()


def test_two_copies_run_side_by_side(used: Machine, public_folder: Path) -> None:
    other = Machine(public_folder / "other")
    assert other.user().next_line() == CONNECTED
    assert other.postgres() != used.postgres()
    other.close()
    assert used.users[0].ask() == CONNECTED


def test_it_opens_no_tcp_port(used: Machine) -> None:
    connections = [
        c
        for c in psutil.Process(used.postgres()).net_connections(kind="inet")
        if c.status == "LISTEN"
    ]
    assert connections == []


def test_fifty_threads_connect_at_once(machine: Machine) -> None:
    assert machine.user(program=FIFTY_AT_ONCE).next_line() == "50"


def test_refused_connection_is_not_tried_again(machine: Machine) -> None:
    assert machine.user(program=ABSENT_DATABASE).end() == ""
    assert 'database "absent" does not exist' in machine.said()


def test_folder_with_other_files_is_refused(machine: Machine) -> None:
    (machine.var / "postgres").mkdir(parents=True)
    (machine.var / "postgres/letter.txt").write_text("keep me")
    user = machine.user()
    assert user.end() == ""
    assert "The embedded PostgreSQL did not start. The end of" in machine.said()
    assert "Directory not empty" in machine.said()
    assert (machine.var / "postgres/letter.txt").read_text() == "keep me"


def test_data_of_another_version_is_refused(machine: Machine) -> None:
    (machine.var / "postgres").mkdir(parents=True)
    (machine.var / "postgres/PG_VERSION").write_text("9\n")
    assert machine.user().end() == ""
    assert "is PostgreSQL 9's; the installed package has [16, 18]" in machine.said()


def test_interrupted_first_start_is_repeated(machine: Machine) -> None:
    (machine.var / "postgres.new/base").mkdir(parents=True)
    assert machine.user().next_line() == CONNECTED
    assert not (machine.var / "postgres.new").exists()


def test_dbshell_starts_it_and_finds_its_psql(machine: Machine) -> None:
    program = (
        "from django.db import connection; connection.client.runshell(['-Atc', 'SELECT 6 * 7'])"
    )
    assert machine.user(program=program).end() == "42"
