"""Calls, in a test database of its own, to a mail server on loopback."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.conf import settings
from django.test import Client
from django.test.utils import get_runner, override_settings

from meetings.operations.steps.sending.threads import sender_threads
from tests.bench.sink import mail_server
from tests.bench.timing import BODY
from tests.support.waiting import PATIENCE


@contextmanager
def site() -> Iterator[None]:
    """The database and the mail server. Both are gone afterwards."""
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        with (
            mail_server() as port,
            override_settings(
                EMAIL_BACKEND="meetings.transport.smtp.backend.EmailBackend",
                EMAIL_HOST="127.0.0.1",
                EMAIL_PORT=port,
                MEETINGS_LOOPBACK_WITHOUT_KEY=True,
                ALLOWED_HOSTS=["testserver"],
            ),
        ):
            yield
    finally:
        # Each has a connection to the database, which could not be dropped.
        sender_threads.finish(PATIENCE)
        runner.teardown_databases(databases)


@cache
def _client() -> Client:
    """One for all calls. Each new one would load the middleware again, as no server does."""
    return Client()


def call(**changes: Any) -> None:
    """POST the body with ``changes``; a value of None leaves a field out."""
    body = {name: value for name, value in (BODY | changes).items() if value is not None}
    response = _client().post("/meeting_server/", body, "application/json")
    assert response.json()["result"] == 1, response.content


def calls_of_one_meeting(times: int) -> dict[str, float]:
    """Mean milliseconds of a send, its update and its cancel, each mailed to one person."""
    one = {"receiver": {"required": ["Bob <bob@example.org>"]}, "repeat": None}
    spent = dict.fromkeys(("send", "update", "cancel"), 0.0)
    for number in range(-times // 10, times):
        for operation in spent:
            begin = time.perf_counter()
            call(operation=operation, uid=f"one-{number}", subj=f"{operation} {number}", **one)
            if number >= 0:  # the first are to warm up
                spent[operation] += time.perf_counter() - begin
    return {operation: seconds * 1000 / times for operation, seconds in spent.items()}
