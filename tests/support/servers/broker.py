"""The message broker of the tests: a real RabbitMQ, or Celery's in-memory transport without one."""

import os
from functools import cache

import pytest
from kombu.connection import Connection

from tests.support.skips import IN_CI

URL = os.environ.get("TEST_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//")
PLACE = URL.rsplit("@", maxsplit=1)[-1].rstrip("/")  # the rest is a password
NONE = f"NO RABBITMQ at {PLACE}"
_SECONDS = 30.0  # for a broker that accepts a connection and is slow to speak


@cache
def is_there() -> bool:
    """Whether the broker responds."""
    try:
        with Connection(URL, connect_timeout=_SECONDS) as connection:  # type: ignore[no-untyped-call]
            connection.connect()
    except OSError:
        return False
    return True


def require() -> None:
    """Skip the test where there is no broker."""
    if not is_there():
        pytest.skip(NONE)


def url_or_memory() -> str:
    """For tests that the in-memory transport is good enough for, where it is allowed."""
    if is_there():
        return URL
    if IN_CI:
        pytest.fail(NONE)
    return "memory://"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the transport that was used."""
    if is_there():
        terminalreporter.write_line(f"Message broker: RabbitMQ at {PLACE}.")
    else:
        terminalreporter.write_line(
            f"{NONE}: Celery was tested on its in-memory transport only, and the tests with real"
            " workers were skipped.",
            red=True,
            bold=True,
        )
