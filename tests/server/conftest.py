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
def folder() -> Iterator[Path]:
    """Not pytest's: that one is closed to other accounts again by every pytest which starts."""
    with tempfile.TemporaryDirectory(prefix="meeting-server-") as name:
        path = Path(name).resolve()
        path.chmod(0o755)
        yield path


@pytest.fixture
def machine(folder: Path) -> Iterator[Machine]:
    machine = Machine(folder / "var")
    yield machine
    machine.close()


@pytest.fixture
def empty_database(transactional_db: None, mail_server: ScriptedSMTP) -> Iterator[dict[str, str]]:
    """The environment of a process whose database has no table."""
    env = on_test_database(mail_server)
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS unmigrated")
        cursor.execute("CREATE DATABASE unmigrated")
        yield env | {"DATABASE_URL": env["DATABASE_URL"].rpartition("/")[0] + "/unmigrated"}
        cursor.execute("DROP DATABASE unmigrated WITH (FORCE)")
