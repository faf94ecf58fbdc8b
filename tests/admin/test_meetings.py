"""The list of meetings, and one meeting's page."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone

from meetings.models import Attendee, Delivery, Meeting, OccurrenceOverride
from tests.admin.pages import LIST, page, page_of
from tests.conftest import Call
from tests.support.cast import BOB, CAROL, MONDAYS
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import cancelled, sent, updated
from tests.support.stories import queue

pytestmark = pytest.mark.django_db
DjangoAssertNumQueries = Any
REFUSES_CAROL = {CAROL.address: "550 5.1.1 no such user"}


def listed(client: Client, query: str) -> set[str]:
    """The uids of the meetings in the list, for a query string."""
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    return {meeting.uid for meeting in response.context["cl"].result_list}


def mail_column(client: Client) -> list[str]:
    """The chips in the column "mail" of the only meeting."""
    [column] = re.findall(r'<td class="field-mail">(.*?)</td>', page(client, LIST))
    return re.findall(r'<span class="chip [a-z]+">(.*?)</span>', column)


def test_list_shows_meeting_and_its_mail(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    sent(rule=MONDAYS)
    html = page(admin_client, LIST)
    for shown in [
        "Weekly review",
        "2032-03-01 10:00",
        "Asia/Shanghai",
        "alice@example.com",
        "meeting-1",
        "↻",
    ]:
        assert shown in html
    assert '<span class="chip outstanding">1 not told</span>' in html


def test_list_shows_all_day_meeting_by_its_date(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    sent(start=datetime(2032, 3, 1), end=datetime(2032, 3, 2), all_day=True)
    html = page(admin_client, LIST)
    assert "all day" in html
    assert "00:00" not in html


def test_list_needs_eleven_queries_at_any_length(
    admin_client: Client,
    mail_server: ScriptedSMTP,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    sent(uid="first")
    # Session, operator, pause, count, first and last day, days, clients, meetings, people who are
    # not told, mails that are being sent.
    with django_assert_num_queries(11):
        page(admin_client, LIST)
    for number in range(12):
        sent(uid=f"meeting-{number}", start=datetime(2032, 3, 1, 10), end=datetime(2032, 3, 1, 12))
    with django_assert_num_queries(11):
        page(admin_client, LIST)


def test_list_counts_who_is_not_told_of_the_current_version(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    stored = sent()
    mail_server.scripts["rcpt"] = "250 ok"
    updated(stored, summary="Monthly review")
    assert mail_column(admin_client) == ["told"]


def test_list_shows_who_is_queued_or_being_sent(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: "450 4.2.0 greylisted"}
    sent()
    assert mail_column(admin_client) == ["1 queued"]
    Delivery.objects.filter(state="sent").update(state="sending")
    assert mail_column(admin_client) == ["1 queued", "1 being sent"]
    queue("2")
    Meeting.objects.exclude(uid="2").delete()
    assert mail_column(admin_client) == ["queued"]


@pytest.mark.parametrize("words", ["meeting-2", "quarterly", "alice@", BOB.address, "BOB@"])
def test_search_finds_uid_subject_and_addresses(
    admin_client: Client, mail_server: ScriptedSMTP, words: str
) -> None:
    sent(uid="meeting-2", summary="Quarterly figures", attendees=(BOB,))
    sent(uid="another", attendees=(CAROL,))
    assert "meeting-2" in listed(admin_client, f"q={words}")
    assert ("another" in listed(admin_client, f"q={words}")) is (words == "alice@")


def test_list_filters_by_status_and_mail(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    sent(uid="fine")
    cancelled(sent(uid="off"))
    queue("due")
    under_way = sent(uid="under way", attendees=(BOB,))
    Delivery.objects.filter(meeting=under_way).update(state="sending")
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    sent(uid="refused")
    repaired = sent(uid="repaired")
    mail_server.scripts["rcpt"] = {CAROL.address: "450 4.2.0 greylisted"}
    sent(uid="deferred")
    mail_server.scripts["rcpt"] = "250 ok"
    updated(repaired, summary="Monthly review")
    Attendee.objects.filter(meeting=repaired).update(failed_sequence=0)  # of the version before
    assert listed(admin_client, "status__exact=CANCELLED") == {"off"}
    assert listed(admin_client, "mail=outstanding") == {"refused"}
    assert listed(admin_client, "mail=pending") == {"due", "under way", "deferred"}
    assert listed(admin_client, "mail=told") == {"fine", "off", "repaired"}
    assert len(listed(admin_client, "")) == 7


def test_list_filters_by_time_of_the_meeting(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    soon = timezone.localtime().replace(tzinfo=None, second=0, microsecond=0) + timedelta(days=2)
    sent(uid="soon", start=soon, end=soon + timedelta(hours=1))
    sent(uid="far", start=soon + timedelta(days=30), end=soon + timedelta(days=31))
    sent(uid="past", start=soon - timedelta(days=30), end=soon - timedelta(days=29))
    assert listed(admin_client, "when=week") == {"soon"}
    assert listed(admin_client, "when=ahead") == {"soon", "far"}
    assert listed(admin_client, "when=over") == {"past"}


def test_list_filters_by_client(
    admin_client: Client, call: Call, meeting: dict[str, object], mail_server: ScriptedSMTP
) -> None:
    call(meeting | {"uid": "booked"})
    sent(uid="another")
    booked = Meeting.objects.get(uid="booked")
    assert listed(admin_client, f"client__id__exact={booked.client_id}") == {"booked"}
    assert "HR system" in page(admin_client, page_of(booked))


def test_meeting_page_shows_how_things_stand_with_each_person(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = REFUSES_CAROL
    stored = updated(sent(rule=MONDAYS), summary="Monthly <review>")
    html = page(admin_client, page_of(stored))
    for shown in [
        "10:00–11:00 (Asia/Shanghai, UTC+08:00)",
        "every Monday",
        "Bob &lt;bob@example.org&gt;",
        "OPT-PARTICIPANT",
        "NEEDS-ACTION",
        '<span class="chip told">told</span>',
        "SEQUENCE 1, 20",
        '<span class="chip outstanding">not told</span>',
        "550 5.1.1 no such user",
        "Monthly &lt;review&gt;",
    ]:
        assert shown in html
    assert "<review>" not in html


def test_meeting_page_shows_who_was_taken_off(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = updated(sent(), attendees=(BOB,))
    html = page(admin_client, page_of(stored))
    assert html.count("not invited any more") == 1
    assert "<h2>1 attendee</h2>" in html


def test_meeting_page_needs_ten_queries(
    admin_client: Client,
    mail_server: ScriptedSMTP,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    stored = updated(sent(), summary="2")
    ContentType.objects.get_for_model(Meeting)  # a process asks for it once
    # Session, operator, mail server, pause, meeting, how it stands, versions, deliveries,
    # overrides, continuations.
    with django_assert_num_queries(10):
        page(admin_client, page_of(stored))


def test_series_page_shows_changed_occurrences(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = sent(rule=MONDAYS)
    OccurrenceOverride.objects.create(
        meeting=stored, recurrence_id=datetime(2032, 3, 8, 10), is_cancelled=True, sequence=0
    )
    assert "2032-03-08 10:00: cancelled" in page(admin_client, page_of(stored))


def test_both_parts_of_a_split_series_are_linked(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    first, later = sent(uid="1", summary="Until May"), sent(uid="2", summary="From May")
    Meeting.objects.filter(pk=later.pk).update(continues=first)
    assert f'<a href="{page_of(later)}">From May</a>' in page(admin_client, page_of(first))
    assert f'<a href="{page_of(first)}">Until May</a>' in page(admin_client, page_of(later))


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
def test_meetings_cannot_be_added_or_deleted(
    admin_client: Client, mail_server: ScriptedSMTP, path: str
) -> None:
    stored = sent()
    assert admin_client.get(LIST + path.format(pk=stored.pk)).status_code == 403


def test_meeting_cannot_be_changed_by_hand(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    stored = sent()
    assert admin_client.post(page_of(stored), {"summary": "Forged"}).status_code == 403
    assert Meeting.objects.get().summary == "Weekly review"
    assert 'name="summary"' not in page(admin_client, page_of(stored))


def test_unknown_meeting_shows_a_page_that_says_so(admin_client: Client) -> None:
    response = admin_client.get(f"{LIST}4711/change/", follow=True)
    assert "doesn’t exist" in response.content.decode()


def test_viewer_sees_no_actions_on_meetings(viewer: Client, mail_server: ScriptedSMTP) -> None:
    stored = sent()
    assert "Cancel selected" not in page(viewer, LIST)
    html = page(viewer, page_of(stored))
    assert "Cancel meeting" not in html
    assert ".eml" in html


def test_mail_is_linked_only_with_its_permission(viewer: Client, mail_server: ScriptedSMTP) -> None:
    victor = User.objects.get(username="victor")
    victor.user_permissions.remove(*victor.user_permissions.filter(codename="view_mail"))
    html = page(viewer, page_of(sent()))
    assert "REQUEST" in html
    assert ".eml" not in html
