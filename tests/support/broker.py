"""The message broker of the tests: a real RabbitMQ, or Celery's in-memory transport, loudly, where
there is none.
"""

import os
from functools import cache

import pytest
from kombu.connection import Connection

URL = os.environ.get("TEST_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//")
MEMORY = "memory://"


@cache
def is_there() -> bool:
    """Whether the broker answers."""
    try:
        with Connection(URL, connect_timeout=2) as connection:  # type: ignore[no-untyped-call]
            connection.connect()
    except OSError:
        return False
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it where nobody overlooks it."""
    if not is_there():
        terminalreporter.write_line(
            f"NO RABBITMQ at {URL.rsplit('@', maxsplit=1)[-1]}: Celery was tested on its in-memory transport only, and"
            " the tests with real workers were skipped.",
            red=True,
            bold=True,
        )
