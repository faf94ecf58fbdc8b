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
def test_a_send_asks_fourteen_times(
    send: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    # The key; the turn and its end; transaction and lock; is there one?; five inserts; the outcome;
    # the answer.
    with django_assert_num_queries(14):
        send(receiver=invited(count))


@pytest.mark.parametrize("count", PEOPLE)
def test_a_repeated_send_asks_ten_times(
    send: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=invited(count))
    with django_assert_num_queries(10):
        send(uid="m", receiver=invited(count))


@pytest.mark.parametrize("count", PEOPLE)
def test_an_update_asks_fifteen_times(
    send: Do, update: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=invited(count))
    with django_assert_num_queries(15):
        update("m", subj="Another title")


@pytest.mark.parametrize("count", PEOPLE)
def test_a_new_list_asks_three_times_more_for_the_list_and_once_for_each_cancel(
    send: Do, update: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=invited(count))
    with django_assert_num_queries(18 + count):
        update("m", receiver=invited(count, "example.net"))


@pytest.mark.parametrize("count", PEOPLE)
def test_a_cancel_asks_once_more_for_each_of_its_mails(
    send: Do, cancel: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    # Each person's CANCEL is a mail of its own, and its outcome is recorded before the next one
    # leaves.
    send(uid="m", receiver=invited(count))
    with django_assert_num_queries(15 + count):
        cancel("m")


@pytest.mark.parametrize("count", PEOPLE)
def test_a_repeated_cancel_asks_nine_times(
    send: Do, cancel: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=invited(count))
    cancel("m")
    with django_assert_num_queries(9):
        cancel("m")


def test_a_refusal_of_what_is_wrong_in_itself_asks_for_the_key_alone(
    call: Callable[..., Any],
    meeting: dict[str, Any],
    mail_server: ScriptedSMTP,
    django_assert_num_queries: AssertQueries,
) -> None:
    with django_assert_num_queries(1):
        assert call(meeting | {"start": "x"}).status_code == 400
