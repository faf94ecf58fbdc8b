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
from django.core.mail.backends.base import BaseEmailBackend
from pytest_django import Settings

from meetings.transport import send as transport
from meetings.transport.outcome import Outcome, SendStatus
from tests.transport.conftest import ICS

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"


def send(
    raw: bytes, *recipients: str, envelope_from: str = ALICE, deadline: float = 10
) -> dict[str, Outcome]:
    return transport.send(
        raw, envelope_from=envelope_from, recipients=recipients or (BOB, CAROL), deadline=deadline
    )


def fates(outcomes: dict[str, Outcome]) -> list[SendStatus]:
    return [outcome.status for outcome in outcomes.values()]


def use(settings: Settings, backend: str | type[BaseEmailBackend]) -> None:
    name = backend if isinstance(backend, str) else f"{backend.__module__}.{backend.__qualname__}"
    settings.EMAIL_BACKEND = name


class Answering(AnymailTest):  # type: ignore[misc]
    """anymail's test backend, whose provider gives the statuses that a test wants."""

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
    """Most providers: no other alternative, no envelope sender of one's own."""

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


class TestAnymail:
    @pytest.fixture(autouse=True)
    def outbox(self) -> None:
        mail.outbox = []

    @staticmethod
    def params() -> dict[str, Any]:
        message: Any
        [message] = mail.outbox
        return dict(message.anymail_test_params)

    def test_what_the_provider_says_of_each_recipient_counts(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch, invitation: bytes
    ) -> None:
        use(settings, Answering)
        statuses = {
            "A@x.org": "sent",
            "b@x.org": "queued",
            "c@x.org": "rejected",
            "d@x.org": "failed",
        }
        statuses |= {"e@x.org": "invalid", "f@x.org": "unknown"}
        monkeypatch.setattr(Answering, "statuses", statuses)
        outcomes = send(
            invitation, "a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org", "f@x.org", "g@x.org"
        )
        expected = [SendStatus.SENT] * 2 + [SendStatus.REFUSED] * 3 + [SendStatus.UNKNOWN] * 2
        assert fates(outcomes) == expected
        assert outcomes["c@x.org"].reply == "the mail provider says: rejected"

    def test_all_rejected(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch, invitation: bytes
    ) -> None:
        use(settings, Answering)
        monkeypatch.setattr(Answering, "statuses", {BOB: "rejected", CAROL: "invalid"})
        assert fates(send(invitation)) == [SendStatus.REFUSED, SendStatus.REFUSED]

    def test_a_provider_that_can_say_it_all_gets_it_all(
        self, settings: Settings, invitation: bytes
    ) -> None:
        use(settings, AnymailTest)
        assert fates(send(invitation, envelope_from="bounces@example.com")) == [
            SendStatus.SENT,
            SendStatus.SENT,
        ]
        params = self.params()
        assert params["envelope_sender"] == "bounces@example.com"
        assert str(params["from"]) == "Alice Arnold <alice@example.com>"
        assert params["alternatives"] == [(ICS, "text/calendar; method=REQUEST")]
        assert params["html_body"] == "<p>周会</p>\n"
        assert params["extra_headers"]["Message-ID"] == "<1@example.com>"
        assert "attachments" not in params

    @pytest.mark.parametrize(
        "ignore", [False, True], ids=["strict", "told to ignore what is unsupported"]
    )
    @pytest.mark.parametrize("envelope_from", [ALICE, "bounces@example.com"])
    def test_a_provider_without_alternatives_gets_the_calendar_attached(
        self,
        ignore: bool,
        envelope_from: str,
        settings: Settings,
        invitation: bytes,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        use(settings, PlainProvider)
        settings.ANYMAIL = {"IGNORE_UNSUPPORTED_FEATURES": ignore}
        assert fates(send(invitation, envelope_from=envelope_from)) == [
            SendStatus.SENT,
            SendStatus.SENT,
        ]
        params = self.params()
        assert "alternatives" not in params
        [attachment] = params["attachments"]
        assert attachment.content_bytes == ICS.encode()
        assert attachment.content_type == 'text/calendar; method="REQUEST"; charset="utf-8"'
        assert str(params["from"]) == "Alice Arnold <alice@example.com>"
        assert [record.levelno for record in caplog.records] == [logging.WARNING]

    @pytest.mark.parametrize(
        ("ignore", "status"), [(False, SendStatus.REFUSED), (True, SendStatus.SENT)]
    )
    def test_a_provider_without_headers(
        self, ignore: bool, status: SendStatus, settings: Settings, invitation: bytes
    ) -> None:
        use(settings, NoHeadersProvider)
        settings.ANYMAIL = {"IGNORE_UNSUPPORTED_FEATURES": ignore}
        assert fates(send(invitation)) == [status, status]
        if ignore:
            assert len(self.params()["attachments"]) == 1

    def test_many_recipients_go_in_several_calls(
        self, settings: Settings, invitation: bytes
    ) -> None:
        use(settings, AnymailTest)
        people = [f"p{number}@example.com" for number in range(120)]
        assert fates(send(invitation, *people)) == [SendStatus.SENT] * 120
        assert [len(message.recipients()) for message in mail.outbox] == [50, 50, 20]


class Recorder(requests.adapters.BaseAdapter):
    """Keeps the request instead of sending it, and answers as a provider that took it."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[Any] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.bodies.append(json.loads(str(request.body)))
        response = requests.Response()
        response.status_code, response.headers["X-Message-Id"] = 200, "1"
        answer = {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": BOB}
        response.raw = io.BytesIO(json.dumps(answer).encode())
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


class TestRealProviders:
    """What two of anymail's backends would post; only the wire is cut off."""

    @pytest.fixture(autouse=True)
    def recorder(self, settings: Settings) -> None:
        RECORDER.bodies.clear()
        settings.ANYMAIL = {"SENDGRID_API_KEY": "x", "POSTMARK_SERVER_TOKEN": "x"}

    # No longer maintained by anymail, but its only backend whose API takes any alternative.
    @pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning")
    def test_sendgrid_gets_the_calendar_as_an_alternative(
        self, settings: Settings, invitation: bytes
    ) -> None:
        use(settings, RecordedSendGrid)
        assert fates(send(invitation)) == [SendStatus.SENT, SendStatus.SENT]
        [body] = RECORDER.bodies
        assert body["content"][-1] == {"type": "text/calendar; method=REQUEST", "value": ICS}
        assert "attachments" not in body

    def test_postmark_gets_the_calendar_as_an_attachment(
        self, settings: Settings, invitation: bytes
    ) -> None:
        use(settings, RecordedPostmark)
        assert fates(send(invitation, BOB)) == [SendStatus.SENT]
        [body] = RECORDER.bodies
        [attachment] = body["Attachments"]
        assert base64.b64decode(attachment["Content"]) == ICS.encode()
        assert "method" in attachment["ContentType"]
        assert body["To"] == BOB
