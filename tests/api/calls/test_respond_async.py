"""A caller may prefer the response before the mail (RFC 7240 §4.1)."""

from typing import Any

import pytest

from meetings.models import ApiKey
from tests.api.conftest import Mails
from tests.api.responses import contract_keys
from tests.conftest import Call
from tests.support.cast import BOB, CAROL

pytestmark = pytest.mark.usefixtures("mails")


def test_respond_async_call_returns_before_mailing(
    call: Call, meeting: dict[str, Any], mails: Mails
) -> None:
    response = call(meeting | {"uid": "m"}, Prefer="respond-async")
    assert response.status_code == 202
    assert contract_keys(response) == {
        "result": 1,
        "uid": "m",
        "sequence": 0,
        "recipients": {BOB.address: "queued", CAROL.address: "queued"},
    }
    assert mails() == []


def test_prefer_header_may_list_respond_async(
    call: Call, mails: Mails, meeting: dict[str, Any]
) -> None:
    response = call(meeting, Prefer="wait=5, respond-async")
    assert (response.status_code, response.json()["result"]) == (202, 1)
    assert set(response.json()["recipients"].values()) == {"queued"}
    assert mails() == []


def test_key_may_always_respond_async(call: Call, mails: Mails, meeting: dict[str, Any]) -> None:
    ApiKey.objects.update(respond_async=True)
    assert call(meeting).status_code == 202
    assert mails() == []
