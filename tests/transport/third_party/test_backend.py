"""Django's own backends, and one that stands for any other project's."""

from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends import smtp
from django.core.mail.backends.base import BaseEmailBackend
from pytest_django import Settings

from meetings.transport.outcome import LEASE_ENDED
from tests.support.servers.smtp_server import HANG, ScriptedSMTP
from tests.transport.door import (
    BOB,
    BOTH_DEFERRED,
    BOTH_REFUSED,
    BOTH_SENT,
    BOTH_UNKNOWN,
    CAROL,
    no,
    send,
    statuses,
    use,
    use_smtp,
)

DJANGO = "django.core.mail.backends"


class ProjectSMTP(smtp.EmailBackend):
    """Another project's own SMTP backend, which stays in use."""


NAMED = f"{__name__}.ProjectSMTP"


def test_locmem_gets_the_exact_bytes(settings: Settings, invitation: bytes) -> None:
    use(settings, f"{DJANGO}.locmem.EmailBackend")
    mail.outbox = []
    assert statuses(send(invitation)) == BOTH_SENT
    assert mail.outbox[0].message().as_bytes() == invitation


def test_our_files_have_the_exact_bytes(
    settings: Settings, invitation: bytes, tmp_path: Path
) -> None:
    use(settings, "meetings.transport.file.EmailBackend")
    settings.EMAIL_FILE_PATH = str(tmp_path)
    assert statuses(send(invitation)) == BOTH_SENT
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [invitation]


def test_files_of_django_have_the_exact_bytes(
    settings: Settings, invitation: bytes, tmp_path: Path
) -> None:
    use(settings, f"{DJANGO}.filebased.EmailBackend")
    settings.EMAIL_FILE_PATH = str(tmp_path)
    assert statuses(send(invitation)) == BOTH_SENT
    [file] = tmp_path.iterdir()
    assert file.read_bytes().startswith(invitation)


def test_file_that_cannot_be_written_is_deferred(
    settings: Settings, invitation: bytes, tmp_path: Path
) -> None:
    use(settings, "meetings.transport.file.EmailBackend")
    settings.EMAIL_FILE_PATH = str(tmp_path / "file")
    (tmp_path / "file").touch()
    assert statuses(send(invitation)) == BOTH_DEFERRED


def test_console_shows_the_calendar(
    settings: Settings, invitation: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    use(settings, f"{DJANGO}.console.EmailBackend")
    assert statuses(send(invitation)) == BOTH_SENT
    assert "text/calendar" in capsys.readouterr().out


def test_smtp_of_django_gets_the_exact_bytes(settings: Settings, invitation: bytes) -> None:
    with ScriptedSMTP() as server:
        use_smtp(settings, NAMED, server)
        outcomes = send(invitation, envelope_from="bounces@example.com")
    assert statuses(outcomes) == BOTH_SENT
    [transaction] = server.received
    assert transaction.raw == invitation
    assert transaction.envelope_from == "bounces@example.com"
    assert transaction.recipients == (BOB, CAROL)


@pytest.mark.parametrize("timeout", [180, None])
def test_deadline_shortens_the_timeout_of_django(
    timeout: int | None, settings: Settings, invitation: bytes
) -> None:
    """With a timeout of its own, the backend would wait longer than pytest gives a test."""
    settings.EMAIL_TIMEOUT = timeout
    with ScriptedSMTP(mail=HANG) as server:
        use_smtp(settings, NAMED, server)
        for seconds in (0.2, 2, 10, 40):
            settings.MEETINGS_SMTP_DEADLINE = seconds
            outcomes = send(invitation)
            if "MAIL" in server.verbs():
                break
        assert statuses(outcomes) == BOTH_UNKNOWN


def test_lease_that_has_ended_calls_no_backend(settings: Settings, invitation: bytes) -> None:
    with ScriptedSMTP() as server:
        use_smtp(settings, NAMED, server)
        assert set(send(invitation, may_finish=no).values()) == {LEASE_ENDED}
        assert server.connections == 0


def test_smtp_of_django_has_transactions_of_the_setting(
    settings: Settings, invitation: bytes
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 2
    with ScriptedSMTP() as server:
        use_smtp(settings, NAMED, server)
        send(invitation, BOB, CAROL, BOB, "dave@example.com")
    recipients = [transaction.recipients for transaction in server.received]
    assert recipients == [(BOB, CAROL), ("dave@example.com",)]


class Counting(BaseEmailBackend):
    """Another project's backend, which says how many mails it has sent."""

    count: int | None = 1

    def send_messages(self, email_messages: Any) -> Any:
        return self.count


@pytest.mark.parametrize("count", [0, None])
def test_backend_that_sent_nothing_refuses_all(
    count: int | None, settings: Settings, monkeypatch: pytest.MonkeyPatch, invitation: bytes
) -> None:
    use(settings, Counting)
    monkeypatch.setattr(Counting, "count", count)
    assert statuses(send(invitation)) == BOTH_REFUSED


def test_mail_that_cannot_be_parsed_raises_nothing(settings: Settings) -> None:
    """The standard library's parser raises IndexError for this To, in Python 3.11 at least."""
    use(settings, Counting)
    assert set(send(b'To: "\r\n\r\n')) == {BOB, CAROL}
