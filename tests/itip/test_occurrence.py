"""One occurrence is changed or cancelled, or the series is split (interop R10, R12–R15)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meetings.itip import organizer
from meetings.itip.changes import same_content
from meetings.itip.edit import Edit
from meetings.itip.errors import InvalidProperty, OccurrenceCancelled
from meetings.itip.event import Event, Override
from meetings.itip.ical.writer import to_ical
from meetings.itip.message import Message, Method, Version
from meetings.itip.moment import Moment
from meetings.itip.occurrence import occurrence_of, require_occurrence, require_room
from tests.support.cast import BOB, CAROL, MONDAYS, NOW, meeting, messages
from tests.support.readers.content_lines import vevent

FIRST, SECOND, THIRD = (datetime(2027, 3, day, 10) for day in (1, 8, 15))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEW_PLACE = Edit(location="Room 9")


def series(**changes: Any) -> Event:
    return meeting(rule=MONDAYS, **changes)


def change(stored: Event, when: datetime, edit: Edit) -> Version:
    return organizer.update_occurrence(stored, when, edit, now=NOW, most=100)


def at(start: datetime, end: datetime, **changes: Any) -> Edit:
    return Edit(start=Moment(start), end=Moment(end), **changes)


def cancel(stored: Event, when: datetime) -> Version:
    return organizer.cancel_occurrence(stored, when)


def update(stored: Event, **changes: Any) -> Version:
    return organizer.update(stored, replace(stored, **changes), now=NOW)


def lines_with(message: Message, *names: str) -> list[str]:
    return [line for line in vevent(message) if line.partition(":")[0].partition(";")[0] in names]


def test_r12_cancel_names_recurrence_id_and_no_rule() -> None:
    to_bob, to_carol = messages(cancel(series(), SECOND), series())
    assert {each.method for each in (to_bob, to_carol)} == {Method.CANCEL}
    names = ("RECURRENCE-ID", "DTSTART", "RRULE", "STATUS", "SEQUENCE")
    assert lines_with(to_bob, *names) == [
        "DTSTART;TZID=Asia/Shanghai:20270308T100000",
        "RECURRENCE-ID;TZID=Asia/Shanghai:20270308T100000",
        "SEQUENCE:1",
        "STATUS:CANCELLED",
    ]


def test_r12_later_request_excludes_cancelled_start() -> None:
    stored = cancel(series(), SECOND).event
    assert (stored.cancelled, stored.occurrences) == ((SECOND,), (FIRST, THIRD))
    [request] = messages(update(stored, summary="New"), stored)
    assert lines_with(request, "RRULE", "EXDATE") == [
        "RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=MO",
        "EXDATE;TZID=Asia/Shanghai:20270308T100000",
    ]


def test_cancelled_occurrence_keeps_its_last_times_and_the_reason() -> None:
    moved = change(series(), SECOND, at(SECOND + HOUR, SECOND + 2 * HOUR)).event
    stored = organizer.cancel_occurrence(moved, SECOND, comment="No room").event
    assert stored.overrides == (
        Override(
            recurrence_id=SECOND,
            start=SECOND + HOUR,
            end=SECOND + 2 * HOUR,
            is_cancelled=True,
            comment="No room",
            sequence=2,
        ),
    )


def test_changed_occurrence_is_request_without_rule() -> None:
    edit = at(SECOND + HOUR, SECOND + 2 * HOUR, location="Room 9")
    [request] = messages(change(series(), SECOND, edit), series())
    assert request.recipients == (BOB, CAROL)
    names = ("RECURRENCE-ID", "DTSTART", "RRULE", "LOCATION", "X-MICROSOFT-CDO-INSTTYPE")
    assert lines_with(request, *names) == [
        "DTSTART;TZID=Asia/Shanghai:20270308T110000",
        "RECURRENCE-ID;TZID=Asia/Shanghai:20270308T100000",
        "LOCATION:Room 9",
        "X-MICROSOFT-CDO-INSTTYPE:3",
    ]


def test_changed_occurrence_stores_only_differences() -> None:
    stored = change(series(), SECOND, NEW_PLACE).event
    assert stored.overrides == (Override(recurrence_id=SECOND, location="Room 9", sequence=1),)
    occurrence = occurrence_of(update(stored, summary="New").event, SECOND)
    assert (occurrence.summary, occurrence.location) == ("New", "Room 9")


def test_occurrence_that_equals_its_series_again_stays_changed() -> None:
    stored = change(series(), SECOND, NEW_PLACE).event
    again = change(stored, SECOND, Edit(location="Room 7")).event
    assert again.overrides == (Override(recurrence_id=SECOND, sequence=2),)


@pytest.mark.parametrize(
    ("stored", "start"),
    [
        (series(), Moment(datetime(2027, 3, 8), is_date=True)),
        (
            meeting(rule=MONDAYS, all_day=True, start=FIRST.replace(hour=0), end=FIRST + 14 * HOUR),
            Moment(datetime(2027, 3, 8, 9)),
        ),
    ],
    ids=["all-day in a timed series", "timed in an all-day series"],
)
def test_occurrence_stays_as_its_series_is(stored: Event, start: Moment) -> None:
    edit = Edit(start=start, end=replace(start, value=start.value + DAY))
    with pytest.raises(InvalidProperty, match="stays as its series is") as refusal:
        change(stored, stored.occurrences[1], edit)
    assert refusal.value.property == "DTSTART"


@pytest.mark.parametrize(
    "changes",
    [
        {"start": FIRST - HOUR},
        {"end": FIRST + 2 * HOUR},
        {"rule": replace(MONDAYS, count=2)},
        {"tzid": "Europe/Berlin"},
    ],
    ids=str,
)
def test_r15_new_time_or_rule_drops_exceptions(changes: dict[str, Any]) -> None:
    stored = change(cancel(series(), THIRD).event, SECOND, NEW_PLACE).event
    event = update(stored, **changes).event
    assert (event.cancelled, event.overrides) == ((), ())


def test_exdate_on_a_changed_occurrence_drops_its_change() -> None:
    stored = change(change(series(), SECOND, NEW_PLACE).event, THIRD, NEW_PLACE).event
    excluded = update(stored, exdates=(SECOND,)).event
    assert [each.recurrence_id for each in excluded.overrides] == [THIRD]
    assert excluded.occurrences == (FIRST, THIRD)
    with pytest.raises(OccurrenceCancelled):
        require_occurrence(excluded, SECOND)


def test_exdate_put_on_and_taken_off_brings_a_cancelled_occurrence_back() -> None:
    stored = cancel(series(), SECOND).event
    back = update(update(stored, exdates=(SECOND,)).event, exdates=()).event
    assert (back.occurrences, back.overrides) == (series().occurrences, ())


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
        change(series(), SECOND, at(start, end))


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


@pytest.mark.parametrize(
    ("most", "now", "is_refused"),
    [
        (1, NOW, True),
        (2, NOW, False),
        (1, datetime(2027, 3, 8, 4, tzinfo=UTC), False),
        (0, datetime(2027, 3, 8, 4, tzinfo=UTC), True),
    ],
)
def test_series_has_room_for_so_many_changes_ahead(
    most: int, now: datetime, is_refused: bool
) -> None:
    moved = at(THIRD + HOUR, THIRD + 2 * HOUR)
    stored = change(change(series(), SECOND, NEW_PLACE).event, THIRD, moved).event
    stored = cancel(stored, FIRST).event
    if is_refused:
        with pytest.raises(InvalidProperty, match=f"{most} changed occurrences ahead"):
            require_room(stored, most, now)
    else:
        require_room(stored, most, now)


def test_change_past_the_limit_is_refused() -> None:
    stored = change(series(), SECOND, NEW_PLACE).event
    with pytest.raises(InvalidProperty, match="1 changed occurrences ahead"):
        organizer.update_occurrence(stored, THIRD, NEW_PLACE, now=NOW, most=1)
    organizer.update_occurrence(stored, SECOND, NEW_PLACE, now=NOW, most=1)


def test_same_content_ignores_cancelled_occurrence() -> None:
    assert same_content(cancel(series(), SECOND).event, series())


def test_occurrence_has_vtimezone_of_its_series() -> None:
    start = datetime(2024, 1, 8, 10)
    rule = replace(MONDAYS, count=20)
    stored = meeting(rule=rule, tzid="Africa/Casablanca", start=start, end=start + HOUR)
    now = datetime(2024, 1, 1, tzinfo=UTC)
    of_one = messages(cancel(stored, stored.occurrences[0]), stored, now=now)
    of_all = messages(organizer.invite(stored, now=now), now=now)
    assert vtimezone(to_ical(of_one[0])) == vtimezone(to_ical(of_all[0]))


def vtimezone(calendar: bytes) -> bytes:
    return calendar[calendar.index(b"BEGIN:VTIMEZONE") : calendar.index(b"END:VTIMEZONE")]
