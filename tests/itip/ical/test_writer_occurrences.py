"""Single occurrences in the calendar that is sent, and days that only some readers miss."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from meetings.itip.event import Event, Override
from meetings.itip.group import Reader, grouped
from meetings.itip.message import Message, Method
from meetings.itip.occurrence import occurrence_of
from meetings.itip.outstanding import Present, outstanding
from meetings.itip.readers import Past, planned
from meetings.itip.told import Person, RecurrenceId, ToldOccurrence
from tests.support.cast import BOB, CAROL, MONDAYS, NOW, meeting, request
from tests.support.readers.content_lines import lines, names, values

SERIES = meeting(rule=MONDAYS)
SECOND = datetime(2027, 3, 8, 10)
LAST = datetime(2027, 3, 15, 10)


def sent(event: Event, *people: Person) -> list[Message]:
    """What is outstanding for ``people``."""
    present = Present(event, NOW)
    readers = [Reader(person, outstanding(present, person)) for person in people]
    return [each.message for each in planned(present, grouped(readers), Past(event, {}))]


def times(message: Message) -> list[str]:
    return [
        value for name in ("RECURRENCE-ID", "DTSTART", "DTEND") for value in values(message, name)
    ]


def test_changed_occurrence_names_both_its_starts() -> None:
    start = datetime(2027, 3, 9, 15)
    moved = Override(recurrence_id=SECOND, start=start, end=start + timedelta(hours=2))
    series = replace(SERIES, overrides=(moved,))
    message = replace(request(), event=occurrence_of(series, SECOND))
    assert times(message) == [
        ";TZID=Asia/Shanghai:20270308T100000",
        ";TZID=Asia/Shanghai:20270309T150000",
        ";TZID=Asia/Shanghai:20270309T170000",
    ]
    assert names(message)["RRULE"] == names(message)["EXDATE"] == 0
    assert values(message, "X-MICROSOFT-CDO-INSTTYPE") == [":3"]


def test_cancelled_occurrences_are_exdates_with_the_days_left_out() -> None:
    cancelled = Override(recurrence_id=LAST, is_cancelled=True)
    series = replace(SERIES, exdates=(SECOND,), overrides=(cancelled,))
    assert values(replace(request(), event=series), "EXDATE") == [
        ";TZID=Asia/Shanghai:20270308T100000",
        ";TZID=Asia/Shanghai:20270315T100000",
    ]


def test_changed_occurrence_is_no_exdate() -> None:
    series = replace(SERIES, overrides=(Override(recurrence_id=SECOND, location="Room 8"),))
    assert values(replace(request(), event=series), "EXDATE") == []


def test_exdate_of_some_readers_is_in_their_request_only() -> None:
    without_bob = Override(recurrence_id=SECOND, removed=(BOB.address,))
    series = replace(SERIES, exdates=(LAST,), overrides=(without_bob,))
    of_bob, of_carol, occurrence = sent(series, Person(attendee=BOB), Person(attendee=CAROL))
    assert of_bob.recipients == (BOB,)
    assert values(of_bob, "EXDATE") == [
        ";TZID=Asia/Shanghai:20270308T100000",
        ";TZID=Asia/Shanghai:20270315T100000",
    ]
    assert of_carol.recipients == occurrence.recipients == (CAROL,)
    assert values(of_carol, "EXDATE") == [";TZID=Asia/Shanghai:20270315T100000"]
    assert not any("bob" in attendee for attendee in values(occurrence, "ATTENDEE"))


def knows(identity: RecurrenceId) -> Person:
    """Bob, who was sent the series, and that occurrence of it alone."""
    row = ToldOccurrence(
        recurrence_id=identity,
        method=Method.REQUEST,
        sequence=1,
        alone=True,
        ends_at=datetime(2027, 3, 9, tzinfo=NOW.tzinfo),
    )
    return Person(attendee=BOB, method=Method.REQUEST, sequence=1, asked=2, occurrences=(row,))


def test_occurrence_told_in_another_zone_is_cancelled_in_that_zone() -> None:
    moved = replace(SERIES, sequence=2, whole_sequence=2)
    old, *_, whole = sent(moved, knows(RecurrenceId(SECOND, "America/New_York")))
    assert old.method is Method.CANCEL
    assert times(old) == [
        ";TZID=America/New_York:20270308T100000",
        ";TZID=America/New_York:20270308T100000",
        ";TZID=America/New_York:20270308T110000",
    ]
    assert "TZID:America/New_York" in lines(old)
    assert "TZID:Asia/Shanghai" not in lines(old)
    assert "TZID:Asia/Shanghai" in lines(whole)


@pytest.mark.parametrize("tzid", ["UTC", "Etc/UTC"])
def test_occurrence_told_in_utc_is_cancelled_in_utc(tzid: str) -> None:
    moved = replace(SERIES, sequence=2, whole_sequence=2)
    old, *_ = sent(moved, knows(RecurrenceId(SECOND, tzid)))
    assert times(old) == [":20270308T100000Z", ":20270308T100000Z", ":20270308T110000Z"]
    assert "BEGIN:VTIMEZONE" not in lines(old)


def test_all_day_occurrence_has_dates_only() -> None:
    start = datetime(2027, 3, 8)
    day = meeting(all_day=True, start=start, end=start + timedelta(days=1), recurrence_id=start)
    message = replace(request(), event=day)
    assert times(message) == [
        ";VALUE=DATE:20270308",
        ";VALUE=DATE:20270308",
        ";VALUE=DATE:20270309",
    ]
    assert "BEGIN:VTIMEZONE" not in lines(message)


def test_occurrence_told_as_a_day_is_cancelled_as_a_day() -> None:
    moved = replace(SERIES, sequence=2, whole_sequence=2)
    day = datetime(2027, 3, 8)
    old, _ = sent(moved, knows(RecurrenceId(day)))
    assert times(old) == [
        ";VALUE=DATE:20270308",
        ";VALUE=DATE:20270308",
        ";VALUE=DATE:20270309",
    ]
    assert "BEGIN:VTIMEZONE" not in lines(old)


def test_occurrence_told_with_a_time_is_cancelled_with_it() -> None:
    days = meeting(rule=MONDAYS, all_day=True, start=datetime(2027, 3, 1), end=datetime(2027, 3, 2))
    moved = replace(days, sequence=2, whole_sequence=2)
    old, _ = sent(moved, knows(RecurrenceId(SECOND, "Asia/Shanghai")))
    assert times(old)[:2] == [";TZID=Asia/Shanghai:20270308T100000"] * 2
    assert "TZID:Asia/Shanghai" in lines(old)
