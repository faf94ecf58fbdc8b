"""The limit of calls (MEETINGS_RATE), and that a refused call's body is not read."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from meetings.models import ApiKey
from tests.conftest import Call

pytestmark = pytest.mark.django_db


def new_key(**fields: Any) -> str:
    """The secret of a further key."""
    return ApiKey.objects.create_key(name="another", senders=["*@example.com"], **fields)[1]


def test_each_client_has_its_own_rate_limit(call: Call, settings: Settings) -> None:
    settings.MEETINGS_RATE = "1/day"
    other = new_key()
    responses = [call({}), call({}), call({}, key=other)]
    assert [response.status_code for response in responses] == [404, 429, 404]


def test_keys_of_one_client_share_its_rate_limit(call: Call, settings: Settings) -> None:
    settings.MEETINGS_RATE = "1/day"
    client = ApiKey.objects.get().client
    keys = [new_key(client=client) for _ in range(2)]
    assert [call({}, key=key).status_code for key in keys] == [404, 429]


def test_calls_without_key_share_one_rate_limit(call: Call, settings: Settings) -> None:
    settings.MEETINGS_LOOPBACK_WITHOUT_KEY = True
    settings.MEETINGS_RATE = "2/day"
    assert [call({}, key=None).status_code for _ in range(3)] == [404, 404, 429]


def test_call_with_wrong_key_is_not_counted(call: Call, secret: str, settings: Settings) -> None:
    settings.MEETINGS_RATE = "1/day"
    for wrong in (f"{secret}x", f"{secret.partition('.')[0]}.wrong", "wrong"):
        assert call({}, key=wrong).status_code == 401
    assert call({}).status_code == 404


class Body:
    """A body that is never read to its end, and remembers whether anybody began."""

    was_read = False

    def read(self, *_: object) -> bytes:
        self.was_read = True
        return b""

    readline = read


def call_with_gigabyte(**headers: str) -> tuple[int, bool]:
    """The status of the response, and whether the body was read."""
    body = Body()
    extra: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": str(10**9)}
    response = Client(headers=headers).generic(
        "POST", "/meeting_server/", b"{}", content_type="application/json", **extra
    )
    return response.status_code, body.was_read


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Api-Key wrong.wrong"}, {"Authorization": "Bearer x"}]
)
def test_body_of_refused_caller_is_not_read(headers: dict[str, str]) -> None:
    assert call_with_gigabyte(**headers) == (401, False)


def test_body_of_one_call_too_many_is_not_read(call: Call, secret: str, settings: Settings) -> None:
    settings.MEETINGS_RATE = "2/day"
    call({})
    key = f"Api-Key {secret}"
    assert call_with_gigabyte(Authorization=key) == (404, True)
    assert call_with_gigabyte(Authorization=key) == (429, False)
