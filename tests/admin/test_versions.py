"""What each version changed, on the page of its meeting."""

from datetime import datetime

import pytest
from django.test import Client

from meetings.admin.versions import ChangeRow, VersionText, version_in_words
from meetings.models import Delivery, Meeting
from meetings.queries.history import DELIVERIES_SHOWN, VERSIONS_SHOWN, history_of
from tests.admin.pages import page, page_of
from tests.support import stories
from tests.support.cast import BOB, CAROL, DAN, MONDAYS
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import sent, updated

pytestmark = pytest.mark.django_db
SECOND = datetime(2032, 3, 8, 10)


def newest_version(meeting: Meeting) -> VersionText:
    return version_in_words(history_of(meeting, most=1).versions[0])


def test_changed_property_has_old_and_new_value(mail_server: ScriptedSMTP) -> None:
    stored = updated(sent(), summary="Monthly review")
    assert newest_version(stored).changes == [
        ChangeRow("SUMMARY", "Weekly review", "Monthly review")
    ]


def test_people_are_listed_as_added_removed_and_changed(mail_server: ScriptedSMTP) -> None:
    required = CAROL.__class__(address=CAROL.address, name=CAROL.name)
    stored = updated(sent(), attendees=(required, DAN))
    assert newest_version(stored).changes == [
        ChangeRow("ATTENDEE", "", "Dan <dan@example.org> (REQ-PARTICIPANT)"),
        ChangeRow("ATTENDEE", "Bob <bob@example.org> (REQ-PARTICIPANT)", ""),
        ChangeRow(
            "ATTENDEE", "Carol <carol@example.net> (OPT-PARTICIPANT)", "another name or role"
        ),
    ]


def test_long_list_of_people_is_cut(mail_server: ScriptedSMTP) -> None:
    crowd = tuple(BOB.__class__(address=f"a{number}@example.org") for number in range(23))
    [added] = newest_version(updated(sent(attendees=(BOB,)), attendees=(BOB, *crowd))).changes
    assert added.new.startswith("a0@example.org (REQ-PARTICIPANT)\na1@")
    assert added.new.endswith("\nand 3 more")


def test_version_of_one_occurrence_names_it(mail_server: ScriptedSMTP) -> None:
    stored = sent(rule=MONDAYS)
    stories.cancel(stored.uid, occurrence=SECOND, reason="A holiday.")
    shown = newest_version(stored)
    assert shown.about == "Only the occurrence of 2032-03-08 10:00"
    assert shown.changes == [ChangeRow("STATUS", "CONFIRMED", "CANCELLED")]


def test_version_that_ends_a_series_says_where(mail_server: ScriptedSMTP) -> None:
    stored = sent(rule=MONDAYS)
    stories.cancel(stored.uid, occurrence=SECOND, and_future=True)
    shown = newest_version(stored)
    assert shown.about == "The series ends before its occurrence of 2032-03-08 10:00"
    assert [change.name for change in shown.changes] == ["RRULE"]


def test_day_of_an_all_day_series_has_no_time(mail_server: ScriptedSMTP) -> None:
    days = {"start": datetime(2032, 3, 1), "end": datetime(2032, 3, 2), "all_day": True}
    stored = sent(rule=MONDAYS, **days)
    stories.cancel(stored.uid, occurrence=datetime(2032, 3, 8))
    assert newest_version(stored).about == "Only the occurrence of 2032-03-08"


def test_page_shows_changes_reason_and_mails(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = updated(sent(rule=MONDAYS), attendees=(BOB,))
    stories.cancel(stored.uid, occurrence=SECOND, reason="A <holiday>.")
    html = page(admin_client, page_of(stored))
    for shown in [
        "SEQUENCE 2",
        "key HR system",
        "Only the occurrence of 2032-03-08 10:00",
        "Reason: A &lt;holiday&gt;.",
        "Carol &lt;carol@example.net&gt; (OPT-PARTICIPANT)",
        "TZID=Asia/Shanghai:20320308T100000",
    ]:
        assert shown in html
    assert "<holiday>" not in html


def test_mails_belong_to_the_version_that_they_tell(mail_server: ScriptedSMTP) -> None:
    stored = updated(sent(), attendees=(BOB,))
    newest, first = history_of(stored, most=None).versions
    assert methods(newest.deliveries) == {(BOB.address, "REQUEST"), (CAROL.address, "CANCEL")}
    assert methods(first.deliveries) == {(BOB.address, "REQUEST"), (CAROL.address, "REQUEST")}


def test_each_version_shows_its_newest_mails(mail_server: ScriptedSMTP) -> None:
    crowd = tuple(BOB.__class__(address=f"a{number}@example.org") for number in range(60))
    stored = updated(sent(attendees=crowd), summary="Monthly review")
    for shown in history_of(stored, most=None).versions:
        assert len(shown.deliveries) == DELIVERIES_SHOWN
        assert shown.has_more


def methods(deliveries: list[Delivery]) -> set[tuple[str, str]]:
    return {(each.attendee.address, each.mail.method) for each in deliveries}


def test_meeting_page_links_to_older_versions(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = sent()
    for number in range(VERSIONS_SHOWN):
        stored = updated(stored, summary=str(number))
    html = page(admin_client, page_of(stored))
    assert "<h3>SEQUENCE 0" not in html
    assert "1 older version" in html
    assert "<h3>SEQUENCE 0" in page(admin_client, page_of(stored) + "?all=1")


def test_meeting_page_links_to_all_deliveries(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    crowd = tuple(BOB.__class__(address=f"a{number}@example.org") for number in range(60))
    stored = sent(attendees=crowd)
    assert len(crowd) > DELIVERIES_SHOWN
    query = f"mail__meeting__id__exact={stored.pk}&amp;mail__sequence__exact=0"
    link = f"/admin/meetings/delivery/?{query}"
    assert link in page(admin_client, page_of(stored))
    sent(uid="another")
    found = admin_client.get(link.replace("&amp;", "&"))
    assert found.context["cl"].result_count == 60
