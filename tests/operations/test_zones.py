"""A stored series whose zone got a new law, by a new tzdata, that no VTIMEZONE describes.

Asia/Gaza keeps summer time around Ramadan, which moves through the year: two years of Mondays from
2036 on cannot be described. As if the law had come later, the series is stored in another zone.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from meetings.itip.errors import ZoneNotExpressible
from meetings.itip.message import NoteKind
from meetings.itip.moment import Moment
from meetings.itip.recurrence.rule import Frequency, Rule
from meetings.models import Meeting
from tests.support.cast import BOB, CAROL
from tests.support.readers.mail import mails_to
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stories import cancel, recipients, send, send_again, update

FIRST = datetime(2036, 1, 7, 10)
SERIES: dict[str, Any] = {
    "start": FIRST,
    "end": FIRST.replace(hour=11),
    "rule": Rule(freq=Frequency.WEEKLY, count=104, by_day=("MO",)),
}
BOTH_TOLD = {BOB.address: "told", CAROL.address: "told"}
pytestmark = pytest.mark.usefixtures("series_in_gaza")


@pytest.fixture
def series_in_gaza(db: None, mail_server: ScriptedSMTP) -> None:
    send(**SERIES)
    Meeting.objects.update(tzid="Asia/Gaza")


def test_new_series_there_is_refused() -> None:
    with pytest.raises(ZoneNotExpressible):
        send(uid="other", tzid="Asia/Gaza", **SERIES)


def test_stored_series_can_be_renamed(mail_server: ScriptedSMTP) -> None:
    assert recipients(update(summary="New")) == BOTH_TOLD
    assert mails_to(BOB.address, mail_server)[-1].vevent.summary.value == "New"


def test_stored_series_can_be_cancelled(mail_server: ScriptedSMTP) -> None:
    assert recipients(cancel()) == BOTH_TOLD
    assert mails_to(BOB.address, mail_server)[-1].method == "CANCEL"


def test_one_occurrence_of_it_can_be_changed_and_cancelled() -> None:
    assert recipients(update(occurrence=FIRST, location="Room 9")) == BOTH_TOLD
    assert recipients(cancel(occurrence=FIRST)) == BOTH_TOLD


def test_request_of_it_warns_from_which_day_on_it_is_wrong() -> None:
    [note] = update(summary="New").notes
    assert note.kind is NoteKind.ZONE_NOT_EXPRESSIBLE
    with pytest.raises(ZoneNotExpressible, match=f"End the series before {note.start:%Y-%m-%d} "):
        update(start=Moment(FIRST), end=Moment(FIRST.replace(hour=11)))


def test_mail_that_is_right_does_not_warn() -> None:
    for standing in (
        update(occurrence=FIRST, location="Room 9"),
        cancel(occurrence=FIRST + timedelta(weeks=1)),
        cancel(occurrence=FIRST + timedelta(weeks=20), and_future=True),
        cancel(),
    ):
        assert standing.notes == ()


def test_mail_that_goes_again_warns_too(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["mail"] = "450 4.2.0 later"
    first = update(summary="New")
    mail_server.scripts["mail"] = "250 ok"
    again = send_again(only_failed=True)
    assert len(first.notes) == 1
    assert again.notes == first.notes
    assert send_again(only_failed=True).notes == ()


def test_same_send_again_is_the_same_call() -> None:
    assert recipients(send(tzid="Asia/Gaza", **SERIES)) == BOTH_TOLD


def test_new_times_in_it_are_refused() -> None:
    with pytest.raises(ZoneNotExpressible):
        update(start=Moment(FIRST.replace(hour=9)))
    assert Meeting.objects.get().sequence == 0
