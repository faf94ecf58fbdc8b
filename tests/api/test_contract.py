"""Each row of the contract's table of responses has its status and exactly its body."""

from typing import Any
from unittest.mock import ANY

import pytest
from django.db import connection
from pytest_django import Settings

from meeting_server.database import server
from meetings.models import Delivery, Meeting
from meetings.models.delivery import OPEN
from tests.api.conftest import Do, Refused
from tests.api.responses import body_of, contract_keys
from tests.conftest import Call
from tests.support.cast import BOB, CAROL
from tests.support.servers.database import another_session
from tests.support.servers.smtp_server import DROP, ScriptedSMTP

pytestmark = pytest.mark.django_db
NOT_FOUND = {"error": "Not found"}


def test_mail_accepted_for_one_person_is_result_1(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: "550 5.1.1 no such user"}
    response = call(meeting | {"uid": "m"})
    assert response.status_code == 200
    assert contract_keys(response) == {
        "result": 1,
        "uid": "m",
        "sequence": 0,
        "recipients": {BOB.address: "sent", CAROL.address: "failed"},
    }


@pytest.mark.parametrize("operation", ["send", "cancel"])
def test_duplicate_call_gets_the_first_response(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP, operation: str
) -> None:
    call(meeting | {"uid": "m"})
    body = meeting | {"uid": "m", "operation": operation}
    first = body_of(call(body))
    mails = len(mail_server.received)
    assert body_of(call(body)) == first
    assert first["result"] == 1
    assert len(mail_server.received) == mails


@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "451 4.3.0 later"])
def test_mail_refused_for_all_is_result_0_and_final(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP, reply: str
) -> None:
    mail_server.scripts["rcpt"] = reply
    response = call(meeting | {"uid": "m"})
    body = contract_keys(response)
    assert response.status_code == 200
    assert body == {
        "result": 0,
        "uid": "m",
        "error": ANY,
        "recipients": {BOB.address: "failed", CAROL.address: "failed"},
    }
    assert reply in body["error"]
    assert not Delivery.objects.filter(state__in=OPEN).exists()
    assert Meeting.objects.get().due_at is None


@pytest.mark.parametrize("operation", ["send", "update", "cancel"])
def test_call_that_cannot_finish_in_time_is_queued(
    call: Call,
    meeting: dict[str, Any],
    settings: Settings,
    mail_server: ScriptedSMTP,
    operation: str,
) -> None:
    sequence = 0 if operation == "send" else 1
    if sequence:
        call(meeting | {"uid": "m"})
    mails = len(mail_server.received)
    settings.MEETINGS_TIME_BUDGET = 0
    response = call(meeting | {"uid": "m", "operation": operation})
    assert response.status_code == 202
    assert contract_keys(response) == {
        "result": 1,
        "uid": "m",
        "sequence": sequence,
        "recipients": {BOB.address: "queued", CAROL.address: "queued"},
    }
    assert len(mail_server.received) == mails
    assert Meeting.objects.get().due_at is not None


@pytest.mark.parametrize("operation", ["send", "update", "cancel"])
def test_end_without_the_mail_servers_word_is_202(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP, operation: str
) -> None:
    if operation != "send":
        call(meeting | {"uid": "m"})
    mail_server.scripts["dot"] = DROP
    response = call(meeting | {"uid": "m", "operation": operation})
    assert response.status_code == 202
    assert set(body_of(response)["recipients"].values()) == {"queued"}


