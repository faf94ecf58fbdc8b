"""A call makes a fixed number of queries, however many people are invited.

One finds the key and its client. The others are LOOK, STORE, and a RECORD for each SMTP
transaction: tests/operations/delivery/test_statements.py.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from pytest_django import Settings

from meetings.operations.steps.sending.sender import current_lease
from tests.api.conftest import Do
from tests.conftest import Call

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("warm")]

AssertQueries = Callable[[int], AbstractContextManager[Any]]
PEOPLE = [1, 200]
KEY, LOOK, STORE, RECORD = 1, 1, 1, 1


@pytest.fixture
def warm(secret: str, settings: Settings) -> None:
    """A process that sends already, and a mail server that takes everybody at once."""
    current_lease()
    settings.MEETINGS_SMTP_RECIPIENTS = 200


def receiver_of(count: int, domain: str = "example.org") -> dict[str, Any]:
    """A receiver of ``count`` people."""
    return {"required": [f"Person {number} <p{number}@{domain}>" for number in range(count)]}


@pytest.mark.parametrize("count", PEOPLE)
def test_send_makes_four_queries(
    send: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    with django_assert_num_queries(KEY + LOOK + STORE + RECORD):
        send(receiver=receiver_of(count))


@pytest.mark.parametrize("count", PEOPLE)
def test_same_send_again_makes_three_queries(
    send: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=receiver_of(count))
    with django_assert_num_queries(KEY + LOOK + STORE):
        send(uid="m", receiver=receiver_of(count))


@pytest.mark.parametrize("count", PEOPLE)
def test_update_makes_four_queries(
    send: Do, update: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=receiver_of(count))
    with django_assert_num_queries(KEY + LOOK + STORE + RECORD):
        update("m", subj="Another title")


@pytest.mark.parametrize("count", PEOPLE)
def test_new_list_adds_one_query_for_each_cancel(
    send: Do, update: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=receiver_of(count))
    with django_assert_num_queries(KEY + LOOK + STORE + RECORD + count):
        update("m", receiver=receiver_of(count, "example.net"))


@pytest.mark.parametrize("count", PEOPLE)
def test_cancel_adds_one_query_for_each_mail(
    send: Do, cancel: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    # Each person's CANCEL is a separate mail. Its outcome is recorded before the next one leaves.
    send(uid="m", receiver=receiver_of(count))
    with django_assert_num_queries(KEY + LOOK + STORE + count):
        cancel("m")


@pytest.mark.parametrize("operation", ["send", "update", "cancel"])
def test_call_in_the_background_makes_three_queries(
    call: Call,
    send: Do,
    meeting: dict[str, Any],
    django_assert_num_queries: AssertQueries,
    operation: str,
) -> None:
    if operation != "send":
        send(uid="m")
    body = meeting | {"operation": operation, "uid": "m"}
    with django_assert_num_queries(KEY + LOOK + STORE):
        assert call(body, Prefer="respond-async").status_code == 202


def test_refused_body_queries_only_the_key(
    call: Call, meeting: dict[str, Any], django_assert_num_queries: AssertQueries
) -> None:
    with django_assert_num_queries(KEY):
        assert call(meeting | {"start": "x"}).status_code == 400
