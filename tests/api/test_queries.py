"""A call makes a fixed number of queries, however many people are invited."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.api.conftest import Do
from tests.conftest import Call

pytestmark = pytest.mark.django_db

AssertQueries = Callable[[int], AbstractContextManager[Any]]
PEOPLE = [2, 200]


def receiver_of(count: int, domain: str = "example.org") -> dict[str, Any]:
    """A receiver of ``count`` people."""
    return {"required": [f"Person {number} <p{number}@{domain}>" for number in range(count)]}


@pytest.mark.parametrize("count", PEOPLE)
def test_send_makes_fifteen_queries(
    send: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    # The key takes one query. The turn and the transaction take two each: a begin and an end. In
    # between are the lock, the stored meeting, other clients' UIDs, five inserts, the outcome and
    # the response.
    with django_assert_num_queries(15):
        send(receiver=receiver_of(count))


@pytest.mark.parametrize("count", PEOPLE)
def test_duplicate_send_makes_ten_queries(
    send: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=receiver_of(count))
    with django_assert_num_queries(10):
        send(uid="m", receiver=receiver_of(count))


@pytest.mark.parametrize("count", PEOPLE)
def test_update_makes_fifteen_queries(
    send: Do, update: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=receiver_of(count))
    with django_assert_num_queries(15):
        update("m", subj="Another title")


@pytest.mark.parametrize("count", PEOPLE)
def test_new_list_adds_three_queries_and_one_per_cancel(
    send: Do, update: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=receiver_of(count))
    with django_assert_num_queries(18 + count):
        update("m", receiver=receiver_of(count, "example.net"))


@pytest.mark.parametrize("count", PEOPLE)
def test_cancel_adds_one_query_for_each_mail(
    send: Do, cancel: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    # Each person's CANCEL is a separate mail. Its outcome is recorded before the next one leaves.
    send(uid="m", receiver=receiver_of(count))
    with django_assert_num_queries(15 + count):
        cancel("m")


@pytest.mark.parametrize("count", PEOPLE)
def test_duplicate_cancel_makes_nine_queries(
    send: Do, cancel: Do, django_assert_num_queries: AssertQueries, count: int
) -> None:
    send(uid="m", receiver=receiver_of(count))
    cancel("m")
    with django_assert_num_queries(9):
        cancel("m")


def test_refused_body_queries_only_the_key(
    call: Call, meeting: dict[str, Any], django_assert_num_queries: AssertQueries
) -> None:
    with django_assert_num_queries(1):
        assert call(meeting | {"start": "x"}).status_code == 400
