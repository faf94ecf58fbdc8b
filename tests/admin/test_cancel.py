"""The action "cancel"."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django import Settings

from meetings.models import Meeting
from tests.admin.pages import action_page, choose, log_entries, notices, page, page_of
from tests.conftest import Call
from tests.support.cast import BOB, CAROL
from tests.support.readers.mail import Mails
from tests.support.servers.database import threads_own_connection
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import cancelled, sent

pytestmark = pytest.mark.django_db
REFUSES_CAROL = {CAROL.address: "550 5.1.1 no such user"}


def test_cancel_asks_for_a_reason_first(
    admin_client: Client, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    stored = sent()
    html = choose(admin_client, "cancel", stored).content.decode()
    assert "Weekly review" in html
    assert 'name="reason"' in html
    assert not Meeting.objects.get().is_cancelled
    assert [mail.method for mail in mails()] == ["REQUEST"]


def test_cancel_mails_the_reason_to_each_attendee(
    admin_client: Client, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    stored = sent()
    response = choose(admin_client, "cancel", stored, reason="The room\r\nis flooded.\x07")
    assert response.status_code == 302
    assert notices(response) == ["Weekly review: cancelled; 2 told"]
    cancels = [mail for mail in mails() if mail.method == "CANCEL"]
    assert sorted(mail.people[0] for mail in cancels) == [BOB.address, CAROL.address]
    assert {mail.sequence for mail in cancels} == {1}
    assert "flooded" in cancels[0].mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    stored.refresh_from_db()
    assert stored.is_cancelled
    assert stored.comment == "The room\nis flooded."
    assert stored.versions.get(sequence=1).asked_by == "operator admin"
    assert log_entries() == ["Cancelled."]


def test_cancel_of_two_meetings_reports_each(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    both = sent(uid="1", summary="One"), sent(uid="2", summary="Two", attendees=(CAROL,))
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    shown = notices(choose(admin_client, "cancel", *both, reason=" "))
    assert sorted(shown) == [
        "One: cancelled; 1 told, 1 not told: carol@example.net: 550 5.1.1 no such user",
        "Two: cancelled; 1 not told: carol@example.net: 550 5.1.1 no such user",
    ]


def test_cancel_says_if_no_invitation_arrived(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = "550 5.1.1 no such user"
    stored = sent()
    shown = notices(choose(admin_client, "cancel", stored, reason=" "))
    assert shown == [
        "Weekly review: cancelled;"
        " no attendee had received the invitation, so no cancellation was sent"
    ]


def test_meeting_page_links_to_cancel_and_back(
    admin_client: Client, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    stored = sent()
    assert action_page(stored, "cancel") in page(admin_client, page_of(stored))
    assert 'name="reason"' in page(admin_client, action_page(stored, "cancel"))
    response = admin_client.post(
        action_page(stored, "cancel"), {"confirmed": "yes", "reason": ""}, follow=True
    )
    assert response.redirect_chain == [(page_of(stored), 302)]
    html = response.content.decode()
    assert "Weekly review: cancelled; 2 told" in html
    assert action_page(stored, "cancel") not in html


def test_cancel_submitted_twice_says_so_and_is_logged_once(
    admin_client: Client, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    stored = sent()
    choose(admin_client, "cancel", stored, reason=" ")
    shown = notices(choose(admin_client, "cancel", stored, reason=" "))
    assert shown[-1] == "Weekly review: was cancelled already; everybody had been told"
    assert [mail.method for mail in mails()] == ["REQUEST", "CANCEL", "CANCEL"]
    assert log_entries() == ["Cancelled."]


@pytest.mark.django_db(transaction=True)
def test_double_click_on_cancel_is_logged_once(
    admin_user: User, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    stored = sent()
    start = threading.Barrier(2)

    def click(client: Client) -> list[str]:
        with threads_own_connection():
            connection.ensure_connection()
            start.wait()
            return notices(choose(client, "cancel", stored, reason=" "))

    clients = [Client(), Client()]
    for client in clients:
        client.force_login(admin_user)
    with ThreadPoolExecutor(2) as pool:
        [first], [second] = sorted(pool.map(click, clients))
    assert first == "Weekly review: cancelled; 2 told"
    assert second.startswith("Weekly review: was cancelled already; ")
    assert [mail.method for mail in mails()] == ["REQUEST", "CANCEL", "CANCEL"]
    assert log_entries().count("Cancelled.") == 1


def test_second_cancel_tells_only_who_was_not_told(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = sent()
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    choose(admin_client, "cancel", stored, reason=" ")
    mail_server.scripts["rcpt"] = "250 ok"
    shown = notices(choose(admin_client, "cancel", stored, reason=" "))
    assert shown[-1] == "Weekly review: was cancelled already; 1 told"
    assert log_entries() == ["Cancelled.", "Those who had not been told were tried again."]


def test_second_cancel_of_unknown_meeting_tells_nobody(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = "550 5.1.1 no such user"
    stored = cancelled(sent())
    assert notices(choose(admin_client, "cancel", stored, reason=" ")) == [
        "Weekly review: was cancelled already;"
        " no attendee had received the invitation, so no cancellation was sent"
    ]
    assert log_entries() == []


def test_cancel_is_of_the_chosen_client_only(
    admin_client: Client, call: Call, meeting: dict[str, object], mail_server: ScriptedSMTP
) -> None:
    stored = sent()
    assert call(meeting | {"uid": stored.uid}).status_code == 200
    other = Meeting.objects.exclude(pk=stored.pk).get()
    choose(admin_client, "cancel", other, reason=" ")
    assert Meeting.objects.get(status="CANCELLED") == other


def test_cancel_reports_a_dead_mail_server(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    stored = sent()
    mail_server.close()
    [message] = notices(choose(admin_client, "cancel", stored, reason=" "))
    assert message.startswith("Weekly review: cancelled; 2 not told: bob@example.org: ")


def test_mail_is_pending_when_time_is_up(
    admin_client: Client, mail_server: ScriptedSMTP, settings: Settings
) -> None:
    stored = sent()
    settings.MEETINGS_TIME_BUDGET = 0.0
    assert notices(choose(admin_client, "cancel", stored, reason=" ")) == [
        "Weekly review: cancelled; 2 pending"
    ]
