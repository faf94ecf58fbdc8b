"""A call needs a key, and a key speaks for its senders only."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from meetings.models import ApiKey, Meeting
from tests.api.conftest import Do, Mails, Refused
from tests.api.responses import body_of
from tests.conftest import Call
from tests.support.servers.smtp_server import ScriptedSMTP

pytestmark = pytest.mark.django_db


def new_key(**fields: Any) -> tuple[ApiKey, str]:
    """A key that may speak for every sender at example.com, and its secret."""
    key, secret = ApiKey.objects.create_key(
        **{"name": "another", "senders": ["*@example.com"]} | fields
    )
    assert isinstance(key, ApiKey)
    return key, str(secret)


def post(body: Any, address: str = "127.0.0.1", **headers: str) -> Any:
    """A call with only these headers from ``address``."""
    return Client(headers=headers, REMOTE_ADDR=address).post(
        "/meeting_server/", json.dumps(body).encode(), content_type="application/json"
    )


@pytest.mark.parametrize(
    "given",
    [
        "wrong",
        "wrong.wrong",
        "{secret}x",
        "{prefix}.wrong",
        "{prefix}",
        "",
        " ",
        "{secret} {secret}",
        "{secret},",
        "ключ",
        "\x00",
        "' OR 1=1 --",
        "x" * 5000,
        "." * 500,
    ],
)
@pytest.mark.parametrize("scheme", ["Api-Key ", "api-key ", "Bearer ", "Basic ", ""])
def test_wrong_or_malformed_key_is_unauthorized(
    secret: str, meeting: dict[str, Any], refused: Refused, scheme: str, given: str
) -> None:
    key = scheme + given.format(secret=secret, prefix=secret.partition(".")[0])
    response = post(meeting, Authorization=key)
    assert (response.status_code, refused(response)) == (401, {"error": "Unauthorized"})


@pytest.mark.parametrize(
    "fields", [{"revoked": True}, {"expiry_date": timezone.now() - timedelta(seconds=1)}]
)
def test_revoked_or_expired_key_is_unauthorized(
    call: Call, meeting: dict[str, Any], refused: Refused, fields: dict[str, Any]
) -> None:
    response = call(meeting, key=new_key(**fields)[1])
    assert (response.status_code, refused(response)) == (401, {"error": "Unauthorized"})


def test_key_works_until_it_expires(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    _, secret = new_key(expiry_date=timezone.now() + timedelta(minutes=1))
    assert call(meeting, key=secret).status_code == 200


@pytest.mark.parametrize(
    ("senders", "sender"),
    [
        (["*@example.com"], "alice@example.com"),
        (["ALICE@Example.com"], "Alice <alice@EXAMPLE.COM>"),
        (["bob@example.com", "alice@example.com"], "alice@example.com"),
        (["*"], "alice@anywhere.example"),
    ],
)
def test_key_speaks_for_its_senders(
    call: Call, meeting: dict[str, Any], mails: Mails, senders: list[str], sender: str
) -> None:
    _, secret = new_key(senders=senders)
    assert call(meeting | {"sender": sender}, key=secret).status_code == 200
    assert Meeting.objects.exists()
    assert mails()


@pytest.mark.parametrize(
    ("senders", "sender"),
    [
        (["*@example.com"], "alice@example.com.evil.example"),
        (["*@example.com"], "alice@sub.example.com"),
        (["*@example.com"], "bob@example.org"),
        (["alice@example.com"], "malice@example.com"),
        ([], "alice@example.com"),
    ],
)
def test_key_speaks_for_no_other_sender(
    call: Call, meeting: dict[str, Any], refused: Refused, senders: list[str], sender: str
) -> None:
    _, secret = new_key(senders=senders)
    response = call(meeting | {"sender": sender}, key=secret)
    assert (response.status_code, list(refused(response)["fields"])) == (403, ["sender"])


@pytest.mark.parametrize("given", [{}, {"sender": "alice@example.com"}])
@pytest.mark.parametrize("operation", ["update", "cancel"])
def test_key_that_lost_its_sender_changes_nothing(
    call: Call, send: Do, mail_server: ScriptedSMTP, operation: str, given: dict[str, str]
) -> None:
    uid = send()["uid"]
    ApiKey.objects.update(senders=["bob@example.com"])
    response = call({"operation": operation, "uid": uid, **given})
    assert (response.status_code, list(body_of(response)["fields"])) == (403, ["sender"])
    assert Meeting.objects.get().sequence == 0
    assert len(mail_server.received) == 1


def test_meeting_of_another_key_is_not_found(
    call: Call, send: Do, mail_server: ScriptedSMTP
) -> None:
    uid = send()["uid"]
    _, other = new_key()
    for operation in ("update", "cancel"):
        foreign = call({"operation": operation, "uid": uid}, key=other)
        unknown = call({"operation": operation, "uid": "unknown"}, key=other)
        assert (foreign.status_code, foreign.content) == (404, unknown.content)
    assert Meeting.objects.get().sequence == 0
    assert len(mail_server.received) == 1


def test_second_key_of_a_client_changes_its_meetings(call: Call, send: Do) -> None:
    uid = send()["uid"]
    _, secret = new_key(client=Meeting.objects.get().client)
    assert call({"operation": "cancel", "uid": uid}, key=secret).status_code == 200


def test_loopback_needs_key_unless_configured(
    meeting: dict[str, Any], mail_server: ScriptedSMTP, settings: Settings
) -> None:
    assert post(meeting).status_code == 401
    settings.MEETINGS_LOOPBACK_WITHOUT_KEY = True
    assert post(meeting).status_code == 200
    assert post(meeting, "127.8.9.10").status_code == 200
    assert post(meeting, "::1").status_code == 200


@pytest.mark.parametrize(
    "address", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "", "::", "unix:", "nonsense"]
)
def test_remote_caller_always_needs_key(
    meeting: dict[str, Any], refused: Refused, settings: Settings, address: str
) -> None:
    settings.MEETINGS_LOOPBACK_WITHOUT_KEY = True
    assert refused(post(meeting, address)) == {"error": "Unauthorized"}


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Server",
        "Forwarded",
        "X-Real-IP",
        "Via",
    ],
)
def test_caller_behind_local_proxy_needs_key(
    meeting: dict[str, Any], refused: Refused, settings: Settings, header: str
) -> None:
    settings.MEETINGS_LOOPBACK_WITHOUT_KEY = True
    assert refused(post(meeting, **{header: "127.0.0.1"})) == {"error": "Unauthorized"}
    assert refused(post(meeting, **{header: ""})) == {"error": "Unauthorized"}


def test_forged_proxy_header_makes_no_caller_local(
    meeting: dict[str, Any], refused: Refused, settings: Settings
) -> None:
    settings.MEETINGS_LOOPBACK_WITHOUT_KEY = True
    response = post(meeting, "192.0.2.1", **{"X-Forwarded-For": "127.0.0.1"})
    assert refused(response) == {"error": "Unauthorized"}


def test_wrong_key_is_refused_on_loopback_too(
    meeting: dict[str, Any], refused: Refused, settings: Settings
) -> None:
    settings.MEETINGS_LOOPBACK_WITHOUT_KEY = True
    assert refused(post(meeting, Authorization="Api-Key wrong.wrong")) == {"error": "Unauthorized"}


def test_local_and_keyed_meetings_are_separate(
    call: Call, send: Do, meeting: dict[str, Any], mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_LOOPBACK_WITHOUT_KEY = True
    keyed, local = send()["uid"], body_of(post(meeting))["uid"]
    assert post({"operation": "cancel", "uid": keyed}).status_code == 404
    assert call({"operation": "cancel", "uid": local}).status_code == 404


def test_key_appears_in_no_log_and_no_response(
    call: Call,
    meeting: dict[str, Any],
    secret: str,
    mail_server: ScriptedSMTP,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = f"{secret.partition('.')[0]}.guessed"
    mail_server.scripts["rcpt"] = "550 no"
    responses = [
        call(meeting),
        call(meeting | {"sender": "x@y.example"}),
        call(meeting | {"start": "x"}),
        call({"operation": "cancel", "uid": "x"}),
        call(raw=b"\xff"),
        call(meeting, key=wrong),
        call({}, Host="evil.example"),
        Client(headers={"Authorization": f"Api-Key {secret}"}).get("/meeting_server/x"),
    ]
    statuses = [response.status_code for response in responses]
    assert statuses == [200, 403, 400, 404, 404, 401, 400, 404]
    shown = [response.content.decode() + str(response.headers) for response in responses]
    for text in (caplog.text, *shown):
        assert secret.split(".")[1] not in text
        assert wrong not in text
