"""One occurrence of a series, and this and future (RFC 5545 §3.8.4.4; interop R10, R12–R15)."""

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
from tests.support.content_lines import vevent

FIRST, SECOND, THIRD = (datetime(2027, 3, day, 10) for day in (1, 8, 15))
DAN = Attendee(address="dan@example.org", name="Dan")
HOUR = timedelta(hours=1)


def series(**changes: Any) -> Event:
    return meeting(rule=MONDAYS, **changes)


def change(held: Event, when: datetime, **changes: Any) -> Version:
    wanted = replace(occurrence_of(held, when), **changes)
    return organizer.update_occurrence(held, when, wanted, now=NOW, last_dtstamp=NOW)


def cancel(held: Event, when: datetime) -> Version:
    return organizer.cancel_occurrence(held, when, now=NOW, last_dtstamp=NOW)


def told(plan: Version) -> list[tuple[Method, datetime | None, tuple[str, ...]]]:
    """METHOD, RECURRENCE-ID and recipients of each message, in order."""
    return [
        (
            message.method,
            message.event.recurrence_id,
            tuple(person.address for person in message.recipients),
        )
        for message in plan.messages
    ]


def lines_with(message: Message, *names: str) -> list[str]:
    return [line for line in vevent(message) if line.partition(":")[0].partition(";")[0] in names]


def test_r12_a_cancelled_occurrence_is_named_by_its_recurrence_id_and_carries_no_rule() -> None:
    plan = cancel(series(), SECOND)
    assert told(plan) == [
        (Method.CANCEL, SECOND, (BOB.address,)),
        (Method.CANCEL, SECOND, (CAROL.address,)),
    ]
    assert lines_with(
        plan.messages[0], "RECURRENCE-ID", "DTSTART", "RRULE", "STATUS", "SEQUENCE"
    ) == [
        "DTSTART;TZID=Asia/Shanghai:20270308T100000",
        "RECURRENCE-ID;TZID=Asia/Shanghai:20270308T100000",
        "SEQUENCE:1",
        "STATUS:CANCELLED",
    ]


def test_r12_every_later_request_for_the_series_leaves_the_cancelled_occurrence_out() -> None:
    held = cancel(series(), SECOND).event
    assert held.occurrences == (FIRST, THIRD)
    plan = organizer.update(held, replace(held, summary="New"), now=NOW, last_dtstamp=NOW)
    assert lines_with(plan.messages[0], "RRULE", "EXDATE") == [
        "RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=MO",
        "EXDATE;TZID=Asia/Shanghai:20270308T100000",
    ]


def test_a_changed_occurrence_is_a_request_with_its_recurrence_id_and_no_rule() -> None:
    plan = change(series(), SECOND, start=SECOND + HOUR, end=SECOND + 2 * HOUR, location="Room 9")
    assert told(plan) == [(Method.REQUEST, SECOND, (BOB.address, CAROL.address))]
    shown = lines_with(
        plan.messages[0],
        "RECURRENCE-ID",
        "DTSTART",
        "RRULE",
        "LOCATION",
        "X-MICROSOFT-CDO-INSTTYPE",
    )
    assert shown == [
        "DTSTART;TZID=Asia/Shanghai:20270308T110000",
        "RECURRENCE-ID;TZID=Asia/Shanghai:20270308T100000",
        "LOCATION:Room 9",
        "X-MICROSOFT-CDO-INSTTYPE:3",
    ]


def test_a_changed_occurrence_keeps_only_what_differs_from_the_series() -> None:
    held = change(series(), SECOND, location="Room 9").event
    assert held.overrides == (Override(recurrence_id=SECOND, location="Room 9"),)
    renamed = organizer.update(held, replace(held, summary="New"), now=NOW, last_dtstamp=NOW).event
    assert (occurrence_of(renamed, SECOND).summary, occurrence_of(renamed, SECOND).location) == (
        "New",
        "Room 9",
    )


def test_who_is_invited_to_one_occurrence_gets_only_that_one() -> None:
    plan = change(series(), SECOND, attendees=(BOB, CAROL, DAN))
    assert told(plan) == [(Method.REQUEST, SECOND, (BOB.address, DAN.address, CAROL.address))]
    whole = organizer.update(
        plan.event, replace(plan.event, summary="New"), now=NOW, last_dtstamp=NOW
    )
    assert told(whole) == [
        (Method.REQUEST, None, (BOB.address, CAROL.address)),
        (Method.REQUEST, SECOND, (BOB.address, DAN.address, CAROL.address)),
    ]


def test_who_is_taken_off_one_occurrence_gets_a_cancel_of_that_one() -> None:
    plan = change(series(), SECOND, attendees=(BOB,))
    assert told(plan) == [
        (Method.CANCEL, SECOND, (CAROL.address,)),
        (Method.REQUEST, SECOND, (BOB.address,)),
    ]
    assert not lines_with(plan.messages[0], "STATUS")


