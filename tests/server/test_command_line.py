"""``manage.py`` without a usable database says what to do in one sentence, without a traceback."""

import subprocess
from pathlib import Path

import pytest

from tests.server.embedded import Machine, embedded_in
from tests.support.servers.processes import run

NEED_A_DATABASE = [
    "createsuperuser --no-input --username alice --email alice@example.com",
    "backlog",
    "deliver_mail",
    "clearsessions",
    "runserver --noreload",
]


def manage(command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return run(env, "manage.py", *command.split(), check=False)


@pytest.mark.parametrize("command", [*NEED_A_DATABASE, "showmigrations", "dbshell"])
def test_missing_database_is_one_sentence_and_creates_nothing(
    public_folder: Path, command: str
) -> None:
    result = manage(command, embedded_in(public_folder / "var"))
    assert result.returncode == 1
    assert result.stdout == ""
    [sentence] = result.stderr.splitlines()
    assert sentence.startswith(
        f"CommandError: There is no database in {public_folder}/var/postgres; run `"
    )
    assert f"VAR_DIR={public_folder}/var" in sentence
    assert "manage.py migrate`" in sentence
    assert [path.name for path in (public_folder / "var").iterdir()] == ["secret-key"]


@pytest.mark.parametrize("command", ["check", "backlog --help", "migrate --help"])
def test_what_needs_no_database_creates_none(public_folder: Path, command: str) -> None:
    assert manage(command, embedded_in(public_folder / "var")).returncode == 0
    assert [path.name for path in (public_folder / "var").iterdir()] == ["secret-key"]


def test_migrate_creates_the_database(machine: Machine) -> None:
    assert manage("migrate --verbosity 0", embedded_in(machine.var)).returncode == 0
    result = manage("backlog", embedded_in(machine.var))
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("command", [*NEED_A_DATABASE, "dumpdata"])
def test_unmigrated_database_is_one_sentence(empty_database: dict[str, str], command: str) -> None:
    result = manage(command, empty_database)
    assert result.returncode == 1
    [sentence] = result.stderr.splitlines()
    assert sentence.startswith("CommandError: The database is not migrated to this version")
    assert sentence.endswith("manage.py migrate`.")


def test_older_database_is_one_sentence(empty_database: dict[str, str]) -> None:
    assert manage("migrate --verbosity 0 contenttypes", empty_database).returncode == 0
    result = manage("backlog", empty_database)
    assert "is not migrated to this version; run `" in result.stderr


def test_traceback_is_shown_on_request(empty_database: dict[str, str]) -> None:
    assert "Traceback" in manage("backlog --traceback", empty_database).stderr


@pytest.mark.parametrize("command", ["createsuperuser", "migrate", "clearsessions"])
def test_unavailable_database_is_no_traceback(public_folder: Path, command: str) -> None:
    url = "postgres://alice:s3cret@127.0.0.1:9/meetings"
    result = manage(command, embedded_in(public_folder / "var") | {"DATABASE_URL": url})
    assert result.returncode == 1
    assert result.stderr.startswith("CommandError: The database is unavailable: connection to")
    assert "Traceback" not in result.stderr
    assert "s3cret" not in result.stderr


def test_failing_migrations_keep_their_traceback(empty_database: dict[str, str]) -> None:
    assert manage("migrate --fake --verbosity 0", empty_database).returncode == 0
    result = manage("migrate meetings zero", empty_database)
    assert result.returncode == 1
    assert '"meetings_' in result.stderr
    assert "Traceback" in result.stderr
    assert "run `" not in result.stderr
