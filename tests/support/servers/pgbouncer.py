"""Debian's PgBouncer in transaction mode, before the PostgreSQL of the tests.

``python -m tests.wire`` starts the tests with TEST_POSTGRESQL in the environment: the socket's
folder and the port at which PostgreSQL itself listens. DATABASE_URL leads to PgBouncer then.
Databases are made and dropped without it, because it keeps connections to them.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import psycopg2
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.support.servers.ports import free_port
from tests.support.waiting import wait_until

PROGRAM = Path("/usr/sbin/pgbouncer")
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 50
query_wait_timeout = 5
max_client_conn = 1000
server_login_retry = 1
log_connections = 0
log_disconnections = 0
"""
DIRECT = "TEST_POSTGRESQL"


class PgBouncer:
    """Lets everybody on loopback in as ``user``. ``folder`` has its configuration and its log."""

    def __init__(self, folder: Path, *, host: Path, port: str, user: str) -> None:
        self.port = free_port()
        self.user = user
        file = folder / "pgbouncer.ini"
        file.write_text(
            CONFIGURATION.format(host=host, port=port, user=user, listen_port=self.port)
        )
        # It refuses to run as root. Only PostgreSQL's own account and root can enter its socket.
        owner = host.stat().st_uid if os.geteuid() == 0 else None
        with (folder / "pgbouncer.log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "-q", file],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=owner,
                extra_groups=None if owner is None else [],
            )

    def __enter__(self) -> Self:
        self.wait_until_it_responds()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def wait_until_it_responds(self) -> None:
        wait_until(self._responds, "PgBouncer")

    def url(self, database: str) -> str:
        """The ``database`` as a DATABASE_URL."""
        return f"postgres://{self.user}@127.0.0.1:{self.port}/{database}"

    def _responds(self) -> bool:
        assert self._process.poll() is None, "PgBouncer ended"
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(self.url("pgbouncer")).close()
            return True
        return False

    def close(self) -> None:
        """End it, and all connections through it."""
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Make the tests' database without PgBouncer."""
    if DIRECT in os.environ:
        _lead_to(*os.environ[DIRECT].rsplit(":", 1))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Go through PgBouncer while the tests run, and without it again to drop their database."""
    if DIRECT not in os.environ:
        yield
        return
    through = os.environ["DATABASE_URL"].rpartition("@")[2].partition("/")[0]
    _lead_to(*through.rsplit(":", 1))
    yield
    _lead_to(*os.environ[DIRECT].rsplit(":", 1))
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user"
            " AND pid <> pg_backend_pid()"
        )


def _lead_to(host: str, port: str) -> None:
    connection.close()
    connection.settings_dict |= {"HOST": host, "PORT": port}
