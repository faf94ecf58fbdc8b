"""``manage.py resend``."""

from collections.abc import Callable

import pytest
from django.core.management.base import CommandError

from tests.commands.conftest import Run
from tests.support.background import deliver, deliver_later
from tests.support.cast import BOB, CAROL, DAN
from tests.support.readers.mail import Invitation
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import cancelled, sent, updated
from tests.support.stories import queue

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
    with pytest.raises(
        CommandError, match=r"^told 1, queued 0, not told 1: 550 5\.1\.1 no such user$"
    ):
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


def test_next_try_is_not_printed_of_who_has_been_told(run: Run, mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: "451 4.3.0 later"}
    sent()
    mail_server.scripts["rcpt"] = "250 ok"
    assert run("resend", "meeting-1", "--failed")[1] == f"told        {CAROL.address}"


def test_next_try_is_not_printed_of_who_was_given_up(
    run: Run, mail_server: ScriptedSMTP, capsys: pytest.CaptureFixture[str]
) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: "451 4.3.0 later"}
    sent()
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    with pytest.raises(CommandError):
        run("resend", "meeting-1", "--failed")
    assert capsys.readouterr().out.splitlines()[1] == (
        f"outstanding {CAROL.address}: 550 5.1.1 no such user"
    )


@pytest.mark.parametrize("to", [(), ("--to", CAROL.address)], ids=["all", "one"])
def test_resend_that_is_deferred_for_everybody_is_given_up(
    run: Run, mail_server: ScriptedSMTP, to: tuple[str, ...]
) -> None:
    sent()
    mail_server.scripts["rcpt"] = "450 4.2.0 wait"
    with pytest.raises(CommandError, match=f"^told 0, queued 0, not told {1 if to else 2}: 450"):
        run("resend", "meeting-1", *to)
    mail_server.scripts["rcpt"] = "250 ok"
    deliver_later()
    assert len(mail_server.accepted) == 1


def test_resend_to_one_leaves_the_others_to_the_background(
    run: Run, mail_server: ScriptedSMTP
) -> None:
    queue()
    mail_server.scripts["rcpt"] = "450 4.2.0 wait"
    with pytest.raises(CommandError, match=r"^told 0, queued 0, not told 1: 450"):
        run("resend", "meeting-1", "--to", CAROL.address)
    mail_server.scripts["rcpt"] = "250 ok"
    deliver()
    assert [mail.recipients for mail in mail_server.accepted] == [(BOB.address,)]


def test_summary_counts_who_is_told_queued_and_not_told(
    run: Run, mail_server: ScriptedSMTP
) -> None:
    sent(attendees=(BOB, CAROL, DAN))
    mail_server.scripts["rcpt"] = {
        CAROL.address: "550 5.1.1 no such user",
        DAN.address: "450 4.2.0 wait",
    }
    with pytest.raises(
        CommandError, match=r"^told 1, queued 1, not told 1: 550 5\.1\.1 no such user$"
    ):
        run("resend", "meeting-1")


def test_resend_takes_address_or_failed_not_both(run: Run) -> None:
    with pytest.raises(CommandError, match="not allowed with"):
        run("resend", "meeting-1", "--failed", "--to", BOB.address)
