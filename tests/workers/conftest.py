"""Celery as the application has it, on a queue of the tests, and real workers."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from meeting_server.celery import app
from tests.support.servers import broker
from tests.support.servers.environments import on_test_database
from tests.support.servers.processes import Process
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.waiting import wait_until

Start = Callable[..., Process]
CELERY = ("-m", "celery", "-A", "meeting_server")
COMMANDS = {
    "worker": (*CELERY, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle"),
    "beat": (*CELERY, "beat", "--loglevel", "INFO"),
}


class Queue:
    """The tests' queue."""

    def __init__(self, name: str) -> None:
        self.name = name

    def declare(self) -> None:
        """Create it, empty."""
        with app.connection_for_write() as connection:
            queue = app.amqp.queues[self.name](connection.default_channel)
            queue.declare()
            queue.purge()

    def purge(self) -> int:
        """Throw away the pending tasks. Returns how many."""
        with app.connection_for_write() as connection:
            return int(app.amqp.queues[self.name](connection.default_channel).purge() or 0)

    def delete(self) -> None:
        with app.connection_for_write() as connection:
            queue = app.amqp.queues[self.name](connection.default_channel)
            queue.delete()
            queue.exchange(connection.default_channel).delete()

    def take(self) -> tuple[str, list[Any]] | None:
        """The name and the arguments of the next task."""
        with app.connection_for_read() as connection:
            message = app.amqp.queues[self.name](connection.default_channel).get(no_ack=True)
            return (message.headers["task"], message.decode()[0]) if message else None


@pytest.fixture(scope="session")
def _own_queue() -> Iterator[Queue]:
    name = f"meetings-tests-{uuid.uuid4().hex[:8]}"
    app.conf.broker_url = broker.url_or_memory()
    app.conf.task_default_queue = name
    queue = Queue(name)
    yield queue
    queue.delete()
    app.pool.force_close_all()


@pytest.fixture
def tasks(_own_queue: Queue, settings: Settings) -> Queue:
    """The queue, empty, and calls that publish to it."""
    # On a busy machine a worker may take a task later than the broker keeps it for the next sweep.
    settings.MEETINGS_LEASE = 600.0
    settings.MEETINGS_WAKE = "meetings.operations.steps.publisher.publish"
    _own_queue.declare()
    return _own_queue


@pytest.fixture
def start_worker(
    tasks: Queue, transactional_db: None, mail_server: ScriptedSMTP, tmp_path: Path
) -> Iterator[Start]:
    """Start a worker and wait until it is ready, or start beat. All end with the test."""
    broker.require()
    own = {
        "CELERY_BROKER_URL": broker.URL,
        "CELERY_TASK_DEFAULT_QUEUE": tasks.name,
        "WORKER_THREADS": "2",
        "LOG_LEVEL": "INFO",
    }
    with ExitStack() as running:
        numbers = count()

        def start(role: str = "worker", **more: str) -> Process:
            env = on_test_database(mail_server, **own | more)
            log = tmp_path / f"{role}-{next(numbers)}.log"
            process = running.enter_context(Process(log, env, *COMMANDS[role]))
            if role == "worker":  # a task that no worker takes for a while is left to the sweep
                wait_until(lambda: " ready." in process.said(), "the worker")
            return process

        yield start
