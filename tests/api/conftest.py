"""What the tests of the HTTP interface share: calls that must succeed, and refusals."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from meetings.models import Meeting
from tests.api.responses import body_of
from tests.conftest import Call
from tests.support.readers.mail import Invitation
from tests.support.servers.smtp_server import ScriptedSMTP

Do = Callable[..., dict[str, Any]]
Refused = Callable[[Any], dict[str, Any]]
Mails = Callable[[], list[Invitation]]
Last = Callable[[], Invitation]


@pytest.fixture
def client_with_key(secret: str) -> Client:
    """A client that may set what ``call`` does not: the method, the path and each header."""
    return Client(enforce_csrf_checks=True, headers={"Authorization": f"Api-Key {secret}"})


@pytest.fixture
def send(call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP) -> Do:
    """Send the meeting with these changes and return the body of the response."""

    def do(**changes: Any) -> dict[str, Any]:
        return _succeeded(call(meeting | changes))

    return do


@pytest.fixture
def update(call: Call) -> Do:
    """Update these fields of a meeting and return the body of the response."""

    def do(uid: str, **fields: Any) -> dict[str, Any]:
        return _succeeded(call({"operation": "update", "uid": uid, **fields}))

    return do


@pytest.fixture
def cancel(call: Call) -> Do:
    """Cancel a meeting and return the body of the response."""

    def do(uid: str, **fields: Any) -> dict[str, Any]:
        return _succeeded(call({"operation": "cancel", "uid": uid, **fields}))

    return do


@pytest.fixture
def last(mails: Mails) -> Last:
    """The newest mail."""
    return lambda: mails()[-1]


@pytest.fixture
def refused(mail_server: ScriptedSMTP, db: None) -> Refused:
    """Check that a call was refused and nothing stored or mailed, and return the body."""
    known = _state(mail_server)

    def check(response: Any) -> dict[str, Any]:
        assert 400 <= response.status_code < 500, response.content[:300]
        assert _state(mail_server) == known
        return body_of(response)

    return check


def _state(mail_server: ScriptedSMTP) -> tuple[Any, ...]:
    return list(Meeting.objects.values_list("uid", "sequence", "status")), len(mail_server.received)


def _succeeded(response: Any) -> dict[str, Any]:
    body = body_of(response)
    assert response.status_code == 200, body
    assert body["result"] == 1, body
    return body
