"""``manage.py resend``."""

from collections.abc import Callable

import pytest
from django.core.management.base import CommandError

from tests.commands.conftest import Run
from tests.support.cast import BOB, CAROL
from tests.support.readers.mail import Invitation
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import cancelled, sent, updated

Mails = Callable[[], list[Invitation]]
REFUSES_CAROL = {CAROL.address: "550 5.1.1 no such user"}


def test_resend_mails_the_current_version_again(
    run: Run, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    updated(sent(), summary="Monthly review")
    assert run("resend", "meeting-1") == [
        f"told        {BOB.address}",
        f"told        {CAROL.address}",
    ]
    _, before, again = mails()
    assert (again.sequence, again.vevent.summary.value) == (1, "Monthly review")
    assert again.dtstamp > before.dtstamp
    assert again.mail["Message-ID"] != before.mail["Message-ID"]


def test_resend_to_address_ignores_case(run: Run, mail_server: ScriptedSMTP) -> None:
    sent()
    assert run("resend", "meeting-1", "--to", "BOB@example.org") == [f"told        {BOB.address}"]
    assert mail_server.accepted[-1].recipients == (BOB.address,)


def test_resend_of_failed_mails_only_what_somebody_was_not_told(
    run: Run, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    sent()
    mail_server.scripts["rcpt"] = "250 ok"
    both = [f"told        {BOB.address}", f"told        {CAROL.address}"]
    assert run("resend", "meeting-1", "--failed") == both
    assert mail_server.accepted[-1].recipients == (CAROL.address,)
    assert run("resend", "meeting-1", "--failed") == both
    assert len(mail_server.accepted) == 2


def test_resend_of_failed_never_sends_what_is_old(
    run: Run, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    cancelled(sent())
    mail_server.scripts["rcpt"] = "250 ok"
    run("resend", "meeting-1", "--failed")
    assert [mail.method for mail in mails()] == ["REQUEST", "CANCEL"]


def test_resend_of_cancelled_meeting_reaches_only_those_who_were_told(
    run: Run, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    cancelled(sent())
    mail_server.scripts["rcpt"] = "250 ok"
    assert run("resend", "meeting-1") == [f"told        {BOB.address}"]
    assert mail_server.accepted[-1].recipients == (BOB.address,)


def test_resend_of_cancelled_meeting_mails_cancel(
    run: Run, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    cancelled(sent())
    run("resend", "meeting-1", "--to", CAROL.address)
    assert (mails()[-1].method, mails()[-1].sequence) == ("CANCEL", 1)


def test_refused_recipient_is_printed_and_exits_1(
    run: Run, mail_server: ScriptedSMTP, capsys: pytest.CaptureFixture[str]
) -> None:
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    sent()
    with pytest.raises(CommandError, match="not accepted for 1 of 2 recipients"):
        run("resend", "meeting-1")
    assert capsys.readouterr().out.splitlines() == [
        f"told        {BOB.address}",
        f"outstanding {CAROL.address}: 550 5.1.1 no such user",
    ]


def test_resend_of_unknown_meeting_is_refused(run: Run) -> None:
    with pytest.raises(CommandError, match="No meeting has the uid nonsense") as raised:
        run("resend", "nonsense")
    assert raised.value.returncode == 1


def test_resend_to_a_stranger_is_refused(run: Run, mail_server: ScriptedSMTP) -> None:
    sent()
    with pytest.raises(CommandError, match="is not on the list"):
        run("resend", "meeting-1", "--to", "mallory@evil.example")
    assert len(mail_server.accepted) == 1


def test_deferred_person_is_printed_with_the_next_try(run: Run, mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: "451 4.3.0 later"}
    sent()
    told, queued = run("resend", "meeting-1")
    assert told == f"told        {BOB.address}"
    assert queued.startswith(f"queued      {CAROL.address}: 451 4.3.0 later (next try at 2")


def test_resend_takes_address_or_failed_not_both(run: Run) -> None:
    with pytest.raises(CommandError, match="not allowed with"):
        run("resend", "meeting-1", "--failed", "--to", BOB.address)
