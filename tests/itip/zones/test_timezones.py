"""The VTIMEZONE is right for every occurrence, by a reader written from RFC 5545 §3.6.5 alone; the
names of zones.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meetings.itip.errors import ZoneNotExpressible
from meetings.itip.recurrence.expansion import occurrences
from meetings.itip.recurrence.rule import Rule
from meetings.itip.zones.law import _general_law
from meetings.itip.zones.names import zone_name
from meetings.itip.zones.offsets import _in_year, gap, is_skipped, transitions
from meetings.itip.zones.vtimezone import Kind, Observance, observances
from tests.support.vtimezone_reader import day_of, offset_read

ZONES = sorted(
    {zone_name(name) for name in available_timezones() - {"Factory", "localtime", "posixrules"}}
)
MONDAY = datetime(2026, 1, 5, 10)
HOUR = timedelta(hours=1)


# --- by zoneinfo and by RFC 5545 §3.6.5
# -------------------------------------------------------------------------------


def true_offset(moment: datetime, tzid: str) -> timedelta | None:
    return moment.replace(tzinfo=ZoneInfo(tzid)).utcoffset()


def wrong_times(
    parts: Sequence[Observance], tzid: str, times: Sequence[datetime]
) -> list[datetime]:
    return [
        moment
        for moment in times
        if offset_read(parts, moment) != true_offset(moment, tzid) and not gap(moment, tzid)
    ]


def check_form(parts: Sequence[Observance]) -> None:
    """What interop Z2 says about the components, whatever the zone."""
    assert [part.kind for part in parts] in ([Kind.STANDARD], [Kind.STANDARD, Kind.DAYLIGHT])
    for part in parts:
        assert part.onset.year == 1970
        assert part.name
        if part.rule is None:
            assert len(parts) == 1
            assert part.offset_from == part.offset_to
        else:
            assert re.fullmatch(
                r"FREQ=YEARLY;BYMONTH=\d+;(BYDAY=([1-4]|-1)(MO|TU|WE|TH|FR|SA|SU)|BYMONTHDAY=\d+)",
                part.rule,
            )
            assert day_of(part.rule, 1970) == part.onset.date()
    if len(parts) == 2:
        standard, daylight = parts
        assert daylight.offset_to > standard.offset_to
        assert (daylight.offset_from, daylight.offset_to) == (
            standard.offset_to,
            standard.offset_from,
        )


def series(rule: str, start: datetime) -> list[datetime]:
    starts = occurrences(Rule.from_text(rule), start)
    return [*starts, *(start + HOUR for start in starts)]


# --- golden
# -----------------------------------------------------------------------------------------------------------


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


SHANGHAI = (Observance(Kind.STANDARD, datetime(1970, 1, 1), hours(8), hours(8), "CST"),)
NEW_YORK = (
    Observance(
        Kind.STANDARD,
        datetime(1970, 11, 1, 2),
        hours(-4),
        hours(-5),
        "EST",
        "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
    ),
    Observance(
        Kind.DAYLIGHT,
        datetime(1970, 3, 8, 2),
        hours(-5),
        hours(-4),
        "EDT",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
    ),
)
DUBLIN = (
    Observance(
        Kind.STANDARD,
        datetime(1970, 10, 25, 2),
        hours(1),
        hours(0),
        "GMT",
        "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    ),
    Observance(
        Kind.DAYLIGHT,
        datetime(1970, 3, 29, 1),
        hours(0),
        hours(1),
        "IST",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    ),
)
LORD_HOWE = (
    Observance(
        Kind.STANDARD,
        datetime(1970, 4, 5, 2),
        hours(11),
        hours(10.5),
        "+1030",
        "FREQ=YEARLY;BYMONTH=4;BYDAY=1SU",
    ),
    Observance(
        Kind.DAYLIGHT,
        datetime(1970, 10, 4, 2),
        hours(10.5),
        hours(11),
        "+11",
        "FREQ=YEARLY;BYMONTH=10;BYDAY=1SU",
    ),
)
# "The first Saturday at 24:00" has no annual rule of its own; its last second has.
SANTIAGO = (
    Observance(
        Kind.STANDARD,
        datetime(1970, 4, 4, 23, 59, 59),
        hours(-3),
        hours(-4),
        "-04",
        "FREQ=YEARLY;BYMONTH=4;BYDAY=1SA",
    ),
    Observance(
        Kind.DAYLIGHT,
        datetime(1970, 9, 5, 23, 59, 59),
        hours(-4),
        hours(-3),
        "-03",
        "FREQ=YEARLY;BYMONTH=9;BYDAY=1SA",
    ),
)
UTC = (Observance(Kind.STANDARD, datetime(1970, 1, 1), hours(0), hours(0), "UTC"),)
GOLDEN = {
    "Asia/Shanghai": SHANGHAI,
    "America/New_York": NEW_YORK,
    "Europe/Dublin": DUBLIN,
    "Australia/Lord_Howe": LORD_HOWE,
    "America/Santiago": SANTIAGO,
    "UTC": UTC,
}


@pytest.mark.parametrize(("tzid", "expected"), GOLDEN.items())
@pytest.mark.parametrize("number", [1, 52, 260])
def test_zone_is_described_by_its_own_law(
    tzid: str, expected: tuple[Observance, ...], number: int
) -> None:
    times = series(f"FREQ=WEEKLY;COUNT={number};BYDAY=MO", MONDAY)
    assert observances(tzid, times) == expected
    assert observances(tzid, times[::-1]) == expected


SITUATIONS = {
    "clock abolished before the series": (
        "America/Mexico_City",
        datetime(2023, 2, 6, 10),
        10,
        None,
    ),
    "clock abolished long ago": ("Europe/Moscow", datetime(2026, 1, 5, 10), 52, None),
    "one change for good, inside the series": (
        "Asia/Almaty",
        datetime(2024, 1, 1, 10),
        20,
        "BYMONTH=3;",
    ),
    "an old law": ("America/New_York", datetime(2000, 1, 3, 10), 52, "BYMONTH=10;BYDAY=-1SU"),
    "Ramadan": ("Africa/Casablanca", datetime(2026, 1, 5, 10), 20, "BYMONTH=2;BYDAY=3SU"),
    "24:00 on a Thursday": ("Africa/Cairo", datetime(2026, 1, 5, 10), 52, "BYMONTH=10;BYDAY=-1TH"),
    "Friday before the last Sunday": (
        "Asia/Jerusalem",
        datetime(2026, 1, 5, 10),
        260,
        "BYMONTH=10;BYDAY=-1SU",
    ),
    "Saturday at 22:00 before the last Sunday": (
        "America/Nuuk",
        datetime(2026, 1, 5, 10),
        260,
        "BYMONTH=10;BYDAY=-1SU",
    ),
}


@pytest.mark.parametrize(
    ("tzid", "start", "number", "standard_rule"), SITUATIONS.values(), ids=SITUATIONS
)
def test_zone_is_described_for_the_meeting_at_hand(
    tzid: str, start: datetime, number: int, standard_rule: str | None
) -> None:
    times = series(f"FREQ=WEEKLY;COUNT={number};BYDAY=MO", start)
    parts = observances(tzid, times)
    check_form(parts)
    assert wrong_times(parts, tzid, times) == []
    assert (standard_rule or "") in (parts[0].rule or "")
    assert (parts[0].rule is None) is (standard_rule is None)


EDGES = {
    "second before New York's clocks go forward": ("America/New_York", "2026-03-08 01:59:59"),
    "the moment after": ("America/New_York", "2026-03-08 03:00:00"),
    "first pass of the hour that comes twice": ("America/New_York", "2026-11-01 01:59:59"),
    "after both passes": ("America/New_York", "2026-11-01 02:00:00"),
    "Cairo at midnight after the clocks went back": ("Africa/Cairo", "2026-10-30 00:00:00"),
    "Cairo in the hour that comes twice": ("Africa/Cairo", "2026-10-29 23:30:00"),
    "Jerusalem between midnight and the change": ("Asia/Jerusalem", "2026-03-27 01:00:00"),
    "Nuuk before the change": ("America/Nuuk", "2026-03-28 22:59:59"),
    "Nuuk after the change": ("America/Nuuk", "2026-03-29 00:00:00"),
    "the first days of the first year": ("America/New_York", "1970-01-05 10:00:00"),
    "the first days of the first year in the south": ("Australia/Sydney", "1970-01-05 10:00:00"),
    "the last day": ("America/New_York", "2099-12-31 23:59:59"),
    "offsets with seconds": ("Africa/Monrovia", "1971-12-31 23:00:00"),
}


@pytest.mark.parametrize(("tzid", "moment"), EDGES.values(), ids=EDGES)
def test_single_time_next_to_a_change_has_its_true_offset(tzid: str, moment: str) -> None:
    times = [datetime.fromisoformat(moment)]
    parts = observances(tzid, times)
    check_form(parts)
    assert wrong_times(parts, tzid, times) == []


@pytest.mark.parametrize(
    ("tzid", "moment"),
    [("America/New_York", datetime(2026, 11, 1, 2)), ("Australia/Sydney", datetime(2026, 4, 5, 3))],
)
def test_time_at_the_very_change_keeps_the_law_of_the_zone(tzid: str, moment: datetime) -> None:
    assert observances(tzid, [moment]) == observances(tzid, [MONDAY])


def test_shortest_summer_times_are_found() -> None:
    # A week in Recife; the month of Ramadan in Casablanca.
    assert [change.utc.date() for change in transitions("America/Recife", 2000, 2000)] == [
        date(2000, 2, 27),
        date(2000, 10, 8),
        date(2000, 10, 15),
    ]
    assert len(transitions("Africa/Casablanca", 2012, 2012)) == 4


@pytest.mark.parametrize(
    "tzid", ["America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo"]
)
def test_time_is_skipped_just_where_there_is_a_gap(tzid: str) -> None:
    for year in (2011, 2026):
        for change in transitions(tzid, year, year):
            around = [
                change.utc + change.before + timedelta(minutes=15 * place) for place in range(-8, 9)
            ]
            assert [is_skipped(moment, tzid) for moment in around] == [
                bool(gap(moment, tzid)) for moment in around
            ]


def test_time_that_the_clocks_skip_does_not_count() -> None:
    assert observances("America/New_York", [datetime(2026, 3, 8, 2, 30)]) == observances(
        "America/Cancun", [MONDAY]
    )
    assert observances("America/New_York", [datetime(2026, 3, 8, 2, 30), MONDAY]) == NEW_YORK


# --- every zone
# -------------------------------------------------------------------------------------------------------

RULES = {
    "52 weekly": "FREQ=WEEKLY;COUNT=52;BYDAY=MO",
    "10 monthly": "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=5",
    "260 daily": "FREQ=DAILY;COUNT=260",
}


# Morocco leaves and enters its summer time for Ramadan of 2026, and in September gives it up for
# good.
THREE_CHANGES = ("Africa/Casablanca", "Africa/El_Aaiun")


@pytest.mark.parametrize("tzid", THREE_CHANGES)
def test_z3_a_year_with_three_changes_is_refused_from_the_third_on(tzid: str) -> None:
    with pytest.raises(
        ZoneNotExpressible, match=r"change in 2026 .* End the series before 2026-09-2"
    ):
        observances(tzid, series(RULES["52 weekly"], MONDAY))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_zone_is_exact_for_a_year_of_meetings(rule: str) -> None:
    times = series(rule, MONDAY)
    for tzid in ZONES:
        if tzid in THREE_CHANGES:
            continue
        parts = observances(tzid, times)
        check_form(parts)
        assert wrong_times(parts, tzid, times) == [], tzid


@st.composite
def meetings(draw: st.DrawFn) -> tuple[str, list[datetime]]:
    start = draw(st.datetimes(datetime(1970, 1, 1), datetime(2089, 12, 31))).replace(
        microsecond=0, second=0
    )
    days = draw(st.sampled_from([1, 7, 30, 91, 366]))
    number = draw(st.integers(1, {1: 400, 366: 10}.get(days, 120)))
    starts = [start + timedelta(days=days * place) for place in range(number)]
    return draw(st.sampled_from(ZONES)), [
        moment for start in starts for moment in (start, start + HOUR)
    ]


@given(meetings())
@example(("Asia/Gaza", series("FREQ=WEEKLY;COUNT=260;BYDAY=MO", MONDAY)))
@example(("Africa/Casablanca", series("FREQ=WEEKLY;COUNT=260;BYDAY=MO", MONDAY)))
@settings(max_examples=300, deadline=None)
def test_any_meeting_is_exact_or_refused_from_a_named_day_on(
    meeting: tuple[str, list[datetime]],
) -> None:
    tzid, times = meeting
    try:
        parts = observances(tzid, times)
    except ZoneNotExpressible as refusal:
        named = re.search(r"change in (\d{4}) .* End the series before (\S+)", refusal.message)
        assert named
        assert named[1] == named[2][:4]
        times = [moment for moment in times if moment < datetime.fromisoformat(named[2])]
        parts = observances(tzid, times) if times else ()
    if times:
        check_form(parts)
    assert wrong_times(parts, tzid, times) == []


def test_series_that_no_pair_of_rules_describes_is_refused_naming_the_year() -> None:
    # Without a summer time from 2023 on; 3 April can still be told from those of 2021 and 2022, the
    # 10th cannot.
    times = series("FREQ=WEEKLY;COUNT=260;BYDAY=MO", datetime(2021, 6, 7, 10))
    with pytest.raises(
        ZoneNotExpressible, match=r"America/Mexico_City change in 2023 .* before 2023-04-10"
    ) as refusal:
        observances("America/Mexico_City", times)
    assert refusal.value.property == "TZID"


def test_refusal_names_the_day_on_which_the_occurrence_begins_that_ends_too_late() -> None:
    # Syria kept its summer time for good in the autumn of 2022; the last end of that year still
    # fits.
    saturdays = [datetime(2022, 1, 1, 23, 30) + timedelta(weeks=number) for number in range(60)]
    with pytest.raises(ZoneNotExpressible, match=r"change in 2023 .* before 2022-12-31"):
        observances("Asia/Damascus", saturdays, duration=5 * HOUR)
    held = [start for start in saturdays if start < datetime(2022, 12, 31)]
    parts = observances("Asia/Damascus", held, duration=5 * HOUR)
    assert wrong_times(parts, "Asia/Damascus", [*held, *(start + 5 * HOUR for start in held)]) == []


@pytest.mark.parametrize(
    "tzid", ["Africa/Cairo", "Africa/Casablanca", "America/Santiago", "Asia/Gaza"]
)
def test_a_series_of_eighty_years_is_refused(tzid: str) -> None:
    times = [datetime(year, month, 4, 10) for year in range(2019, 2099) for month in range(1, 13)]
    with pytest.raises(ZoneNotExpressible):
        observances(tzid, times, duration=HOUR)


def different_meetings(number: int) -> Iterator[list[datetime]]:
    for place in range(number):
        yield series("FREQ=WEEKLY;COUNT=52;BYDAY=MO", MONDAY + timedelta(minutes=place))


def test_another_meeting_in_a_known_zone_looks_up_no_law_again() -> None:
    first, *others = different_meetings(50)
    observances("America/New_York", first)
    known = [cache.cache_info().misses for cache in (transitions, _in_year, _general_law)]
    for times in others:
        observances("America/New_York", times)
    assert [cache.cache_info().misses for cache in (transitions, _in_year, _general_law)] == known
