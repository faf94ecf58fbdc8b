"""Changes and cancellations of one occurrence: what is stored, and who is told what."""

from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from meetings.itip.errors import InvalidProperty, OccurrenceCancelled
from meetings.itip.moment import Moment
from meetings.itip.recurrence.parts import RuleParts
from meetings.itip.recurrence.rule import Frequency
from meetings.models import Meeting, OccurrenceOverride
from meetings.operations.steps.errors import Conflict
from tests.support.cast import BOB, CAROL, DAN, MONDAYS
from tests.support.readers.mail import Mails, mails_to
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stories import (
    MONDAY,
    SECOND,
    THIRD,
    cancel,
    recipients,
    send,
    send_again,
    update,
)

pytestmark = pytest.mark.usefixtures("mondays")
SECOND_DAY = Moment(SECOND.replace(hour=0), is_date=True)


@pytest.fixture
def mondays(db: None, mail_server: ScriptedSMTP) -> None:
    """Three Mondays, mailed to Bob and Carol."""
    send(rule=MONDAYS)


def told(mails: Mails) -> list[tuple[str, bool, list[str]]]:
    """METHOD, whether it is about one occurrence, and the people of each mail after the first."""
    return [(mail.method, mail.is_of_one, mail.people) for mail in mails()[1:]]


def test_later_requests_leave_out_cancelled_occurrence(mails: Mails) -> None:
    standing = cancel(occurrence=SECOND)
    assert (standing.sequence, standing.occurrences) == (1, (MONDAY, THIRD))
    assert OccurrenceOverride.objects.get().is_cancelled
    assert not Meeting.objects.get().is_cancelled
    update(summary="New")
    _, to_bob, to_carol, request = mails()
    assert [
        mail.vevent.recurrence_id.value.replace(tzinfo=None) for mail in (to_bob, to_carol)
    ] == [SECOND, SECOND]
    assert [when.replace(tzinfo=None) for when in request.vevent.exdate.value] == [SECOND]
    assert request.sequence == 2


def test_changed_occurrence_follows_each_series_request(mails: Mails) -> None:
    update(occurrence=SECOND, location="Room 9")
    update(summary="New")
    both = [BOB.address, CAROL.address]
    assert told(mails) == [
        ("REQUEST", True, both),
        ("REQUEST", False, both),
        ("REQUEST", True, both),
    ]
    last = mails()[-1].vevent
    assert (last.summary.value, last.location.value) == ("New", "Room 9")


def test_other_people_of_one_occurrence_stay_as_differences(mails: Mails) -> None:
    standing = update(occurrence=SECOND, attendees=(BOB, DAN))
    assert recipients(standing) == dict.fromkeys((BOB.address, CAROL.address, DAN.address), "told")
    of_second = [BOB.address, DAN.address]
    assert sorted(told(mails)) == [
        ("CANCEL", True, [CAROL.address]),
        ("REQUEST", True, of_second),
        ("REQUEST", True, of_second),
    ]
    override = OccurrenceOverride.objects.get()
    assert [person["address"] for person in override.added] == [DAN.address]
    assert override.removed == [CAROL.address]


def test_guest_of_one_occurrence_hears_only_of_it(mail_server: ScriptedSMTP) -> None:
    update(occurrence=SECOND, attendees=(BOB, CAROL, DAN))
    update(occurrence=THIRD, location="Room 9")
    cancel(occurrence=MONDAY)
    assert len(mails_to(DAN.address, mail_server)) == 1
    update(summary="New")
    second = mails_to(DAN.address, mail_server)[-1]
    assert (second.is_of_one, second.vevent.summary.value) == (True, "New")
    assert len(mails_to(DAN.address, mail_server)) == 2


def test_removed_guest_leaves_each_occurrence(mail_server: ScriptedSMTP) -> None:
    update(occurrence=SECOND, location="Room 9")
    update(attendees=(BOB,))
    to_carol = mails_to(CAROL.address, mail_server)[2:]
    assert [(mail.method, mail.is_of_one) for mail in to_carol] == [("CANCEL", False)]


def test_newcomer_is_on_each_occurrence(mail_server: ScriptedSMTP) -> None:
    update(occurrence=SECOND, location="Room 9")
    update(attendees=(BOB, CAROL, DAN))
    to_dan = mails_to(DAN.address, mail_server)
    assert [mail.is_of_one for mail in to_dan] == [False, True]
    assert DAN.address in to_dan[-1].people


