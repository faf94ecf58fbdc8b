"""A rule has its first match, its occurrences and its limits (interop R1, R2, R5)."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime

import pytest
from dateutil import rrule as dateutil_rrule
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from meetings.itip.errors import InvalidRule
from meetings.itip.moment import HORIZON
from meetings.itip.recurrence.expansion import first_match, occurrences
from meetings.itip.recurrence.rule import WEEKDAYS, Rule
from tests.itip.recurrence.rules import GOLDEN, SATURDAY, rule, template_rules

STARTS = st.datetimes(datetime(2019, 1, 1), datetime(2027, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)


@pytest.mark.parametrize(("text", "first", "last", "number"), GOLDEN.values(), ids=GOLDEN)
def test_series_begins_at_first_match_from_start(
    text: str, first: str, last: str, number: int
) -> None:
    series = occurrences(rule(text), SATURDAY)
    assert (f"{series[0]:%Y-%m-%d}", f"{series[-1]:%Y-%m-%d}", len(series)) == (first, last, number)
    assert first_match(rule(text), SATURDAY) == series[0]
    assert {moment.time() for moment in series} == {SATURDAY.time()}


def expanded_by_dateutil(wanted: Rule, start: datetime) -> Iterator[datetime]:
    return iter(
        dateutil_rrule.rrule(
            getattr(dateutil_rrule, wanted.freq),
            dtstart=start,
            interval=wanted.interval,
            count=wanted.count,
            until=wanted.until,
            byweekday=[WEEKDAYS.index(day) for day in wanted.by_day] or None,
            bymonthday=wanted.by_month_day,
            bymonth=wanted.by_month,
            bysetpos=wanted.by_set_pos,
            wkst=WEEKDAYS.index(wanted.wkst),
        )
    )


@settings(max_examples=1500, deadline=None)
@given(template_rules(), STARTS)
@example(rule("FREQ=MONTHLY;INTERVAL=3;COUNT=10;BYMONTHDAY=3"), SATURDAY)
def test_rule_means_the_same_from_its_first_match(wanted: Rule, start: datetime) -> None:
    try:
        moved = first_match(wanted, start)
    except InvalidRule:
        assume(False)
    assert moved >= start
    assert occurrences(wanted, start) == occurrences(wanted, moved)


@settings(max_examples=1500, deadline=None)
@given(template_rules(), STARTS)
def test_series_is_the_one_that_dateutil_finds(wanted: Rule, start: datetime) -> None:
    try:
        series = occurrences(wanted, start)
    except InvalidRule:
        assume(False)
    assert list(series) == list(expanded_by_dateutil(wanted, start))


# The rule, the requested start, the part that is named, and words of the sentence.
REFUSED = {
    "a day no February has": (
        "FREQ=YEARLY;COUNT=3;BYMONTHDAY=30;BYMONTH=2",
        SATURDAY,
        "BYMONTHDAY",
        "2099",
    ),
    "only months without the day": (
        "FREQ=MONTHLY;INTERVAL=12;COUNT=1;BYMONTHDAY=31",
        datetime(2026, 6, 1),
        "BYMONTHDAY",
        "No day",
    ),
    "once in centuries": (
        "FREQ=YEARLY;INTERVAL=99;COUNT=2;BYMONTHDAY=29;BYMONTH=2",
        SATURDAY,
        "BYMONTHDAY",
        "No day|occurrences fit",
    ),
    "past the horizon": (
        "FREQ=YEARLY;COUNT=100;BYMONTHDAY=12;BYMONTH=8",
        SATURDAY,
        "COUNT",
        "80 occurrences",
    ),
    "no nth weekday left": (
        "FREQ=MONTHLY;COUNT=1;BYDAY=MO;BYSETPOS=1",
        datetime(2099, 12, 31),
        "INTERVAL",
        "2099",
    ),
    "UNTIL before the first match": (
        "FREQ=WEEKLY;UNTIL=20191201T235959;BYDAY=MO",
        SATURDAY,
        "UNTIL",
        "before its first",
    ),
    "UNTIL after the horizon": (
        "FREQ=YEARLY;UNTIL=21000101T000000;BYMONTHDAY=1;BYMONTH=1",
        SATURDAY,
        "UNTIL",
        "2099",
    ),
    "UNTIL after too many": ("FREQ=DAILY;UNTIL=20270501T100000", SATURDAY, "UNTIL", "999"),
    "a start before 1970": ("FREQ=DAILY;COUNT=1", datetime(1, 1, 1), "", "1970"),
    "a start after the horizon": (
        "FREQ=WEEKLY;COUNT=1;BYDAY=MO",
        datetime(9999, 12, 31),
        "",
        "2099",
    ),
}


@pytest.mark.parametrize(("text", "start", "part", "words"), REFUSED.values(), ids=REFUSED)
def test_series_beyond_the_limits_is_refused(
    text: str, start: datetime, part: str, words: str
) -> None:
    with pytest.raises(InvalidRule, match=words) as refusal:
        first_match(rule(text), start)
    assert refusal.value.part == part


def test_series_may_reach_the_horizon() -> None:
    assert occurrences(rule("FREQ=DAILY;COUNT=2"), datetime(2099, 12, 30, 23))[-1].date() == HORIZON


def test_refused_long_series_comes_with_an_until() -> None:
    with pytest.raises(InvalidRule, match="before 2022-08-25"):
        first_match(rule("FREQ=DAILY;UNTIL=20270501T100000"), SATURDAY)


def test_series_of_999_occurrences_is_allowed() -> None:
    assert len(occurrences(rule("FREQ=DAILY;UNTIL=20220824T100000"), SATURDAY)) == 999


def test_excluded_occurrences_still_count() -> None:
    series = occurrences(
        rule("FREQ=WEEKLY;COUNT=3;BYDAY=MO"), SATURDAY, exdates=[datetime(2019, 12, 9, 10)]
    )
    assert series == (datetime(2019, 12, 2, 10), datetime(2019, 12, 16, 10))


def test_month_day_minus_1_is_last_of_each_month() -> None:
    series = occurrences(rule("FREQ=MONTHLY;COUNT=60;BYMONTHDAY=-1"), SATURDAY)
    assert all(moment.day == monthrange(moment.year, moment.month)[1] for moment in series)
