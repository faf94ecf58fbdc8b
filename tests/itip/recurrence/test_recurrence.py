"""The rule as a value, its first match, its occurrences, and what a calendar cannot hold."""

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from dateutil import rrule as dateutil_rrule
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from meetings.itip.errors import InvalidRule
from meetings.itip.moment import HORIZON
from meetings.itip.recurrence.expansion import first_match, occurrences
from meetings.itip.recurrence.rule import WEEKDAYS, Frequency, Rule

SATURDAY = datetime(2019, 11, 30, 10)


def rule(text: str) -> Rule:
    return Rule.from_text(text)


# The tables of interop R1 and of the contract: (rule, first, last, number), all from Saturday
# 2019-11-30 10:00.
GOLDEN = {
    "three Mondays": ("FREQ=WEEKLY;COUNT=3;BYDAY=MO", "2019-12-02", "2019-12-16", 3),
    "every third day": ("FREQ=DAILY;INTERVAL=3;COUNT=10", "2019-11-30", "2019-12-27", 10),
    "COUNT counts occurrences, not weeks": (
        "FREQ=WEEKLY;COUNT=1;BYDAY=MO,TU,WE,TH,FR",
        "2019-12-02",
        "2019-12-02",
        1,
    ),
    "the 3rd of each month": ("FREQ=MONTHLY;COUNT=10;BYMONTHDAY=3", "2019-12-03", "2020-09-03", 10),
    "the interval counts from the requested month": (
        "FREQ=MONTHLY;INTERVAL=3;COUNT=10;BYMONTHDAY=3",
        "2020-02-03",
        "2022-05-03",
        10,
    ),
    "second Wednesdays": (
        "FREQ=MONTHLY;COUNT=10;BYDAY=WE;BYSETPOS=2",
        "2019-12-11",
        "2020-09-09",
        10,
    ),
    "12 August": ("FREQ=YEARLY;COUNT=1;BYMONTHDAY=12;BYMONTH=8", "2020-08-12", "2020-08-12", 1),
    "second Wednesday of August": (
        "FREQ=YEARLY;COUNT=1;BYDAY=WE;BYMONTH=8;BYSETPOS=2",
        "2020-08-12",
        "2020-08-12",
        1,
    ),
    "every other Monday, weeks from Monday": (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=MO;WKST=MO",
        "2019-12-09",
        "2020-01-06",
        3,
    ),
    "every other Sunday, weeks from Sunday": (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=SU;WKST=SU",
        "2019-12-08",
        "2020-01-05",
        3,
    ),
    "every other Sunday, weeks from Monday": (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=SU;WKST=MO",
        "2019-12-01",
        "2019-12-29",
        3,
    ),
    "short months are skipped": (
        "FREQ=MONTHLY;COUNT=3;BYMONTHDAY=31",
        "2019-12-31",
        "2020-03-31",
        3,
    ),
    "last day of the month": ("FREQ=MONTHLY;COUNT=4;BYMONTHDAY=-1", "2019-11-30", "2020-02-29", 4),
    "leap days": ("FREQ=YEARLY;COUNT=3;BYMONTHDAY=29;BYMONTH=2", "2020-02-29", "2028-02-29", 3),
    "last Friday": ("FREQ=MONTHLY;COUNT=2;BYDAY=FR;BYSETPOS=-1", "2019-12-27", "2020-01-31", 2),
    "last workday": (
        "FREQ=MONTHLY;COUNT=3;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "2019-12-31",
        "2020-02-28",
        3,
    ),
    "UNTIL is inclusive": (
        "FREQ=WEEKLY;UNTIL=20191216T100000;BYDAY=MO",
        "2019-12-02",
        "2019-12-16",
        3,
    ),
    "UNTIL a second earlier": (
        "FREQ=WEEKLY;UNTIL=20191216T095959;BYDAY=MO",
        "2019-12-02",
        "2019-12-09",
        2,
    ),
}


