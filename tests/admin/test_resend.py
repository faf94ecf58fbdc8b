"""The action "resend"."""

import pytest
from django.test import Client

from tests.admin.pages import action_page, choose, log_entries, notices
from tests.support.cast import BOB, CAROL
from tests.support.readers.mail import Mails
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import cancelled, sent, updated

pytestmark = pytest.mark.django_db
REFUSES_CAROL = {CAROL.address: "550 5.1.1 no such user"}


def test_resend_brings_up_to_date_who_was_not_told(
    admin_client: Client, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    stored = sent()
    mail_server.scripts["rcpt"] = "250 ok"
    assert 'name="what"' in choose(admin_client, "resend", stored).content.decode()
    assert notices(choose(admin_client, "resend", stored, what="outstanding")) == [
        "Weekly review: 1 told"
    ]
    first, second = mail_server.accepted
    assert (first.recipients, second.recipients) == ((BOB.address,), (CAROL.address,))
    assert [mail.sequence for mail in mails()] == [0, 0]
    assert len({mail.dtstamp for mail in mails()}) == 2


def test_resend_to_everybody_mails_all_attendees(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = updated(sent(), summary="Monthly review")
    response = admin_client.post(action_page(stored, "resend"), {"confirmed": "yes", "what": "all"})
    assert notices(response) == ["Monthly review: 2 told"]
    assert log_entries() == ["Resent."]


def test_resend_with_nothing_outstanding_says_so(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    assert notices(choose(admin_client, "resend", sent(), what="outstanding")) == [
        "Weekly review: everybody had been told"
    ]
    assert log_entries() == []
    assert len(mail_server.accepted) == 1


def test_resend_with_nobody_to_tell_says_so(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = "550 5.1.1 no such user"
    assert notices(choose(admin_client, "resend", cancelled(sent()), what="all")) == [
        "Weekly review: nobody has to be told anything, so no mail was sent"
    ]


def test_resend_rejects_an_unknown_choice(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    response = choose(admin_client, "resend", sent(), what="mallory@evil.example")
    assert "Select a valid choice" in response.content.decode()
    assert len(mail_server.accepted) == 1


def test_resend_of_cancelled_meeting_mails_cancel(
    admin_client: Client, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    stored = cancelled(sent())
    choose(admin_client, "resend", stored, what="all")
    assert [mail.method for mail in mails()] == ["REQUEST", *["CANCEL"] * 4]
