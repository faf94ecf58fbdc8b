"""A call that finds out that the mail server is to be left alone says so."""

from typing import Any

import pytest
from pytest_django import Settings

from meetings.models.outbox import server
from meetings.models.outbox.state import MOST_HANGS
from tests.api.responses import body_of
from tests.conftest import Call
from tests.support.cast import BOB, CAROL
from tests.support.servers.smtp_server import HANG, ScriptedSMTP

pytestmark = pytest.mark.django_db
BUSY = "421 4.7.0 too many connections"
LEFT_ALONE = ["The mail server takes no mail at present. What is queued leaves as soon as it does."]


@pytest.fixture(autouse=True)
def one_by_one(mail_server: ScriptedSMTP, settings: Settings) -> None:
    """Each person has a transaction: Bob has the first, Carol the second."""
    settings.MEETINGS_SMTP_RECIPIENTS = 1


def test_call_that_meets_a_server_without_room_is_warned(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: BUSY}
    response = call(meeting)
    assert response.status_code == 202
    body = body_of(response)
    assert body["recipients"] == {BOB.address: "queued", CAROL.address: "queued"}
    assert body["warnings"] == LEFT_ALONE


@pytest.mark.parametrize("moment", ["rcpt", "dot"])
def test_call_that_meets_the_third_hang_is_warned(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP, settings: Settings, moment: str
) -> None:
    settings.EMAIL_TIMEOUT = settings.MEETINGS_SMTP_LAST_REPLY = 0.05
    for _ in range(MOST_HANGS - 1):
        server.hung(lasted=30.0)
    mail_server.scripts[moment] = HANG
    response = call(meeting)
    assert response.status_code == 202
    assert body_of(response)["warnings"] == LEFT_ALONE


def test_call_that_told_somebody_is_warned_of_the_others(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: BUSY}
    response = call(meeting)
    assert response.status_code == 200
    body = body_of(response)
    assert body["recipients"] == {BOB.address: "sent", CAROL.address: "queued"}
    assert body["warnings"] == LEFT_ALONE


def test_call_whose_one_recipient_is_deferred_is_not_warned(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: "451 4.2.0 later"}
    body = body_of(call(meeting))
    assert body["recipients"] == {BOB.address: "sent", CAROL.address: "queued"}
    assert "warnings" not in body


def test_call_that_told_nobody_and_gives_up_is_not_warned(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = BUSY
    body = body_of(call(meeting | {"receiver": {"required": [BOB.address]}}))
    assert body["recipients"] == {BOB.address: "failed"}
    assert LEFT_ALONE[0] not in body.get("warnings", [])