@pytest.mark.parametrize(("text", "first", "last", "number"), GOLDEN.values(), ids=GOLDEN)
def test_series_begins_at_first_match_from_start(
    text: str, first: str, last: str, number: int
) -> None:
    series = occurrences(rule(text), SATURDAY)
    assert (f"{series[0]:%Y-%m-%d}", f"{series[-1]:%Y-%m-%d}", len(series)) == (first, last, number)
    assert first_match(rule(text), SATURDAY) == series[0]
    assert {moment.time() for moment in series} == {SATURDAY.time()}


@pytest.mark.parametrize("text", [text for text, *_ in GOLDEN.values()])
def test_rule_text_reads_back_as_same_rule(text: str) -> None:
    assert str(rule(text)) == text
    assert Rule.from_text(str(rule(text))) == rule(text)


def test_weekly_interval_is_written_with_wkst() -> None:
    every_other_week = Rule(freq=Frequency.WEEKLY, interval=2, count=3, by_day=("MO",))
    assert str(every_other_week) == "FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=MO;WKST=MO"


# --- properties
# -----------------------------------------------------------------------------------------------------

DAY_SETS = [(day,) for day in WEEKDAYS] + [("SA", "SU"), WEEKDAYS[:5], WEEKDAYS]


@st.composite
def template_rules(draw: st.DrawFn) -> Rule:
    freq = draw(st.sampled_from(Frequency))
    ending: dict[str, int | datetime] = draw(
        st.one_of(
            st.integers(1, 40).map(lambda number: {"count": number}),
            st.dates(date(2027, 1, 1), date(2029, 12, 31)).map(
                lambda day: {"until": datetime(*day.timetuple()[:3], 12)}
            ),
        )
    )
    month = draw(st.integers(1, 12)) if freq is Frequency.YEARLY else None
    week_days: tuple[str, ...] = ()
    month_day = set_pos = None
    if freq is Frequency.WEEKLY:
        week_days = tuple(
            sorted(draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1)), key=WEEKDAYS.index)
        )
    elif freq is not Frequency.DAILY and draw(st.booleans()):
        week_days, set_pos = (
            draw(st.sampled_from(DAY_SETS)),
            draw(st.sampled_from([1, 2, 3, 4, -1])),
        )
    elif freq is not Frequency.DAILY:
        month_day = draw(st.one_of(st.integers(1, 31), st.just(-1)))
    return Rule(
        freq=freq,
        interval=draw(st.integers(1, 4)),
        by_day=week_days,
        by_month_day=month_day,
        by_month=month,
        by_set_pos=set_pos,
        wkst=draw(st.sampled_from(["MO", "SU"])) if freq is Frequency.WEEKLY else "MO",
        **ending,  # type: ignore[arg-type]
    )


starts = st.datetimes(datetime(2019, 1, 1), datetime(2027, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)


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
@given(template_rules(), starts)
@example(rule("FREQ=MONTHLY;INTERVAL=3;COUNT=10;BYMONTHDAY=3"), SATURDAY)
def test_rule_means_the_same_from_its_first_match(wanted: Rule, start: datetime) -> None:
    try:
        moved = first_match(wanted, start)
    except InvalidRule:
        assume(False)
    assert moved >= start
    assert occurrences(wanted, start) == occurrences(wanted, moved)


@settings(max_examples=1500, deadline=None)
@given(template_rules(), starts)
def test_series_is_the_one_that_dateutil_finds(wanted: Rule, start: datetime) -> None:
    try:
        series = occurrences(wanted, start)
    except InvalidRule:
        assume(False)
    assert list(series) == list(expanded_by_dateutil(wanted, start))


@settings(deadline=None)
@given(template_rules())
def test_every_template_rule_reads_back_from_text(wanted: Rule) -> None:
    assert Rule.from_text(str(wanted)) == wanted


# --- what ends a series
# ---------------------------------------------------------------------------------------------

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
