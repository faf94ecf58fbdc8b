"""``manage.py cancel``."""

import os
from collections.abc import Callable

import pytest
from django.core.management.base import CommandError

from meetings.models import Meeting
from tests.commands.conftest import Run
from tests.support.cast import BOB, CAROL
from tests.support.readers.mail import Invitation
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import sent


def test_cancel_mails_the_reason_to_each_attendee(
    run: Run, mail_server: ScriptedSMTP, mails: Callable[[], list[Invitation]]
) -> None:
    sent()
    assert run("cancel", "meeting-1", "--reason", "Flooded.") == [
        f"told        {BOB.address}",
        f"told        {CAROL.address}",
    ]
    assert [(mail.method, mail.sequence) for mail in mails()] == [
        ("REQUEST", 0),
        ("CANCEL", 1),
        ("CANCEL", 1),
    ]
    stored = Meeting.objects.get()
    assert stored.is_cancelled
    assert stored.comment == "Flooded."
    assert stored.versions.get(sequence=1).asked_by.startswith("manage.py cancel, by ")


def test_account_without_a_name_may_cancel(
    run: Run, mail_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_242_424_242)
    sent()
    run("cancel", "meeting-1")
    assert (
        Meeting.objects.get().versions.get(sequence=1).asked_by
        == "manage.py cancel, by an unnamed account"
    )


def test_second_cancel_tries_failed_mail_again(run: Run, mail_server: ScriptedSMTP) -> None:
    sent()
    mail_server.scripts["rcpt"] = {CAROL.address: "550 5.1.1 no such user"}
    with pytest.raises(
        CommandError, match=r"^told 1, queued 0, not told 1: 550 5\.1\.1 no such user$"
    ):
        run("cancel", "meeting-1")
    mail_server.scripts["rcpt"] = "250 ok"
    assert run("cancel", "meeting-1") == [
        f"told        {BOB.address}",
        f"told        {CAROL.address}",
    ]
    assert mail_server.accepted[-1].recipients == (CAROL.address,)
    assert Meeting.objects.get().sequence == 1


def test_cancel_sends_no_mail_if_invitation_failed(run: Run, mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = "550 5.1.1 no such user"
    sent()
    assert run("cancel", "meeting-1") == ["Nobody has to be told anything, so no mail was sent."]
    assert Meeting.objects.get().is_cancelled


def test_cancel_of_unknown_meeting_is_refused(run: Run) -> None:
    with pytest.raises(CommandError, match="No meeting has the uid nonsense"):
        run("cancel", "nonsense")


def test_unknown_stored_zone_is_not_hidden(run: Run, mail_server: ScriptedSMTP) -> None:
    sent()
    Meeting.objects.update(tzid="Atlantis/Capital")
    with pytest.raises(Exception, match="Atlantis"):
        run("cancel", "meeting-1")
    assert not Meeting.objects.get().is_cancelled
