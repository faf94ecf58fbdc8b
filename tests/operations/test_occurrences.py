"""One occurrence changed or cancelled, and this and future, as they are stored and mailed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from meetings.deadline import Deadline
from meetings.itip.edit import Edit
from meetings.itip.errors import InvalidProperty, OccurrenceCancelled
from meetings.itip.event import Attendee
from meetings.itip.moment import Moment
from meetings.models import DeliveryState, Meeting, OccurrenceOverride
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.split_series import split_series
from meetings.operations.steps.call import Cancel, Update
from meetings.operations.steps.errors import Conflict
from meetings.operations.update_meeting import update_meeting
from meetings.queries.standing import Standing
from tests.operations.conftest import TESTS, Do
from tests.support.cast import BOB, CAROL, MONDAYS
from tests.support.mail import Invitation
from tests.support.smtp_server import ScriptedSMTP

Mails = Callable[[], list[Invitation]]
FIRST, SECOND, THIRD = (datetime(2027, 3, day, 10) for day in (1, 8, 15))
DAN = Attendee(address="dan@example.org", name="Dan")


def change_one(when: datetime, **changes: Any) -> Standing:
    command = Update(uid="meeting-1", edit=Edit(**changes), occurrence=Moment(when))
    return update_meeting(command, TESTS, now=timezone.now(), deadline=Deadline(10))


def cancel_one(when: datetime) -> Standing:
    command = Cancel(uid="meeting-1", occurrence=Moment(when))
    return cancel_meeting(command, TESTS, now=timezone.now(), deadline=Deadline(10))


def change_from(when: datetime, **changes: Any) -> Standing:
    edit = Edit(**changes)
    return split(Update(uid="meeting-1", edit=edit, occurrence=Moment(when), and_future=True))


def cancel_from(when: datetime) -> Standing:
    return split(Cancel(uid="meeting-1", occurrence=Moment(when), and_future=True))


def split(command: Update | Cancel) -> Standing:
    return split_series(command, TESTS, now=timezone.now(), deadline=Deadline(10))


@pytest.fixture
def series(send: Do) -> None:
    send(rule=MONDAYS)


@pytest.mark.usefixtures("series")
def test_a_cancelled_occurrence_is_remembered_and_left_out_of_later_requests(
    update: Do, mails: Mails
) -> None:
    receipt = cancel_one(SECOND)
    assert (receipt.sequence, receipt.occurrences) == (1, (FIRST, THIRD))
    assert OccurrenceOverride.objects.get().is_cancelled
    assert not Meeting.objects.get().is_cancelled
    update(summary="New")
    _, to_bob, to_carol, request = mails()
    assert [
        mail.vevent.recurrence_id.value.replace(tzinfo=None) for mail in (to_bob, to_carol)
    ] == [SECOND, SECOND]
    assert [when.replace(tzinfo=None) for when in request.vevent.exdate.value] == [SECOND]
    assert request.sequence == 2


@pytest.mark.usefixtures("series")
def test_a_changed_occurrence_is_stored_and_follows_every_request_for_the_series(
    update: Do, mails: Mails
) -> None:
    change_one(SECOND, location="Room 9", attendees=(BOB, DAN))
    update(summary="New")
    told = [(mail.method, hasattr(mail.vevent, "recurrence_id"), mail.people) for mail in mails()]
    assert told == [
        ("REQUEST", False, [BOB.address, CAROL.address]),
        ("CANCEL", True, [CAROL.address]),
        ("REQUEST", True, [BOB.address, DAN.address]),
        ("REQUEST", False, [BOB.address, CAROL.address]),
        ("CANCEL", True, [CAROL.address]),
        ("REQUEST", True, [BOB.address, DAN.address]),
    ]
    last = mails()[-1].vevent
    assert (last.summary.value, last.location.value) == ("New", "Room 9")
    assert Meeting.objects.get().event().overrides[0].attendees == (BOB, DAN)


@pytest.mark.usefixtures("series")
def test_a_new_time_of_the_series_drops_what_was_stored_of_single_occurrences(update: Do) -> None:
    change_one(SECOND, location="Room 9")
    cancel_one(THIRD)
    update(start=Moment(FIRST.replace(hour=9)))
    assert not OccurrenceOverride.objects.exists()


@pytest.mark.usefixtures("series")
def test_an_occurrence_is_not_cancelled_twice() -> None:
    cancel_one(SECOND)
    with pytest.raises(OccurrenceCancelled):
        cancel_one(SECOND)
    assert Meeting.objects.get().sequence == 1


@pytest.mark.usefixtures("series")
def test_no_occurrence_of_a_cancelled_meeting_can_be_changed(cancel: Do) -> None:
    cancel()
    with pytest.raises(Conflict):
        change_one(SECOND, summary="New")
    with pytest.raises(Conflict):
        cancel_one(SECOND)


@pytest.mark.usefixtures("series")
def test_this_and_future_ends_the_series_and_goes_on_under_a_new_linked_uid(mails: Mails) -> None:
    receipt = change_from(SECOND, location="Room 9")
    old, new = Meeting.objects.get(uid="meeting-1"), Meeting.objects.get(uid=receipt.new_uid)
    assert new.continues == old
    assert old.event().occurrences == (FIRST,)
    assert (new.event().occurrences, new.location) == ((SECOND, THIRD), "Room 9")
    assert receipt.recipients == {
        BOB.address: DeliveryState.SENT,
        CAROL.address: DeliveryState.SENT,
    }
    _, ended, rest = mails()
    assert (ended.vevent.uid.value, ended.sequence) == ("meeting-1", 1)
    assert ended.vevent.rrule.value == "FREQ=WEEKLY;UNTIL=20270301T020000Z;BYDAY=MO"
    assert (rest.vevent.uid.value, rest.sequence, rest.vevent.rrule.value) == (
        receipt.new_uid,
        0,
        "FREQ=WEEKLY;COUNT=2;BYDAY=MO",
    )


@pytest.mark.usefixtures("series")
def test_cancelling_this_and_future_only_ends_the_series(mails: Mails) -> None:
    receipt = cancel_from(THIRD)
    assert (receipt.new_uid, receipt.occurrences) == ("", (FIRST, SECOND))
    assert [mail.method for mail in mails()] == ["REQUEST", "REQUEST"]


@pytest.mark.usefixtures("series")
def test_a_split_that_is_refused_stores_nothing() -> None:
    with pytest.raises(InvalidProperty):
        change_from(FIRST)
    assert Meeting.objects.get().sequence == 0


@pytest.mark.usefixtures("series")
def test_a_cancelled_occurrence_that_nobody_was_told_of_may_be_cancelled_again(
    mail_server: ScriptedSMTP,
) -> None:
    mail_server.scripts["mail"] = "451 4.3.0 later"
    assert not cancel_one(SECOND).sent
    mail_server.scripts["mail"] = "250 ok"
    receipt = cancel_one(SECOND)
    assert (receipt.sequence, receipt.sent) == (1, True)
    with pytest.raises(OccurrenceCancelled):
        cancel_one(SECOND)