def test_new_series_time_drops_single_changes() -> None:
    update(occurrence=SECOND, location="Room 9")
    cancel(occurrence=THIRD)
    update(start=Moment(MONDAY.replace(hour=9)))
    assert not OccurrenceOverride.objects.exists()


def test_exdate_drops_the_change_of_its_day(mails: Mails) -> None:
    update(occurrence=SECOND, location="Room 9")
    parts = RuleParts(
        freq=Frequency.WEEKLY, count=3, by_day=((None, "MO"),), exdates=(Moment(SECOND),)
    )
    standing = update(recurrence=parts)
    assert standing.occurrences == (MONDAY, THIRD)
    assert not OccurrenceOverride.objects.exists()
    assert [(method, one) for method, one, _ in told(mails)][1:] == [
        ("CANCEL", True),
        ("CANCEL", True),
        ("REQUEST", False),
    ]


def test_dtstamps_of_one_person_rise_within_a_version(mails: Mails) -> None:
    update(occurrence=SECOND, location="Room 9")
    update(description="Other")
    stamps = [mail.dtstamp for mail in mails()]
    assert stamps == sorted(set(stamps))


def test_cancelled_occurrence_is_not_changed_again() -> None:
    cancel(occurrence=SECOND)
    with pytest.raises(OccurrenceCancelled):
        update(occurrence=SECOND, summary="New")
    assert Meeting.objects.get().sequence == 1


def test_cancelled_meeting_refuses_occurrence_changes() -> None:
    cancel()
    with pytest.raises(Conflict):
        update(occurrence=SECOND, summary="New")
    with pytest.raises(Conflict):
        cancel(occurrence=SECOND)


@pytest.mark.parametrize(
    "changes", [{"start": SECOND_DAY, "end": SECOND_DAY}, {"start": SECOND_DAY}]
)
def test_occurrence_of_a_timed_series_does_not_become_all_day(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidProperty):
        update(occurrence=SECOND, **changes)


def test_series_has_so_many_changed_occurrences_at_most(settings: Settings) -> None:
    settings.MEETINGS_MAX_CHANGED_OCCURRENCES = 1
    update(occurrence=SECOND, location="Room 9")
    update(occurrence=SECOND, location="Room 8")
    with pytest.raises(InvalidProperty):
        update(occurrence=THIRD, location="Room 9")


def test_guest_who_was_refused_gets_the_series_and_not_the_occurrence_alone(
    mail_server: ScriptedSMTP,
) -> None:
    mail_server.scripts["rcpt"] = {DAN.address: "550 5.1.1 no such user"}
    send(uid="other", rule=MONDAYS, attendees=(BOB, DAN))
    mail_server.scripts["rcpt"] = "250 ok"
    update("other", occurrence=SECOND, location="Room 9")
    assert [mail.is_of_one for mail in mails_to(DAN.address, mail_server)] == [False, True]


def test_mail_again_is_the_series_first_where_the_occurrence_was_deferred(
    mail_server: ScriptedSMTP,
) -> None:
    update(occurrence=SECOND, location="Room 9")
    replies = iter(["250 ok", "451 4.3.0 later"])
    mail_server.scripts["rcpt"] = lambda to: next(replies) if to == DAN.address else "250 ok"
    assert recipients(update(attendees=(BOB, CAROL, DAN)))[DAN.address] == "queued"
    mail_server.scripts["rcpt"] = "250 ok"
    send_again(to=DAN.address)
    assert [mail.is_of_one for mail in mails_to(DAN.address, mail_server)] == [False, False, True]


def test_mail_again_reaches_a_guest_of_one_occurrence(mail_server: ScriptedSMTP) -> None:
    update(occurrence=SECOND, attendees=(BOB, CAROL, DAN))
    send_again()
    first, again = mails_to(DAN.address, mail_server)
    assert (first.is_of_one, again.is_of_one) == (True, True)
    assert again.dtstamp > first.dtstamp


def test_mail_again_to_a_removed_guest_is_nothing(mail_server: ScriptedSMTP) -> None:
    update(attendees=(BOB,))
    before = len(mail_server.accepted)
    assert recipients(send_again(to=CAROL.address))[CAROL.address] == "told"
    assert len(mail_server.accepted) == before


def test_name_of_a_guest_may_change_for_one_occurrence(mails: Mails) -> None:
    update(occurrence=SECOND, attendees=(replace(BOB, name="Robert"), CAROL))
    [(method, is_of_one, people)] = told(mails)
    assert (method, is_of_one, sorted(people)) == ("REQUEST", True, [BOB.address, CAROL.address])
