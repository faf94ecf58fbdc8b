"""Whom the embedded PostgreSQL runs as, and whom its files belong to."""

import os
import pwd
import shutil
import stat
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from meeting_server.database.place import Place
from tests.server.embedded import CONNECTED, Machine

for_root = pytest.mark.skipif(os.geteuid() != 0, reason="run as root, these tests change accounts")

# The account nobody, allowed to read everything, because Python may be in root's home.
AS_NOBODY = (
    *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)


@for_root
@pytest.mark.skipif(
    not shutil.which("setpriv"), reason="no setpriv: the ordinary user's half is NOT TESTED"
)
def test_ordinary_user_needs_no_other_account(machine: Machine) -> None:
    nobody = pwd.getpwnam("nobody")
    machine.var.mkdir()
    os.chown(machine.var, nobody.pw_uid, nobody.pw_gid)
    assert machine.user(wrapper=AS_NOBODY).next_line() == CONNECTED
    assert psutil.Process(machine.postgres()).username() == "nobody"
    # Root comes later: the data stay whose they are.
    machine.users[0].end()
    machine.wait_until_stopped()
    assert machine.user().next_line() == CONNECTED
    assert psutil.Process(machine.postgres()).username() == "nobody"


@for_root
def test_root_runs_it_as_a_system_account(public_folder: Path) -> None:
    (public_folder / "closed").mkdir(mode=0o700)
    machine = Machine(public_folder / "closed/var")
    machine.var.mkdir()
    assert machine.user().next_line() == CONNECTED
    assert psutil.Process(machine.postgres()).username() == "pgserver"
    assert stat.S_IMODE((public_folder / "closed").stat().st_mode) == 0o701
    opened = "Opened for passing through (chmod o+x), for PostgreSQL's account"
    assert f"{opened}: {public_folder}/closed\n" in machine.said()
    machine.close()


@for_root
def test_socket_directory_of_another_account_is_refused(public_folder: Path) -> None:
    machine = Machine(public_folder / ("long" * 30) / "var")
    machine.var.mkdir(parents=True)
    socket_dir = Place(machine.var).socket_dir
    socket_dir.mkdir()
    os.chown(socket_dir, pwd.getpwnam("nobody").pw_uid, -1)
    assert machine.user().end() == ""
    assert f"{socket_dir} belongs to another account" in machine.said()
    machine.close()
    shutil.rmtree(socket_dir)
