"""The tests' PostgreSQL in other sessions, and out of reach."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest
from django.db import OperationalError, connection

from tests.support.waiting import wait_until


@contextmanager
def another_session(**parameters: str) -> Iterator[Any]:
    """A cursor of a second session, as another server process has one; each statement commits."""
    ours = connection.get_connection_params()
    kept = {name: ours[name] for name in ours if name not in ("context", "cursor_factory")}
    second = psycopg2.connect(**kept | parameters)
    second.autocommit = True
    try:
        with second.cursor() as cursor:
            yield cursor
    finally:
        second.close()


@contextmanager
def threads_own_connection() -> Iterator[None]:
    """Close at the end the connection that Django opens for this thread."""
    try:
        yield
    finally:
        connection.close()


def is_reachable() -> bool:
    """Whether a new connection reaches it. PgBouncer lets us in also where it does not."""
    connection.close()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT")
    except OperationalError:
        return False
    else:
        return True
    finally:
        connection.close()


class Outage:
    """From ``begin`` to ``end`` the tests' database has no session and accepts none."""

    def __init__(self) -> None:
        self._name = connection.settings_dict["NAME"]

    def begin(self) -> None:
        with another_session(dbname="postgres") as cursor:
            cursor.execute(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS false')
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND usename = current_user",  # autovacuum is nobody's
                [self._name],
            )

    def end(self) -> None:
        with another_session(dbname="postgres") as cursor:
            cursor.execute(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS true')
        wait_until(is_reachable, "the database")


@pytest.fixture
def outage(transactional_db: None) -> Iterator[Outage]:
    """Over when the test is."""
    made = Outage()
    yield made
    made.end()
