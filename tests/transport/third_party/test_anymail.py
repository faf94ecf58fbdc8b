"""Providers' backends of anymail: its own test backend, and two real ones with the wire cut off."""

import base64
import io
import json
import logging
from typing import Any

import pytest
import requests
from anymail.backends.postmark import EmailBackend as Postmark
from anymail.backends.sendgrid import EmailBackend as SendGrid
from anymail.backends.test import EmailBackend as AnymailTest
from anymail.backends.test import TestPayload as AnymailPayload
from anymail.message import AnymailRecipientStatus
from django.core import mail
from pytest_django import Settings

from meetings.transport.outcome import SendStatus
from tests.transport.conftest import ICS
from tests.transport.door import (
    ALICE,
    BOB,
    BOTH_REFUSED,
    BOTH_SENT,
    CAROL,
    send,
    statuses,
    use,
)


class Reporting(AnymailTest):  # type: ignore[misc]
    """A provider that gives each recipient the status that a test wants."""

    statuses: dict[str, str | None] = {}

    def post_to_esp(self, payload: Any, message: Any) -> Any:
        super().post_to_esp(payload, message)
        return {
            "recipient_status": {
                address: AnymailRecipientStatus(message_id="1", status=status)
                for address, status in self.statuses.items()
            }
        }


class TextAndHtmlOnly(AnymailPayload):  # type: ignore[misc]
    """Most providers: no other alternative, and an envelope sender of the provider's choice."""

    def add_alternative(self, content: str, mimetype: str) -> None:
        self.unsupported_feature(f"alternative part with type '{mimetype}'")

    def set_envelope_sender(self, email: Any) -> None:
        self.unsupported_feature("envelope_sender")


class PlainProvider(AnymailTest):  # type: ignore[misc]
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(payload_class=TextAndHtmlOnly, **kwargs)


class NoHeaders(TextAndHtmlOnly):
    def set_extra_headers(self, headers: Any) -> None:
        self.unsupported_feature("extra_headers")


class NoHeadersProvider(AnymailTest):  # type: ignore[misc]
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(payload_class=NoHeaders, **kwargs)


@pytest.fixture(autouse=True)
def outbox() -> None:
    mail.outbox = []


def params() -> dict[str, Any]:
    """What the one mail handed to the provider's API."""
    message: Any
    [message] = mail.outbox
    return dict(message.anymail_test_params)


def test_status_of_each_recipient_is_the_provider_s(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, invitation: bytes
) -> None:
    reported = {
        "A@x.org": "sent",
        "b@x.org": "queued",
        "c@x.org": "rejected",
        "d@x.org": "failed",
        "e@x.org": "invalid",
        "f@x.org": "unknown",
    }
    use(settings, Reporting)
    monkeypatch.setattr(Reporting, "statuses", reported)
    outcomes = send(invitation, *(address.lower() for address in reported), "g@x.org")
    expected = [SendStatus.SENT] * 2 + [SendStatus.REFUSED] * 3 + [SendStatus.UNKNOWN] * 2
    assert statuses(outcomes) == expected
    assert outcomes["c@x.org"].reply == "the mail provider says: rejected"


def test_recipients_are_refused_if_all_were_rejected(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, invitation: bytes
) -> None:
    use(settings, Reporting)
    monkeypatch.setattr(Reporting, "statuses", {BOB: "rejected", CAROL: "invalid"})
    assert statuses(send(invitation)) == BOTH_REFUSED


def test_provider_that_can_express_all_gets_all(settings: Settings, invitation: bytes) -> None:
    use(settings, AnymailTest)
    assert statuses(send(invitation, envelope_from="bounces@example.com")) == BOTH_SENT
    given = params()
    assert given["envelope_sender"] == "bounces@example.com"
    assert str(given["from"]) == "Alice Arnold <alice@example.com>"
    assert given["alternatives"] == [(ICS, "text/calendar; method=REQUEST")]
    assert given["html_body"] == "<p>周会</p>\n"
    assert given["extra_headers"]["Message-ID"] == "<1@example.com>"
    assert "attachments" not in given