def test_r13_a_request_for_the_series_is_followed_by_the_occurrences_it_has_reset() -> None:
    held = change(series(), SECOND, attendees=(BOB,)).event
    plan = organizer.update(held, replace(held, summary="New"), now=NOW, last_dtstamp=NOW)
    assert told(plan) == [
        (Method.REQUEST, None, (BOB.address, CAROL.address)),
        (Method.CANCEL, SECOND, (CAROL.address,)),
        (Method.REQUEST, SECOND, (BOB.address,)),
    ]


@pytest.mark.parametrize(
    "changes",
    [{"start": FIRST - HOUR}, {"rule": replace(MONDAYS, count=2)}, {"tzid": "Europe/Berlin"}],
    ids=str,
)
def test_r15_a_new_time_or_rule_makes_changed_and_cancelled_occurrences_void(
    changes: dict[str, Any],
) -> None:
    held = change(cancel(series(), THIRD).event, SECOND, attendees=(BOB, CAROL, DAN)).event
    plan = organizer.update(held, replace(held, **changes), now=NOW, last_dtstamp=NOW)
    assert (plan.event.cancelled, plan.event.overrides) == ((), ())
    assert told(plan)[0] == (Method.CANCEL, SECOND, (DAN.address,))


def test_a_cancel_of_the_whole_reaches_the_guest_of_one_occurrence() -> None:
    held = change(series(), SECOND, attendees=(BOB, CAROL, DAN)).event
    plan = organizer.cancel(held, now=NOW, last_dtstamp=NOW)
    assert told(plan) == [
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
def test_r10_an_occurrence_may_not_collide_with_its_neighbours(
    start: datetime, end: datetime
) -> None:
    with pytest.raises(InvalidProperty, match="It would overlap"):
        change(series(), SECOND, start=start, end=end)


def test_an_occurrence_that_the_series_has_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidProperty, match="nearest is 2027-03-08 10:00"):
        require_occurrence(series(), SECOND + HOUR)


def test_an_occurrence_of_a_single_meeting_is_refused() -> None:
    with pytest.raises(InvalidProperty, match="does not repeat"):
        require_occurrence(meeting(), FIRST)


def test_a_cancelled_or_excluded_occurrence_cannot_be_meant_again() -> None:
    for held in (cancel(series(), SECOND).event, series(exdates=(SECOND,))):
        with pytest.raises(OccurrenceCancelled):
            require_occurrence(held, SECOND)


def test_the_only_occurrence_left_is_not_cancelled_alone() -> None:
    held = cancel(cancel(series(), FIRST).event, THIRD).event
    with pytest.raises(InvalidProperty, match="whole meeting"):
        cancel(held, SECOND)


def test_r14_a_series_is_split_by_until_and_the_rest_has_what_is_left_of_the_count() -> None:
    ended, rest = split(series(), SECOND)
    assert ended.rule == Rule(freq=MONDAYS.freq, by_day=MONDAYS.by_day, until=FIRST)
    assert ended.occurrences == (FIRST,)
    assert rest.occurrences == (SECOND, THIRD)


def test_a_split_gives_each_half_its_own_exceptions() -> None:
    held = change(
        cancel(meeting(rule=replace(MONDAYS, count=5)), SECOND).event, THIRD, location="Room 9"
    ).event
    ended, rest = split(held, THIRD)
    assert (ended.cancelled, ended.overrides) == ((SECOND,), ())
    assert (rest.cancelled, rest.overrides) == ((), held.overrides)


def test_an_interval_goes_on_as_it_was_after_a_split() -> None:
    held = meeting(rule=replace(MONDAYS, count=6, interval=2))
    starts = held.occurrences
    ended, rest = split(held, starts[2])
    assert ended.occurrences + rest.occurrences == starts


def test_there_is_nothing_to_split_before_the_first_occurrence() -> None:
    with pytest.raises(InvalidProperty, match="first one"):
        split(series(), FIRST)


def test_a_repeated_send_is_recognised_after_an_occurrence_was_cancelled() -> None:
    assert same_content(cancel(series(), SECOND).event, series())


def test_a_resend_brings_the_changed_occurrences_too() -> None:
    held = change(series(), SECOND, attendees=(BOB, DAN)).event
    plan = organizer.resend(held, {DAN.address}, now=NOW, last_dtstamp=NOW)
    assert told(plan) == [(Method.REQUEST, SECOND, (DAN.address,))]


def test_an_occurrence_has_the_vtimezone_of_its_series() -> None:
    rule = replace(MONDAYS, count=20)
    held = meeting(
        rule=rule,
        tzid="Africa/Casablanca",
        start=datetime(2024, 1, 8, 10),
        end=datetime(2024, 1, 8, 11),
    )
    of_one = to_ical(cancel(held, held.occurrences[0]).messages[0])
    of_all = to_ical(organizer.invite(held, now=NOW).messages[0])
    assert vtimezone(of_one) == vtimezone(of_all)


def vtimezone(calendar: bytes) -> bytes:
    return calendar[calendar.index(b"BEGIN:VTIMEZONE") : calendar.index(b"END:VTIMEZONE")]
