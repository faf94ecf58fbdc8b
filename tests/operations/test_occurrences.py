"""Changes and cancellations of one occurrence, and of this and future ones: stored and mailed."""

from datetime import datetime

import pytest

from meetings.itip.errors import InvalidProperty, OccurrenceCancelled
from meetings.itip.moment import Moment
from meetings.models import DeliveryState, Meeting, OccurrenceOverride
from meetings.operations.steps.errors import Conflict
from tests.support.cast import BOB, CAROL, DAN, MONDAYS
from tests.support.readers.mail import Mails
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stories import cancel, send, update

pytestmark = pytest.mark.usefixtures("mondays")
FIRST, SECOND, THIRD = (datetime(2027, 3, day, 10) for day in (1, 8, 15))


@pytest.fixture
def mondays(db: None, mail_server: ScriptedSMTP) -> None:
    """Three Mondays, mailed to Bob and Carol."""
    send(rule=MONDAYS)


def test_later_requests_leave_out_cancelled_occurrence(mails: Mails) -> None:
    standing = cancel(occurrence=SECOND)
    assert (standing.sequence, standing.occurrences) == (1, (FIRST, THIRD))
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
    update(occurrence=SECOND, location="Room 9", attendees=(BOB, DAN))
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


def test_new_series_time_drops_single_changes() -> None:
    update(occurrence=SECOND, location="Room 9")
    cancel(occurrence=THIRD)
    update(start=Moment(FIRST.replace(hour=9)))
    assert not OccurrenceOverride.objects.exists()


def test_occurrence_cannot_be_cancelled_twice() -> None:
    cancel(occurrence=SECOND)
    with pytest.raises(OccurrenceCancelled):
        cancel(occurrence=SECOND)
    assert Meeting.objects.get().sequence == 1


def test_cancelled_meeting_refuses_occurrence_changes() -> None:
    cancel()
    with pytest.raises(Conflict):
        update(occurrence=SECOND, summary="New")
    with pytest.raises(Conflict):
        cancel(occurrence=SECOND)


def test_split_continues_the_series_under_a_new_uid(mails: Mails) -> None:
    standing = update(occurrence=SECOND, and_future=True, location="Room 9")
    old, new = Meeting.objects.get(uid="meeting-1"), Meeting.objects.get(uid=standing.new_uid)
    assert new.continues == old
    assert old.event().occurrences == (FIRST,)
    assert (new.event().occurrences, new.location) == ((SECOND, THIRD), "Room 9")
    assert standing.recipients == {
        BOB.address: DeliveryState.SENT,
        CAROL.address: DeliveryState.SENT,
    }
    _, ended, rest = mails()
    assert (ended.vevent.uid.value, ended.sequence) == ("meeting-1", 1)
    assert ended.vevent.rrule.value == "FREQ=WEEKLY;UNTIL=20270301T020000Z;BYDAY=MO"
    assert (rest.vevent.uid.value, rest.sequence, rest.vevent.rrule.value) == (
        standing.new_uid,
        0,
        "FREQ=WEEKLY;COUNT=2;BYDAY=MO",
    )


def test_cancelling_this_and_future_ends_the_series(mails: Mails) -> None:
    standing = cancel(occurrence=THIRD, and_future=True)
    assert (standing.new_uid, standing.occurrences) == ("", (FIRST, SECOND))
    assert [mail.method for mail in mails()] == ["REQUEST", "REQUEST"]


def test_refused_split_stores_nothing() -> None:
    with pytest.raises(InvalidProperty):
        update(occurrence=FIRST, and_future=True)
    assert Meeting.objects.get().sequence == 0


def test_unsent_cancel_of_occurrence_can_be_repeated(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["mail"] = "451 4.3.0 later"
    assert not cancel(occurrence=SECOND).sent
    mail_server.scripts["mail"] = "250 ok"
    standing = cancel(occurrence=SECOND)
    assert (standing.sequence, standing.sent) == (1, True)
    with pytest.raises(OccurrenceCancelled):
        cancel(occurrence=SECOND)