def test_end_without_a_word_on_what_is_over_is_202(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["dot"] = DROP
    response = call(meeting | {"start": "2020-03-02 10:00", "end": "2020-03-02 11:00"})
    assert response.status_code == 202
    assert set(body_of(response)["recipients"].values()) == {"failed"}


def test_recipients_are_those_who_are_invited_and_those_who_leave(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    call(meeting | {"uid": "m"})
    mail_server.scripts["rcpt"] = {"dan@example.org": "451 4.3.0 later"}
    people = {"required": ["bob@example.org", "dan@example.org"]}
    body = body_of(call({"operation": "update", "uid": "m", "receiver": people}))
    assert body["recipients"] == {
        BOB.address: "sent",
        "dan@example.org": "queued",
        CAROL.address: "sent",
    }
    body = body_of(call({"operation": "update", "uid": "m", "location": "Room 9"}))
    assert CAROL.address not in body["recipients"]


def test_cancel_of_a_meeting_that_nobody_was_told_of_warns(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["mail"] = "550 5.7.1 no"
    call(meeting | {"uid": "m"})
    response = call({"operation": "cancel", "uid": "m"})
    body = body_of(response)
    assert (response.status_code, body["result"]) == (200, 1)
    assert body["warnings"] == ["Nobody has to be told of this, so no mail was sent."]
    assert mail_server.received == []


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b" ", b"no JSON", b"[]", b"null", b'"text"', b"17", b'{"operation": ']
)
def test_body_without_parameters_is_not_found(call: Call, refused: Refused, raw: bytes) -> None:
    response = call(raw=raw)
    assert (response.status_code, refused(response)) == (404, NOT_FOUND)


@pytest.mark.parametrize("name", ["operation", "start", "end", "sender", "receiver", "subj"])
def test_missing_parameter_of_send_is_named(
    call: Call, meeting: dict[str, Any], refused: Refused, name: str
) -> None:
    del meeting[name]
    response = call(meeting)
    assert response.status_code == 400
    assert refused(response) == NOT_FOUND | {"fields": {name: ["This parameter is required."]}}


@pytest.mark.parametrize("operation", ["update", "cancel"])
def test_update_and_cancel_need_uid(
    call: Call, meeting: dict[str, Any], refused: Refused, operation: str
) -> None:
    response = call(meeting | {"operation": operation})
    assert response.status_code == 400
    assert refused(response) == NOT_FOUND | {"fields": {"uid": ["This parameter is required."]}}


@pytest.mark.parametrize("receiver", [{}, {"required": []}, {"resource": ["room@example.com"]}])
def test_send_without_person_lacks_its_receiver(
    call: Call, meeting: dict[str, Any], refused: Refused, receiver: Any
) -> None:
    response = call(meeting | {"receiver": receiver})
    assert response.status_code == 400
    assert refused(response) == NOT_FOUND | {"fields": {"receiver": [ANY]}}


def test_wrong_part_of_parameter_is_named(
    call: Call, meeting: dict[str, Any], refused: Refused
) -> None:
    response = call(meeting | {"repeat": {"FREQ": "DAILY", "COUNT": 0}})
    assert response.status_code == 400
    assert refused(response) == {"error": "Invalid parameters", "fields": {"repeat.COUNT": [ANY]}}


@pytest.mark.parametrize("operation", ["update", "cancel"])
def test_unknown_uid_is_not_found(call: Call, refused: Refused, operation: str) -> None:
    response = call({"operation": operation, "uid": "unknown"})
    assert response.status_code == 404
    assert refused(response) == NOT_FOUND | {"fields": {"uid": [ANY]}}


def test_call_that_contradicts_meeting_is_conflict(
    call: Call, send: Do, cancel: Do, meeting: dict[str, Any]
) -> None:
    send(uid="m")
    conflicts = [
        ("uid", meeting | {"uid": "m", "subj": "Another one"}),
        ("sender", {"operation": "update", "uid": "m", "sender": "carol@example.com"}),
        ("sender", {"operation": "cancel", "uid": "m", "sender": "carol@example.com"}),
    ]
    after_cancel = [
        ("uid", meeting | {"uid": "m"}),
        ("uid", {"operation": "update", "uid": "m", "subj": "x"}),
    ]
    for rows in (conflicts, after_cancel):
        for field, body in rows:
            response = call(body)
            assert response.status_code == 409, body
            assert body_of(response) == {"error": "Conflict", "fields": {field: [ANY]}}
        assert Meeting.objects.get().sequence == (0 if rows is conflicts else 1)
        cancel("m")


def test_call_without_key_is_unauthorized(
    call: Call, meeting: dict[str, Any], refused: Refused
) -> None:
    response = call(meeting, key=None)
    assert (response.status_code, refused(response)) == (401, {"error": "Unauthorized"})
    assert response["WWW-Authenticate"] == "Api-Key"


def test_sender_that_key_may_not_use_is_forbidden(
    call: Call, meeting: dict[str, Any], refused: Refused
) -> None:
    response = call(meeting | {"sender": "alice@example.org"})
    assert response.status_code == 403
    assert refused(response) == {"error": "Forbidden", "fields": {"sender": [ANY]}}


def test_only_body_over_the_limit_is_refused(
    call: Call, settings: Settings, refused: Refused
) -> None:
    settings.MEETINGS_MAX_BODY = 100
    at_limit = b'{"operation": "cancel"}'.ljust(100)
    assert call(raw=at_limit).status_code == 400
    response = call(raw=at_limit + b" ")
    assert (response.status_code, refused(response)) == (413, {"error": ANY})


def test_too_many_calls_are_told_when_to_retry(
    call: Call, settings: Settings, refused: Refused
) -> None:
    settings.MEETINGS_RATE = "2/day"
    assert [call({}).status_code for _ in range(2)] == [404, 404]
    response = call({})
    assert (response.status_code, refused(response)) == (429, {"error": ANY})
    assert 0 < int(response["Retry-After"]) <= 86_400


@pytest.mark.django_db(transaction=True)
def test_unreachable_database_is_service_unavailable(
    call: Call, meeting: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        broken.setitem(connection.settings_dict, "PORT", "1")
        broken.setattr(server, "PATIENCE", 0.0)
        connection.close()
        response = call(meeting)
    assert (response.status_code, body_of(response)) == (503, {"error": "Service unavailable"})
    assert not Meeting.objects.exists()


@pytest.mark.direct
@pytest.mark.django_db(transaction=True)
def test_terminated_session_is_service_unavailable(call: Call, meeting: dict[str, Any]) -> None:
    connection.ensure_connection()
    with another_session() as operator:
        operator.execute(
            "SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid]
        )
    response = call(meeting)
    assert (response.status_code, body_of(response)) == (503, {"error": "Service unavailable"})
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_closed_connection_is_service_unavailable(call: Call, meeting: dict[str, Any]) -> None:
    connection.ensure_connection()
    connection.connection.close()
    response = call(meeting)
    assert (response.status_code, body_of(response)) == (503, {"error": "Service unavailable"})
    connection.close()
