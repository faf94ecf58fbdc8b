"""The actions of an operator on meetings: cancel and resend."""

from collections.abc import Callable

import pytest
from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from meetings.admin.actions import MOST_AT_ONCE
from meetings.admin.notices import refused
from meetings.itip.errors import ZoneNotExpressible
from meetings.models import Meeting
from meetings.operations.steps.errors import Conflict, UnknownMeeting
from tests.admin.pages import LIST, choose, notices, page, page_of
from tests.support.cast import BOB, CAROL
from tests.support.readers.mail import Invitation
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import cancelled, sent, updated

pytestmark = pytest.mark.django_db
Mails = Callable[[], list[Invitation]]
REFUSES_CAROL = {CAROL.address: "550 5.1.1 no such user"}


def action_page(meeting: Meeting, name: str) -> str:
    """The path of an action on one meeting."""
    return reverse(f"admin:meetings_meeting_{name}", args=[meeting.pk])


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
    assert notices(response) == ["Weekly review: cancelled; sent to 2"]
    cancels = [mail for mail in mails() if mail.method == "CANCEL"]
    assert sorted(mail.people[0] for mail in cancels) == [BOB.address, CAROL.address]
    assert {mail.sequence for mail in cancels} == {1}
    assert "flooded" in cancels[0].mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    stored.refresh_from_db()
    assert stored.is_cancelled
    assert stored.comment == "The room\nis flooded."
    assert stored.versions.get(sequence=1).asked_by == "operator admin"
    assert LogEntry.objects.get().get_change_message() == "Cancelled."


def test_cancel_of_two_meetings_reports_each(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    both = sent(uid="1", summary="One"), sent(uid="2", summary="Two", attendees=(CAROL,))
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    shown = notices(choose(admin_client, "cancel", *both, reason=" "))
    assert sorted(shown) == [
        "One: cancelled; sent to 1, failed for 1: carol@example.net: 550 5.1.1 no such user",
        "Two: cancelled; failed for 1: carol@example.net: 550 5.1.1 no such user",
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
    assert "Weekly review: cancelled; sent to 2" in html
    assert action_page(stored, "cancel") not in html


def test_action_on_unknown_meeting_is_404(admin_client: Client) -> None:
    assert admin_client.get(f"{LIST}4711/cancel/").status_code == 404


def test_resend_goes_to_failed_recipients_only(
    admin_client: Client, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    stored = sent()
    mail_server.scripts["rcpt"] = "250 ok"
    assert 'name="to"' in choose(admin_client, "resend", stored).content.decode()
    assert notices(choose(admin_client, "resend", stored, to="failed")) == [
        "Weekly review: sent to 1"
    ]
    first, second = mail_server.accepted
    assert (first.recipients, second.recipients) == ((BOB.address,), (CAROL.address,))
    assert [mail.sequence for mail in mails()] == [0, 0]
    assert len({mail.dtstamp for mail in mails()}) == 2


def test_resend_goes_to_all_attendees(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    stored = updated(sent(), summary="Monthly review")
    response = admin_client.post(action_page(stored, "resend"), {"confirmed": "yes", "to": "all"})
    assert notices(response) == ["Monthly review: sent to 2"]
    assert LogEntry.objects.get().get_change_message() == "Resent."


def test_resend_without_failed_mail_says_so(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    [message] = notices(choose(admin_client, "resend", sent(), to="failed"))
    assert message == "Weekly review: No recipient of this meeting has a failed delivery."


def test_resend_rejects_an_unknown_choice(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    response = choose(admin_client, "resend", sent(), to="mallory@evil.example")
    assert "Select a valid choice" in response.content.decode()
    assert len(mail_server.accepted) == 1


def test_resend_of_cancelled_meeting_mails_cancel(
    admin_client: Client, mail_server: ScriptedSMTP, mails: Mails
) -> None:
    stored = cancelled(sent())
    choose(admin_client, "resend", stored, to="all")
    assert [mail.method for mail in mails()] == ["REQUEST", *["CANCEL"] * 4]


def test_cancel_reports_a_dead_mail_server(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    stored = sent()
    mail_server.close()
    [message] = notices(choose(admin_client, "cancel", stored, reason=" "))
    assert message.startswith("Weekly review: cancelled; failed for 2: bob@example.org: ")


def test_mail_is_pending_when_time_is_up(
    admin_client: Client, mail_server: ScriptedSMTP, settings: Settings
) -> None:
    stored = sent()
    settings.MEETINGS_TIME_BUDGET = 0.0
    assert notices(choose(admin_client, "cancel", stored, reason=" ")) == [
        "Weekly review: cancelled; pending for 2"
    ]


def test_unexpected_error_stops_one_meeting_only(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored, other = sent(uid="1", summary="One"), sent(uid="2", summary="Two")
    Meeting.objects.filter(pk=stored.pk).update(tzid="Atlantis/Capital")
    assert sorted(notices(choose(admin_client, "cancel", stored, other, reason=" "))) == [
        "One: An unexpected error occurred. The server log has the details.",
        "Two: cancelled; sent to 2",
    ]
    assert Meeting.objects.get(status="CANCELLED") == other


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OperationalError("server closed the connection"), "The database is unavailable"),
        (UnknownMeeting("1"), "no longer stored"),
        (Conflict("uid", "This meeting is over."), "This meeting is over."),
        (ZoneNotExpressible("No rule fits."), "No rule fits."),
    ],
)
def test_each_refusal_becomes_a_sentence(error: Exception, sentence: str) -> None:
    notice = refused(error)
    assert sentence in notice.text
    assert notice.level == messages.ERROR


@pytest.mark.parametrize("name", ["cancel", "resend"])
def test_viewer_may_not_run_an_action(viewer: Client, mail_server: ScriptedSMTP, name: str) -> None:
    stored = sent()
    url = action_page(stored, name)
    assert viewer.get(url).status_code == 403
    confirmed = {"confirmed": "yes", "reason": "", "to": "all"}
    assert viewer.post(url, confirmed).status_code == 403
    choose(viewer, name, stored, reason=" ", to="all")
    assert not Meeting.objects.get().is_cancelled
    assert len(mail_server.accepted) == 1


def test_action_on_too_many_meetings_is_refused(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = sent()
    copies = [
        Meeting(**{field: getattr(stored, field) for field in COPIED}, uid=str(n), ical_uid=str(n))
        for n in range(MOST_AT_ONCE)
    ]
    Meeting.objects.bulk_create(copies)
    assert notices(choose(admin_client, "cancel", *Meeting.objects.all(), reason=" ")) == [
        "Select at most 100 meetings at once."
    ]
    assert not Meeting.objects.filter(status="CANCELLED").exists()


COPIED = (
    "client",
    "dtstamp",
    "organizer_address",
    "summary",
    "start",
    "end",
    "tzid",
    "ends_at",
    "language",
)
