"""How often a call asks the database: a fixed number, however many people are invited."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.api.conftest import Do
from tests.support.smtp_server import ScriptedSMTP

pytestmark = pytest.mark.django_db

AssertQueries = Callable[[int], AbstractContextManager[Any]]
PEOPLE = [2, 200]


def invited(count: int, domain: str = "example.org") -> dict[str, Any]:
    """So many people."""
    return {"required": [f"Person {number} <p{number}@{domain}>" for number in range(count)]}


@pytest.mark.parametrize("count", PEOPLE)
def test_send_makes_fourteen_queries(
    send: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    # The key; the turn and its end; transaction and lock; is there one?; five inserts; the outcome;
    # the answer.
    with django_assert_num_queries(14):
        send(receiver=invited(count))


@pytest.mark.parametrize("count", PEOPLE)
def test_duplicate_send_makes_ten_queries(
    send: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=invited(count))
    with django_assert_num_queries(10):
        send(uid="m", receiver=invited(count))


@pytest.mark.parametrize("count", PEOPLE)
def test_update_makes_fifteen_queries(
    send: Do, update: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=invited(count))
    with django_assert_num_queries(15):
        update("m", subj="Another title")


@pytest.mark.parametrize("count", PEOPLE)
def test_new_list_adds_three_queries_and_one_per_cancel(
    send: Do, update: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=invited(count))
    with django_assert_num_queries(18 + count):
        update("m", receiver=invited(count, "example.net"))


@pytest.mark.parametrize("count", PEOPLE)
def test_cancel_adds_one_query_for_each_mail(
    send: Do, cancel: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    # Each person's CANCEL is a mail of its own, and its outcome is recorded before the next one
    # leaves.
    send(uid="m", receiver=invited(count))
    with django_assert_num_queries(15 + count):
        cancel("m")


@pytest.mark.parametrize("count", PEOPLE)
def test_duplicate_cancel_makes_nine_queries(
    send: Do, cancel: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=invited(count))
    cancel("m")
    with django_assert_num_queries(9):
        cancel("m")


def test_refused_body_queries_only_the_key(
    call: Callable[..., Any],
    meeting: dict[str, Any],
    mail_server: ScriptedSMTP,
    django_assert_num_queries: AssertQueries,
) -> None:
    with django_assert_num_queries(1):
        assert call(meeting | {"start": "x"}).status_code == 400
