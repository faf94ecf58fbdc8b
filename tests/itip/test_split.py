"""A series is split in two, or cut: the one ends, and the other goes on (interop R14)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from meetings.itip import organizer
from meetings.itip.edit import Edit
from meetings.itip.errors import InvalidProperty
from meetings.itip.event import Event, Override
from meetings.itip.occurrence import split
from meetings.itip.recurrence.rule import Rule
from tests.support.cast import MONDAYS, NOW, meeting

FIRST, SECOND, THIRD = (datetime(2027, 3, day, 10) for day in (1, 8, 15))


def series(**changes: Any) -> Event:
    return meeting(rule=MONDAYS, **changes)


def test_r14_split_sets_until_and_shares_the_count() -> None:
    ended, rest = split(series(), SECOND)
    assert ended.rule == Rule(freq=MONDAYS.freq, by_day=MONDAYS.by_day, until=FIRST)
    assert ended.occurrences == (FIRST,)
    assert rest.occurrences == (SECOND, THIRD)


def test_split_gives_each_half_its_exceptions() -> None:
    five = meeting(rule=replace(MONDAYS, count=5))
    stored = organizer.update_occurrence(
        organizer.cancel_occurrence(five, SECOND).event,
        THIRD,
        Edit(location="Room 9"),
        now=NOW,
        most=1,
    ).event
    ended, rest = split(stored, THIRD)
    assert [each.recurrence_id for each in ended.overrides] == list(ended.cancelled) == [SECOND]
    assert rest.overrides == (Override(recurrence_id=THIRD, location="Room 9", sequence=0),)


def test_interval_continues_after_split() -> None:
    stored = meeting(rule=replace(MONDAYS, count=6, interval=2))
    starts = stored.occurrences
    ended, rest = split(stored, starts[2])
    assert ended.occurrences + rest.occurrences == starts


def test_split_at_first_occurrence_is_refused() -> None:
    with pytest.raises(InvalidProperty, match="first occurrence"):
        split(series(), FIRST)


def test_series_can_be_split_twice_and_at_an_earlier_occurrence() -> None:
    five = meeting(rule=replace(MONDAYS, count=5))
    edit = Edit(summary="New")
    once = organizer.split_off(five, five.occurrences[3], edit, uid="2", now=NOW).ended.event
    twice = organizer.split_off(once, SECOND, edit, uid="3", now=NOW)
    assert twice.ended.event.occurrences == (FIRST,)
    assert twice.rest
    assert twice.rest.event.occurrences == (SECOND, THIRD)
