"""Bring up to date: the background tells people what they have not been told yet."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from meetings.models import Attendee, Meeting
from meetings.operations.work import work
from tests.admin.pages import choose, log_entries, notices, page, page_of
from tests.support.cast import CAROL, MONDAYS
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import cancelled, sent
from tests.support.stories import SECOND, update

pytestmark = pytest.mark.django_db


def path_of(meeting: Meeting) -> str:
    """Where the button on the meeting's page leads."""
    return reverse("admin:meetings_meeting_bring_up_to_date", args=[meeting.pk])


def refused_for_carol(mail_server: ScriptedSMTP, uid: str = "meeting-1") -> Meeting:
    """A meeting that Carol was not told. The mail server would take it now."""
    mail_server.scripts["rcpt"] = {CAROL.address: "550 5.1.1 no such user"}
    stored = sent(uid=uid)
    mail_server.scripts["rcpt"] = "250 ok"
    return stored


def test_background_tells_only_who_was_not_told(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = refused_for_carol(mail_server)
    response = choose(admin_client, "bring_up_to_date", stored)
    assert notices(response) == ["1 meeting is being brought up to date in the background."]
    assert len(mail_server.accepted) == 1
    work()
    assert mail_server.accepted[-1].recipients == (CAROL.address,)
    assert log_entries() == ["Those who had not been told are tried again in the background."]


def test_where_nothing_is_outstanding_it_says_and_logs_nothing_else(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    told, gone = sent(uid="told"), cancelled(sent(uid="gone"))
    response = choose(admin_client, "bring_up_to_date", told, gone)
    assert notices(response) == [
        "Of 2 meetings nothing was outstanding, so there was nothing to do."
    ]
    assert log_entries() == []
    work()
    assert len(mail_server.accepted) == 4


def test_each_meeting_is_counted_by_what_is_done_for_it(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    response = choose(
        admin_client, "bring_up_to_date", refused_for_carol(mail_server), sent(uid="told")
    )
    assert notices(response) == [
        "1 meeting is being brought up to date in the background.",
        "Of 1 meeting nothing was outstanding, so there was nothing to do.",
    ]
    assert [entry.object_repr for entry in LogEntry.objects.all()] == ["Weekly review"]


def test_rest_of_a_series_is_brought_up_to_date_with_its_earlier_part(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = sent(rule=MONDAYS)
    mail_server.scripts["rcpt"] = "550 5.1.1 no such user"
    new_uid = update(stored.uid, occurrence=SECOND, and_future=True, location="Room 9").new_uid
    mail_server.scripts["rcpt"] = "250 ok"
    rest = Meeting.objects.get(uid=new_uid)
    Attendee.objects.filter(meeting=rest).update(failed_sequence=None)
    assert notices(choose(admin_client, "bring_up_to_date", rest)) == [
        "1 meeting is being brought up to date in the background."
    ]


def test_deferred_mail_is_tried_at_once(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: "450 4.2.0 greylisted"}
    stored = sent()
    mail_server.scripts["rcpt"] = "250 ok"
    assert work() == 0
    choose(admin_client, "bring_up_to_date", stored)
    work()
    assert mail_server.accepted[-1].recipients == (CAROL.address,)


def test_many_meetings_need_no_more_queries(
    admin_client: Client,
    mail_server: ScriptedSMTP,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    meetings = [refused_for_carol(mail_server, str(number)) for number in range(12)]
    # Session, operator, count twice, meetings, earlier parts, what is open, one statement for all
    # of them, log in a transaction.
    with django_assert_max_num_queries(14):
        choose(admin_client, "bring_up_to_date", *meetings)
    assert not Attendee.objects.filter(failed_sequence__isnull=False).exists()


def test_button_brings_one_meeting_up_to_date(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = refused_for_carol(mail_server)
    other = refused_for_carol(mail_server, "another")
    assert f'action="{path_of(stored)}"' in page(admin_client, page_of(stored))
    response = admin_client.post(path_of(stored), follow=True)
    assert response.redirect_chain == [(page_of(stored), 302)]
    assert "is being brought up to date" in response.content.decode()
    work()
    assert path_of(stored) not in page(admin_client, page_of(stored))
    assert path_of(other) in page(admin_client, page_of(other))


def test_button_needs_a_form(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    assert admin_client.get(path_of(refused_for_carol(mail_server))).status_code == 405


def test_unknown_meeting_is_404(admin_client: Client) -> None:
    assert admin_client.post("/admin/meetings/meeting/4711/bring_up_to_date/").status_code == 404


def test_viewer_may_not_bring_up_to_date(viewer: Client, mail_server: ScriptedSMTP) -> None:
    stored = refused_for_carol(mail_server)
    assert path_of(stored) not in page(viewer, page_of(stored))
    assert viewer.post(path_of(stored)).status_code == 403
    choose(viewer, "bring_up_to_date", stored)
    assert Attendee.objects.filter(failed_sequence__isnull=False).exists()
