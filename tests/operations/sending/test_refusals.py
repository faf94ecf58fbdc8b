"""What the log says of refusals, and what becomes of a session that the server does not open."""

import re

import pytest
from pytest_django import Settings

from meetings import trouble
from tests.support.background import deliver, deliver_later, pass_time
from tests.support.cast import BOB, CAROL, DAN
from tests.support.servers.smtp_server import DROP, ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import queue, recipients, send

pytestmark = pytest.mark.usefixtures("db", "mail_server")

_LOGIN = ("alice", "s3cret")
BUSY = "535 5.7.8 system busy"


@pytest.fixture
def login(mail_server: ScriptedSMTP, settings: Settings) -> ScriptedSMTP:
    """A mail server that wants a login, and says that it is wrong."""
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = mail_server.credentials = _LOGIN
    mail_server.scripts["auth"] = BUSY
    return mail_server


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "meetings"]


def test_each_kind_of_refusal_is_one_line_with_a_count(
    mail_server: ScriptedSMTP, caplog: pytest.LogCaptureFixture
) -> None:
    mail_server.scripts["rcpt"] = {
        BOB.address: "550 5.1.1 <bob@example.org> unknown",
        DAN.address: "550 5.1.1 <dan@example.org> unknown",
        CAROL.address: "450 greylisted, carol@example.net",
    }
    for number in range(3):
        assert send(uid=f"meeting-{number}", attendees=(BOB, CAROL, DAN)).error
    assert lines(caplog) == [
        "mail server: recipients refused: RCPT: 550 5.1.1: 2",
        "mail server: recipients deferred: RCPT: 450: 1",
    ]
    trouble.log_counts()
    assert lines(caplog)[2:] == [
        "mail server: recipients refused: RCPT: 550 5.1.1: 2 … 4 more in the last 60 s",
        "mail server: recipients deferred: RCPT: 450: 1 … 2 more in the last 60 s",
    ]
    assert "@" not in caplog.text


def test_log_says_that_the_server_is_left_alone(
    mail_server: ScriptedSMTP, caplog: pytest.LogCaptureFixture
) -> None:
    mail_server.scripts["mail"] = "421 4.7.0 too many connections"
    send()
    pass_time(seconds=6)
    send(uid="meeting-2")
    trouble.log_counts()
    assert [line for line in lines(caplog) if "left alone" in line] == [
        "mail server: left alone for 5 seconds: it has no room",
        "mail server: left alone for 10 seconds: it has no room",
    ]


def test_log_says_how_many_people_are_given_up(
    mail_server: ScriptedSMTP, caplog: pytest.LogCaptureFixture
) -> None:
    mail_server.scripts["dot"] = DROP
    assert not send().error
    for _ in range(2):
        pass_time(hours=1)
        deliver()
    assert "mail server: recipients given up, after their last try: 2" in lines(caplog)
    caplog.clear()
    mail_server.scripts["dot"] = "451 4.2.0 later"
    trouble.forget()
    assert send(uid="meeting-2").error  # the response says it
    assert not any("given up" in line for line in lines(caplog))


def test_lost_reply_has_no_digits(
    mail_server: ScriptedSMTP, caplog: pytest.LogCaptureFixture
) -> None:
    mail_server.scripts["dot"] = [DROP, "554 5.7.1 spam for bob@example.org"]
    send()
    assert lines(caplog) == [
        "mail server: recipients without a reply to the mail: message: no reply: 2",
        "mail server: recipients refused: message: 554 5.7.1: 2",
    ]


def test_refused_login_is_a_0_for_a_call(login: ScriptedSMTP) -> None:
    assert BUSY in send().error
    login.scripts["auth"] = "235 2.7.0 welcome"
    deliver_later()
    assert login.received == []


def test_refused_login_is_tried_again_in_the_background(
    login: ScriptedSMTP, caplog: pytest.LogCaptureFixture
) -> None:
    queue()
    deliver()
    assert states() == ["deferred", "deferred"]
    assert re.search("ERROR.*login: 535", caplog.text)
    assert "recipients" not in caplog.text  # it is one line, not one for each mail
    login.scripts["auth"] = "235 2.7.0 welcome"
    deliver_later()
    assert states() == ["sent", "sent"]


def test_refused_login_of_a_second_mail_is_tried_again(
    login: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1
    login.scripts["auth"] = ["235 2.7.0 welcome", BUSY]
    login.scripts["dot"] = "250 ok"
    login.scripts["rcpt"] = ["250 ok", "421 4.3.2 closing"]
    assert recipients(send()) == {BOB.address: "told", CAROL.address: "queued"}