@pytest.mark.parametrize("ignore", [False, True], ids=["strict", "ignores unsupported features"])
@pytest.mark.parametrize("envelope_from", [ALICE, "bounces@example.com"])
def test_plain_provider_gets_the_calendar_attached(
    ignore: bool,
    envelope_from: str,
    settings: Settings,
    invitation: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    use(settings, PlainProvider)
    settings.ANYMAIL = {"IGNORE_UNSUPPORTED_FEATURES": ignore}
    assert statuses(send(invitation, envelope_from=envelope_from)) == BOTH_SENT
    given = params()
    assert "alternatives" not in given
    [attachment] = given["attachments"]
    assert attachment.content_bytes == ICS.encode()
    assert attachment.content_type == 'text/calendar; method="REQUEST"; charset="utf-8"'
    assert str(given["from"]) == "Alice Arnold <alice@example.com>"
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_strict_provider_without_headers_sends_nothing(
    settings: Settings, invitation: bytes
) -> None:
    use(settings, NoHeadersProvider)
    assert statuses(send(invitation)) == BOTH_REFUSED
    assert mail.outbox == []


def test_lenient_provider_without_headers_sends_it(settings: Settings, invitation: bytes) -> None:
    use(settings, NoHeadersProvider)
    settings.ANYMAIL = {"IGNORE_UNSUPPORTED_FEATURES": True}
    assert statuses(send(invitation)) == BOTH_SENT
    assert len(params()["attachments"]) == 1


def test_provider_gets_fifty_recipients_a_call(settings: Settings, invitation: bytes) -> None:
    use(settings, AnymailTest)
    people = [f"p{number}@example.com" for number in range(120)]
    assert statuses(send(invitation, *people)) == [SendStatus.SENT] * 120
    assert [len(message.recipients()) for message in mail.outbox] == [50, 50, 20]


def test_lease_that_ends_between_two_calls_stops_the_rest(
    settings: Settings, invitation: bytes
) -> None:
    use(settings, AnymailTest)
    people = [f"p{number}@example.com" for number in range(60)]
    outcomes = send(invitation, *people, may_finish=lambda: not mail.outbox)
    assert statuses(outcomes) == [SendStatus.SENT] * 50 + [SendStatus.DEFERRED] * 10
    assert len(mail.outbox) == 1


class Recorder(requests.adapters.BaseAdapter):
    """Keeps the request instead of sending it, and responds as a provider that accepted it."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[Any] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.bodies.append(json.loads(str(request.body)))
        response = requests.Response()
        response.status_code, response.headers["X-Message-Id"] = 200, "1"
        body = {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": BOB}
        response.raw = io.BytesIO(json.dumps(body).encode())
        return response

    def close(self) -> None:
        pass


RECORDER = Recorder()


class RecordedSendGrid(SendGrid):  # type: ignore[misc]
    def create_session(self) -> requests.Session:
        session: requests.Session = super().create_session()
        session.mount("https://", RECORDER)
        return session


class RecordedPostmark(Postmark):  # type: ignore[misc]
    def create_session(self) -> requests.Session:
        session: requests.Session = super().create_session()
        session.mount("https://", RECORDER)
        return session


@pytest.fixture
def recorder(settings: Settings) -> Recorder:
    RECORDER.bodies.clear()
    settings.ANYMAIL = {"SENDGRID_API_KEY": "x", "POSTMARK_SERVER_TOKEN": "x"}
    return RECORDER


# anymail no longer maintains it, but it has the only API that takes any alternative.
@pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning")
def test_sendgrid_gets_the_calendar_as_an_alternative(
    settings: Settings, invitation: bytes, recorder: Recorder
) -> None:
    use(settings, RecordedSendGrid)
    assert statuses(send(invitation)) == BOTH_SENT
    [body] = recorder.bodies
    assert body["content"][-1] == {"type": "text/calendar; method=REQUEST", "value": ICS}
    assert "attachments" not in body


def test_postmark_gets_the_calendar_as_an_attachment(
    settings: Settings, invitation: bytes, recorder: Recorder
) -> None:
    use(settings, RecordedPostmark)
    assert statuses(send(invitation, BOB)) == [SendStatus.SENT]
    [body] = recorder.bodies
    [attachment] = body["Attachments"]
    assert base64.b64decode(attachment["Content"]) == ICS.encode()
    assert "method" in attachment["ContentType"]
    assert body["To"] == BOB
