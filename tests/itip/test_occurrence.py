"""One occurrence is changed or cancelled, or the series is split (interop R10, R12–R15)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from meetings.itip import organizer
from meetings.itip.changes import same_content
from meetings.itip.errors import InvalidProperty, OccurrenceCancelled
from meetings.itip.event import Attendee, Event, Override
from meetings.itip.ical.writer import to_ical
from meetings.itip.message import Message, Method, Version
from meetings.itip.occurrence import occurrence_of, require_occurrence, split
from meetings.itip.recurrence.rule import Rule
from tests.support.cast import BOB, CAROL, MONDAYS, NOW, meeting
from tests.support.readers.content_lines import vevent

FIRST, SECOND, THIRD = (datetime(2027, 3, day, 10) for day in (1, 8, 15))
DAN = Attendee(address="dan@example.org", name="Dan")
HOUR = timedelta(hours=1)


def series(**changes: Any) -> Event:
    return meeting(rule=MONDAYS, **changes)


def change(stored: Event, when: datetime, **changes: Any) -> Version:
    wanted = replace(occurrence_of(stored, when), **changes)
    return organizer.update_occurrence(stored, when, wanted, now=NOW, last_dtstamp=NOW)


def cancel(stored: Event, when: datetime) -> Version:
    return organizer.cancel_occurrence(stored, when, now=NOW, last_dtstamp=NOW)


def renamed(stored: Event) -> Version:
    return organizer.update(stored, replace(stored, summary="New"), now=NOW, last_dtstamp=NOW)


def occurrences_told(version: Version) -> list[tuple[Method, datetime | None, tuple[str, ...]]]:
    """METHOD, RECURRENCE-ID and recipients of each message, in order."""
    return [
        (
            message.method,
            message.event.recurrence_id,
            tuple(person.address for person in message.recipients),
        )
        for message in version.messages
    ]


def lines_with(message: Message, *names: str) -> list[str]:
    return [line for line in vevent(message) if line.partition(":")[0].partition(";")[0] in names]


def test_r12_cancel_names_recurrence_id_and_no_rule() -> None:
    version = cancel(series(), SECOND)
    assert occurrences_told(version) == [
        (Method.CANCEL, SECOND, (BOB.address,)),
        (Method.CANCEL, SECOND, (CAROL.address,)),
    ]
    names = ("RECURRENCE-ID", "DTSTART", "RRULE", "STATUS", "SEQUENCE")
    assert lines_with(version.messages[0], *names) == [
        "DTSTART;TZID=Asia/Shanghai:20270308T100000",
        "RECURRENCE-ID;TZID=Asia/Shanghai:20270308T100000",
        "SEQUENCE:1",
        "STATUS:CANCELLED",
    ]


def test_r12_later_request_excludes_cancelled_start() -> None:
    stored = cancel(series(), SECOND).event
    assert stored.occurrences == (FIRST, THIRD)
    version = renamed(stored)
    assert lines_with(version.messages[0], "RRULE", "EXDATE") == [
        "RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=MO",
        "EXDATE;TZID=Asia/Shanghai:20270308T100000",
    ]


def test_changed_occurrence_is_request_without_rule() -> None:
    version = change(
        series(), SECOND, start=SECOND + HOUR, end=SECOND + 2 * HOUR, location="Room 9"
    )
    assert occurrences_told(version) == [(Method.REQUEST, SECOND, (BOB.address, CAROL.address))]
    names = ("RECURRENCE-ID", "DTSTART", "RRULE", "LOCATION", "X-MICROSOFT-CDO-INSTTYPE")
    assert lines_with(version.messages[0], *names) == [
        "DTSTART;TZID=Asia/Shanghai:20270308T110000",
        "RECURRENCE-ID;TZID=Asia/Shanghai:20270308T100000",
        "LOCATION:Room 9",
        "X-MICROSOFT-CDO-INSTTYPE:3",
    ]


def test_changed_occurrence_stores_only_differences() -> None:
    stored = change(series(), SECOND, location="Room 9").event
    assert stored.overrides == (Override(recurrence_id=SECOND, location="Room 9"),)
    occurrence = occurrence_of(renamed(stored).event, SECOND)
    assert (occurrence.summary, occurrence.location) == ("New", "Room 9")


def test_guest_of_one_occurrence_gets_only_that_one() -> None:
    version = change(series(), SECOND, attendees=(BOB, CAROL, DAN))
    assert occurrences_told(version) == [
        (Method.REQUEST, SECOND, (BOB.address, DAN.address, CAROL.address))
    ]
    assert occurrences_told(renamed(version.event)) == [
        (Method.REQUEST, None, (BOB.address, CAROL.address)),
        (Method.REQUEST, SECOND, (BOB.address, DAN.address, CAROL.address)),
    ]


def test_guest_removed_from_one_gets_its_cancel() -> None:
    version = change(series(), SECOND, attendees=(BOB,))
    assert occurrences_told(version) == [
        (Method.CANCEL, SECOND, (CAROL.address,)),
        (Method.REQUEST, SECOND, (BOB.address,)),
    ]
    assert not lines_with(version.messages[0], "STATUS")


def test_r13_request_is_followed_by_reset_occurrences() -> None:
    stored = change(series(), SECOND, attendees=(BOB,)).event
    version = renamed(stored)
    assert occurrences_told(version) == [
        (Method.REQUEST, None, (BOB.address, CAROL.address)),
        (Method.CANCEL, SECOND, (CAROL.address,)),
        (Method.REQUEST, SECOND, (BOB.address,)),
    ]


@pytest.mark.parametrize(
    "changes",
    [{"start": FIRST - HOUR}, {"rule": replace(MONDAYS, count=2)}, {"tzid": "Europe/Berlin"}],
    ids=str,
)
def test_r15_new_time_or_rule_drops_exceptions(
    changes: dict[str, Any],
) -> None:
    stored = change(cancel(series(), THIRD).event, SECOND, attendees=(BOB, CAROL, DAN)).event
    version = organizer.update(stored, replace(stored, **changes), now=NOW, last_dtstamp=NOW)
    assert (version.event.cancelled, version.event.overrides) == ((), ())
    assert occurrences_told(version)[0] == (Method.CANCEL, SECOND, (DAN.address,))


def test_cancel_of_series_reaches_guest_of_one() -> None:
    stored = change(series(), SECOND, attendees=(BOB, CAROL, DAN)).event
    version = organizer.cancel(stored, now=NOW, last_dtstamp=NOW)
    assert occurrences_told(version) == [
        (Method.CANCEL, None, (BOB.address,)),
        (Method.CANCEL, None, (CAROL.address,)),
        (Method.CANCEL, SECOND, (DAN.address,)),
    ]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (FIRST + 8 * HOUR, FIRST + 9 * HOUR),
        (THIRD, THIRD + HOUR),
        (THIRD + timedelta(days=1), THIRD + timedelta(days=1, hours=1)),
        (SECOND, THIRD + HOUR),
    ],
    ids=["the day of the one before", "the start of the next", "after the next", "into the next"],
)
def test_r10_occurrence_may_not_overlap_neighbours(start: datetime, end: datetime) -> None:
    with pytest.raises(InvalidProperty, match="It would overlap"):
        change(series(), SECOND, start=start, end=end)


def test_unknown_occurrence_is_refused_with_nearest() -> None:
    with pytest.raises(InvalidProperty, match="nearest is 2027-03-08 10:00"):
        require_occurrence(series(), SECOND + HOUR)


def test_occurrence_of_single_meeting_is_refused() -> None:
    with pytest.raises(InvalidProperty, match="does not repeat"):
        require_occurrence(meeting(), FIRST)


def test_cancelled_or_excluded_occurrence_is_refused() -> None:
    for stored in (cancel(series(), SECOND).event, series(exdates=(SECOND,))):
        with pytest.raises(OccurrenceCancelled):
            require_occurrence(stored, SECOND)


def test_only_remaining_occurrence_is_not_cancelled() -> None:
    stored = cancel(cancel(series(), FIRST).event, THIRD).event
    with pytest.raises(InvalidProperty, match="whole meeting"):
        cancel(stored, SECOND)


def test_r14_split_sets_until_and_shares_the_count() -> None:
    ended, rest = split(series(), SECOND)
    assert ended.rule == Rule(freq=MONDAYS.freq, by_day=MONDAYS.by_day, until=FIRST)
    assert ended.occurrences == (FIRST,)
    assert rest.occurrences == (SECOND, THIRD)


def test_split_gives_each_half_its_exceptions() -> None:
    five = meeting(rule=replace(MONDAYS, count=5))
    stored = change(cancel(five, SECOND).event, THIRD, location="Room 9").event
    ended, rest = split(stored, THIRD)
    assert (ended.cancelled, ended.overrides) == ((SECOND,), ())
    assert (rest.cancelled, rest.overrides) == ((), stored.overrides)


def test_interval_continues_after_split() -> None:
    stored = meeting(rule=replace(MONDAYS, count=6, interval=2))
    starts = stored.occurrences
    ended, rest = split(stored, starts[2])
    assert ended.occurrences + rest.occurrences == starts


def test_split_at_first_occurrence_is_refused() -> None:
    with pytest.raises(InvalidProperty, match="first occurrence"):
        split(series(), FIRST)


def test_same_content_ignores_cancelled_occurrence() -> None:
    assert same_content(cancel(series(), SECOND).event, series())


def test_resend_includes_changed_occurrences() -> None:
    stored = change(series(), SECOND, attendees=(BOB, DAN)).event
    version = organizer.resend(stored, {DAN.address}, now=NOW, last_dtstamp=NOW)
    assert occurrences_told(version) == [(Method.REQUEST, SECOND, (DAN.address,))]


def test_occurrence_has_vtimezone_of_its_series() -> None:
    start = datetime(2024, 1, 8, 10)
    rule = replace(MONDAYS, count=20)
    stored = meeting(rule=rule, tzid="Africa/Casablanca", start=start, end=start + HOUR)
    of_one = to_ical(cancel(stored, stored.occurrences[0]).messages[0])
    of_all = to_ical(organizer.invite(stored, now=NOW).messages[0])
    assert vtimezone(of_one) == vtimezone(of_all)


def vtimezone(calendar: bytes) -> bytes:
    return calendar[calendar.index(b"BEGIN:VTIMEZONE") : calendar.index(b"END:VTIMEZONE")]
