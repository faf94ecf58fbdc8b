"""Databases to start from: none at all, an embedded one, one without tables."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.server.embedded import Machine
from tests.support.servers.environments import on_test_database
from tests.support.servers.smtp_server import ScriptedSMTP


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Not pytest's: that one is closed to other accounts again by every pytest which starts."""
    with tempfile.TemporaryDirectory(prefix="meeting-server-") as name:
        path = Path(name).resolve()
        path.chmod(0o755)
        yield path


@pytest.fixture
def machine(public_folder: Path) -> Iterator[Machine]:
    machine = Machine(public_folder / "var")
    yield machine
    machine.close()


@pytest.fixture
def empty_database(transactional_db: None, mail_server: ScriptedSMTP) -> Iterator[dict[str, str]]:
    """The environment of a process whose database has no table."""
    env = on_test_database(mail_server)
    server, _, ours = env["DATABASE_URL"].rpartition("/")
    name = f"{ours}_empty"  # tests that run at once have one each
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
        yield env | {"DATABASE_URL": f"{server}/{name}"}
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
