"""The embedded PostgreSQL: started by the first process that uses it, stopped with the last,
whatever is killed.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from meeting_server.database.place import LONGEST_SOCKET_NAME, Place
from tests.server.embedded import ANSWER, PROJECT, Machine, environment, lives, wait_until

ROOT = os.geteuid() == 0
for_root = pytest.mark.skipif(not ROOT, reason="run as root, these tests change accounts")

# As nobody, who may read everything: the checkout, or Python itself, may be in root's home.
AS_NOBODY = (
    *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)
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
    assert machine.user().answer() == ANSWER
    return machine


def test_reading_settings_starts_nothing(folder: Path) -> None:
    program = "from django.db import connection; print(connection.settings_dict['NAME'], connection.vendor)"
    answer = subprocess.check_output(
        [sys.executable, "-c", program], cwd=PROJECT, env=environment(folder / "var")
    )
    assert answer == b"meeting_server postgresql\n"
    assert [path.name for path in (folder / "var").iterdir()] == ["secret-key"]


def test_the_first_user_starts_it_the_second_shares_it_the_last_stops_it(machine: Machine) -> None:
    first = machine.user()
    assert first.answer() == ANSWER
    postgres = machine.postgres()
    second = machine.user()
    assert second.answer() == ANSWER
    first.end()
    assert second.ask() == ANSWER
    assert machine.postgres() == postgres != 0
    assert len(machine.keepers()) == 1
    second.end()
    machine.wait_until_stopped()
    assert "database system is shut down" in machine.log()
    assert machine.said().count("First start: creating a PostgreSQL") == 1


def test_users_that_start_at_the_same_time_start_one_server(machine: Machine) -> None:
    users = [machine.user() for _ in range(4)]
    assert [user.answer() for user in users] == [ANSWER] * 4
    assert machine.log().count("starting PostgreSQL") == 1
    assert len(machine.keepers()) == 1


def test_a_user_that_comes_while_it_stops_waits_and_starts_it_again(machine: Machine) -> None:
    for _ in range(6):
        assert machine.user().answer() == ANSWER
        machine.users[-1].end()
    machine.wait_until_stopped()
    assert machine.log().count("starting PostgreSQL") >= 2


def test_a_killed_user_is_no_user_any_more(used: Machine) -> None:
    other = used.user()
    assert other.answer() == ANSWER
    used.users[0].kill()
    assert other.ask() == ANSWER
    other.end()
    used.wait_until_stopped()


def test_a_forked_worker_is_a_user(machine: Machine) -> None:
    worker = machine.user(program=PARENT_ENDS_CHILD_GOES_ON)
    assert worker.answer() == "forked"
    worker.process.wait()
    postgres = machine.postgres()
    assert machine.user().answer() == ANSWER
    machine.users[-1].end()
    assert machine.postgres() == postgres != 0
    worker.end()
    machine.wait_until_stopped()


def test_a_killed_postgres_comes_back_for_the_next_request(used: Machine) -> None:
    killed = used.postgres()
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not used.keepers(), "the end of the keeper")
    assert used.users[0].ask() == ANSWER
    assert used.postgres() not in {0, killed}
    assert "automatic recovery in progress" in used.log()


def test_a_killed_backend_costs_nobody_a_request(used: Machine) -> None:
    postgres = used.postgres()
    backend = [
        process
        for process in psutil.Process(postgres).children()
        if "meeting_server" in process.cmdline()[0]
    ]
    backend[0].kill()
    wait_until(lambda: "all server processes terminated" in used.log(), "PostgreSQL noticing")
    assert used.users[0].ask() == ANSWER
    assert used.postgres() == postgres


def test_a_killed_keeper_takes_postgres_with_it_and_both_come_back(used: Machine) -> None:
    os.kill(used.keepers()[0], signal.SIGKILL)
    used.wait_until_stopped()
    assert used.users[0].ask() == ANSWER
    assert len(used.keepers()) == 1
    used.users[0].end()
    used.wait_until_stopped()


def test_when_keeper_and_users_are_killed_nothing_is_left(used: Machine) -> None:
    for pid in [*used.keepers(), used.users[0].process.pid]:
        os.kill(pid, signal.SIGKILL)
    used.wait_until_stopped()


def test_when_everything_is_killed_it_starts_again(used: Machine) -> None:
    for pid in [*used.keepers(), used.postgres(), used.users[0].process.pid]:
        os.kill(pid, signal.SIGKILL)
    assert used.user().answer() == ANSWER


def test_a_pid_file_that_names_somebody_else_does_not_keep_it_from_starting(
    machine: Machine,
) -> None:
    assert machine.user().answer() == ANSWER
    owner = (machine.var / "postgres").stat()
    machine.users[0].end()
    machine.wait_until_stopped()
    options: dict[str, Any] = (
        {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if ROOT else {}
    )
    with subprocess.Popen(["sleep", "60"], **options) as other:
        for name in "postmaster.pid", ".s.PGSQL.5432.lock":
            (machine.var / "postgres" / name).write_text(f"{other.pid}\n{machine.var}/postgres\n")
        assert machine.user().answer() == ANSWER
        assert lives(other.pid)
        other.kill()


def test_ctrl_c_lets_a_worker_finish_with_the_database(used: Machine) -> None:
    used.users[0].kill(signal.SIGINT)
    assert used.users[0].end() == ANSWER
    used.wait_until_stopped()
    assert "interrupted" not in used.log()


def test_a_stop_of_all_processes_does_not_take_the_database_from_those_that_finish(
    used: Machine,
) -> None:
    postgres = used.postgres()
    os.kill(used.keepers()[0], signal.SIGTERM)
    assert used.users[0].ask() == ANSWER
    assert used.postgres() == postgres


@pytest.mark.parametrize(
    "name", ["with a space", 'comma, quote" and 中文', "/".join(["long" * 20] * 3)]
)
def test_a_path_may_be(folder: Path, name: str) -> None:
    machine = Machine(folder / name / "var")
    machine.var.mkdir(parents=True)
    assert machine.user().answer() == ANSWER
    socket = Place(machine.var).socket
    assert socket.is_socket()
    assert len(os.fsencode(socket)) <= LONGEST_SOCKET_NAME
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    machine.close()
    assert not socket.exists()
    assert socket.parent == machine.var / "postgres" or not socket.parent.exists()


def test_two_copies_run_side_by_side(used: Machine, folder: Path) -> None:
    other = Machine(folder / "other")
    assert other.user().answer() == ANSWER
    assert other.postgres() != used.postgres()
    other.close()
    assert used.users[0].ask() == ANSWER


def test_it_opens_no_port(used: Machine) -> None:
    connections = [
        c
        for c in psutil.Process(used.postgres()).net_connections(kind="inet")
        if c.status == "LISTEN"
    ]
    assert connections == []


def test_fifty_threads_connect_at_once(machine: Machine) -> None:
    assert machine.user(program=FIFTY_AT_ONCE).answer() == "50"


def test_what_the_server_refuses_is_not_asked_again(machine: Machine) -> None:
    assert machine.user(program=ABSENT_DATABASE).end() == ""
    assert 'database "absent" does not exist' in machine.said()


def test_what_is_no_database_is_left_alone_and_the_error_says_why(machine: Machine) -> None:
    (machine.var / "postgres").mkdir(parents=True)
    (machine.var / "postgres/letter.txt").write_text("keep me")
    user = machine.user()
    assert user.end() == ""
    assert "The embedded PostgreSQL did not start. The end of" in machine.said()
    assert "Directory not empty" in machine.said()
    assert (machine.var / "postgres/letter.txt").read_text() == "keep me"


def test_data_of_another_version_are_left_alone(machine: Machine) -> None:
    (machine.var / "postgres").mkdir(parents=True)
    (machine.var / "postgres/PG_VERSION").write_text("9\n")
    assert machine.user().end() == ""
    assert "is PostgreSQL 9's; the installed package has [16, 18]" in machine.said()


def test_an_interrupted_first_start_is_begun_again(machine: Machine) -> None:
    (machine.var / "postgres.new/base").mkdir(parents=True)
    assert machine.user().answer() == ANSWER
    assert not (machine.var / "postgres.new").exists()


def test_dbshell_starts_it_and_finds_its_psql(machine: Machine) -> None:
    program = (
        "from django.db import connection; connection.client.runshell(['-Atc', 'SELECT 6 * 7'])"
    )
    assert machine.user(program=program).end() == "42"


@for_root
@pytest.mark.skipif(
    not shutil.which("setpriv"), reason="no setpriv: the ordinary user's half is NOT TESTED"
)
def test_an_ordinary_user_needs_no_other_account(machine: Machine) -> None:
    nobody = pwd.getpwnam("nobody")
    machine.var.mkdir()
    os.chown(machine.var, nobody.pw_uid, nobody.pw_gid)
    assert machine.user(wrapper=AS_NOBODY).answer() == ANSWER
    assert psutil.Process(machine.postgres()).username() == "nobody"
    # Root comes later: the data stay whose they are.
    machine.users[0].end()
    machine.wait_until_stopped()
    assert machine.user().answer() == ANSWER
    assert psutil.Process(machine.postgres()).username() == "nobody"


@for_root
def test_for_root_it_runs_as_an_account_of_its_own_and_says_what_it_opens(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o700)
    machine = Machine(folder / "closed/var")
    machine.var.mkdir()
    assert machine.user().answer() == ANSWER
    assert psutil.Process(machine.postgres()).username() == "pgserver"
    assert stat.S_IMODE((folder / "closed").stat().st_mode) == 0o701
    assert (
        f"Opened for passing through (chmod o+x), for PostgreSQL's account: {folder}/closed\n"
        in machine.said()
    )
    machine.close()


@for_root
def test_a_socket_directory_of_somebody_else_is_refused(folder: Path) -> None:
    machine = Machine(folder / ("long" * 30) / "var")
    machine.var.mkdir(parents=True)
    socket_dir = Place(machine.var).socket_dir
    socket_dir.mkdir()
    os.chown(socket_dir, pwd.getpwnam("nobody").pw_uid, -1)
    assert machine.user().end() == ""
    assert f"{socket_dir} belongs to another account" in machine.said()
    machine.close()
    shutil.rmtree(socket_dir)
