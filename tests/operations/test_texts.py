"""What people read in their mails, and when: compared with what each of them was told."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
from django.utils import timezone

from meetings.itip.moment import Moment
from tests.support.background import deliver
from tests.support.cast import BOB, CAROL, DAN, MONDAYS
from tests.support.readers.mail import Invitation, mails_to
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stories import MONDAY, SECOND, cancel, queue, send, update

pytestmark = pytest.mark.usefixtures("db", "mail_server")


def newest(address: str, mail_server: ScriptedSMTP) -> Invitation:
    return mails_to(address, mail_server)[-1]


def test_newcomer_reads_nothing_of_what_was_before(mail_server: ScriptedSMTP) -> None:
    send(summary="Layoff planning")
    update(summary="Weekly sync", attendees=(BOB, DAN))
    to_dan = newest(DAN.address, mail_server)
    assert "You are invited to this meeting." in to_dan.text
    assert "Layoff" not in to_dan.mail.as_string()
    assert CAROL.address not in to_dan.mail.as_string()
    to_bob = newest(BOB.address, mail_server).text
    assert "This meeting has changed." in to_bob
    assert "Layoff planning → Weekly sync" in to_bob


def test_person_who_was_refused_reads_an_invitation(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "550 5.1.1 no such user"}
    send(summary="Layoff planning")
    mail_server.scripts["rcpt"] = "250 ok"
    update(summary="Weekly sync")
    text = newest(BOB.address, mail_server).text
    assert "You are invited to this meeting." in text
    assert "Layoff" not in text


def test_failed_update_that_is_repeated_lists_its_changes(mail_server: ScriptedSMTP) -> None:
    send()
    mail_server.scripts["mail"] = "554 5.7.1 not today"
    update(location="Room 8")
    mail_server.scripts["mail"] = "250 ok"
    update(location="Room 8")
    text = newest(BOB.address, mail_server).text
    assert "This meeting has changed." in text
    assert "Room 7 → Room 8" in text


def test_changes_of_versions_that_nobody_was_told_are_folded(mail_server: ScriptedSMTP) -> None:
    send()
    tuesday = MONDAY + timedelta(days=1)
    update(start=Moment(tuesday), end=Moment(tuesday.replace(hour=11)), summary="Draft", budget=0)
    update(location="Room 8", budget=0)
    update(location="Room 9", summary="Weekly review", budget=0)
    deliver()
    text = newest(BOB.address, mail_server).text
    changes = [line for line in text.splitlines() if line.startswith("* ")]
    assert len(changes) == 2  # the title is what it was
    assert "Mon" in changes[0]
    assert "Tue" in changes[0]
    assert "Room 7 → Room 9" in changes[1]


def test_each_person_reads_what_is_new_to_them(mail_server: ScriptedSMTP) -> None:
    send()
    mail_server.scripts["rcpt"] = {BOB.address: "550 5.1.1 no such user"}
    update(location="Room 8")
    mail_server.scripts["rcpt"] = "250 ok"
    update(summary="New")
    to_bob, to_carol = (newest(each.address, mail_server).text for each in (BOB, CAROL))
    assert ("Room 7 → Room 8" in to_bob, "Room 7" in to_carol) == (True, False)
    assert "→ New" in to_bob
    assert "→ New" in to_carol


def test_mail_again_is_no_change(mail_server: ScriptedSMTP) -> None:
    queue()
    deliver()
    update(summary="Weekly review")
    text = newest(BOB.address, mail_server).text
    assert "Here is this meeting again; nothing has changed." in text


def test_day_that_was_cancelled_alone_is_no_news_in_the_next_mail(
    mail_server: ScriptedSMTP,
) -> None:
    send(rule=MONDAYS)
    cancel(occurrence=SECOND)
    update(location="Room 9")
    text = newest(BOB.address, mail_server).text
    assert "Room 7 → Room 9" in text
    assert "Left out" not in text
    update()
    assert "nothing has changed" in newest(BOB.address, mail_server).text


def test_cancelled_day_that_a_new_time_brings_back_is_named(mail_server: ScriptedSMTP) -> None:
    send(rule=MONDAYS)
    cancel(occurrence=SECOND)
    earlier = MONDAY.replace(hour=9)
    update(start=Moment(earlier), end=Moment(MONDAY))
    text = newest(BOB.address, mail_server).text
    [repeats] = [line for line in text.splitlines() if line.startswith("* Repeats")]
    before, after = repeats.split(" → ")
    assert ("8 March 2032" in before, "8 March 2032" in after) == (True, False)


def test_cancel_has_the_times_that_its_reader_knows(mail_server: ScriptedSMTP) -> None:
    send()
    later = MONDAY + timedelta(days=7)
    update(start=Moment(later), end=Moment(later.replace(hour=11)), attendees=(BOB,), budget=0)
    deliver()
    start = newest(CAROL.address, mail_server).vevent.dtstart.value
    assert start.replace(tzinfo=None) == MONDAY


def test_removed_guest_reads_nothing_of_what_is_new(mail_server: ScriptedSMTP) -> None:
    send()
    update(attendees=(BOB,), budget=0)
    update(summary="Layoff planning", location="Room 9", budget=0)
    deliver()
    assert "Layoff" not in newest(CAROL.address, mail_server).mail.as_string()


def test_date_is_the_real_time_and_dtstamp_hardly_ahead(mail_server: ScriptedSMTP) -> None:
    before = timezone.now().replace(microsecond=0)
    send()
    for number in range(10):
        update(summary=f"Title {number}")
    after = timezone.now()
    mails = mails_to(BOB.address, mail_server)
    dates = [parsedate_to_datetime(str(mail.mail["Date"])) for mail in mails]
    assert all(before <= date <= after for date in dates)
    stamps = [mail.vevent.dtstamp.value for mail in mails]
    assert stamps == sorted(set(stamps))
    # Eleven messages in a moment need ten seconds, and no more.
    assert stamps[-1] <= after + timedelta(seconds=10)


def test_last_of_several_messages_is_stamped_with_now(mail_server: ScriptedSMTP) -> None:
    send(rule=MONDAYS, attendees=(CAROL,))
    update(occurrence=SECOND, location="Room 9")
    update(attendees=(CAROL, BOB))
    now = timezone.now()
    stamps = [mail.vevent.dtstamp.value for mail in mails_to(BOB.address, mail_server)]
    assert len(stamps) == 2
    assert stamps[0] < stamps[1] <= now


def weeks_ago(weeks: int) -> datetime:
    """10:00 in Shanghai on a day so many weeks before the next one, which is tomorrow."""
    tomorrow = (timezone.now() + timedelta(hours=8, days=1)).replace(tzinfo=None)
    return tomorrow.replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(weeks=weeks)


def test_past_occurrences_are_not_mailed_again(mail_server: ScriptedSMTP) -> None:
    first = weeks_ago(2)
    day = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[first.weekday()]
    rule = type(MONDAYS)(freq=MONDAYS.freq, count=4, by_day=(day,))
    send(start=first, end=first.replace(hour=11), rule=rule)
    for weeks in (2, 1, 0):
        update(occurrence=weeks_ago(weeks), location=f"Room {weeks}")
    before = len(mails_to(BOB.address, mail_server))
    assert before == 2  # the series, and the change of tomorrow
    update(summary="New")
    told = mails_to(BOB.address, mail_server)[before:]
    assert [mail.is_of_one for mail in told] == [False, True]
