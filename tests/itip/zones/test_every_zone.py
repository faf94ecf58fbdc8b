"""Each zone is exact for every time of a meeting, or says that it cannot be (interop Z3).

The VTIMEZONE is evaluated by a reader that was written from RFC 5545 §3.6.5 alone.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meetings.itip.errors import ZoneNotExpressible
from meetings.itip.zones.law import _general_law
from meetings.itip.zones.offsets import _in_year, transitions
from meetings.itip.zones.refusal import require_exact
from meetings.itip.zones.vtimezone import observances
from tests.interop.cases import ZONES
from tests.itip.zones.checks import HOUR, MONDAY, check_form, series, wrong_times

RULES = {
    "52 weekly": "FREQ=WEEKLY;COUNT=52;BYDAY=MO",
    "10 monthly": "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=5",
    "260 daily": "FREQ=DAILY;COUNT=260",
}
FIVE_YEARS = "FREQ=WEEKLY;COUNT=260;BYDAY=MO"
REFUSAL = re.compile(r"change in (\d{4}) .* End the series before (\S+)")

# In 2026 Morocco leaves daylight saving time for Ramadan, returns to it, and gives it up for good
# in September.
THREE_CHANGES = ("Africa/Casablanca", "Africa/El_Aaiun")


def refuse_inexact(tzid: str, times: Iterable[datetime], duration: timedelta = HOUR) -> None:
    """Raise ZoneNotExpressible unless the meetings that start at ``times`` fit together."""
    require_exact(tzid, [(start, start + duration) for start in times])


@pytest.mark.parametrize("tzid", THREE_CHANGES)
def test_z3_third_change_in_a_year_is_refused(tzid: str) -> None:
    with pytest.raises(
        ZoneNotExpressible, match=r"change in 2026 .* End the series before 2026-09-2"
    ):
        refuse_inexact(tzid, series(RULES["52 weekly"], MONDAY))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_zone_is_exact_for_a_year(rule: str) -> None:
    times = series(rule, MONDAY)
    for tzid in ZONES:
        if tzid in THREE_CHANGES:
            continue
        parts = observances(tzid, times)
        check_form(parts)
        assert wrong_times(parts, tzid, times) == [], tzid


@st.composite
def meetings(draw: st.DrawFn) -> tuple[str, list[datetime]]:
    first = draw(st.datetimes(datetime(1970, 1, 1), datetime(2089, 12, 31)))
    start = first.replace(microsecond=0, second=0)
    days = draw(st.sampled_from([1, 7, 30, 91, 366]))
    number = draw(st.integers(1, {1: 400, 366: 10}.get(days, 120)))
    starts = [start + timedelta(days=days * place) for place in range(number)]
    times = [moment for start in starts for moment in (start, start + HOUR)]
    return draw(st.sampled_from(ZONES)), times


@given(meetings())
@example(("Asia/Gaza", series(FIVE_YEARS, MONDAY)))
@example(("Africa/Casablanca", series(FIVE_YEARS, MONDAY)))
@example(("Europe/Vilnius", [datetime(2000, 1, 1)]))  # it kept winter time for these three years
@settings(max_examples=300, deadline=None)
def test_any_meeting_is_exact_before_the_day_refused(meeting: tuple[str, list[datetime]]) -> None:
    tzid, times = meeting
    parts = observances(tzid, times)
    check_form(parts)
    wrong = wrong_times(parts, tzid, times)
    try:
        refuse_inexact(tzid, times, timedelta())
    except ZoneNotExpressible as refusal:
        named = REFUSAL.search(refusal.message)
        assert named
        assert named[1] == named[2][:4]
        day = datetime.fromisoformat(named[2])
        wrong = [moment for moment in wrong if moment < day]
        # What is left of the series before the day that the refusal names must be accepted.
        if left := [moment for moment in times if moment < day]:
            refuse_inexact(tzid, left, timedelta())
    assert wrong == []


def test_refusal_names_the_first_wrong_occurrence() -> None:
    # Mexico gave up daylight saving time at the end of 2022. A rule can tell 3 April 2023 from the
    # Mondays of 2021 and 2022, but not 10 April.
    times = series(FIVE_YEARS, datetime(2021, 6, 7, 10))
    with pytest.raises(
        ZoneNotExpressible, match=r"America/Mexico_City change in 2023 .* before 2023-04-10"
    ) as refusal:
        refuse_inexact("America/Mexico_City", times)
    assert refusal.value.property == "TZID"


def test_refusal_names_the_day_an_occurrence_begins() -> None:
    # Syria kept its daylight saving time for good in the autumn of 2022. The last occurrence that
    # ends in that year still fits.
    saturdays = [datetime(2022, 1, 1, 23, 30) + timedelta(weeks=number) for number in range(60)]
    with pytest.raises(ZoneNotExpressible, match=r"change in 2023 .* before 2022-12-31"):
        refuse_inexact("Asia/Damascus", saturdays, 5 * HOUR)
    kept = [start for start in saturdays if start < datetime(2022, 12, 31)]
    refuse_inexact("Asia/Damascus", kept, 5 * HOUR)


@pytest.mark.parametrize(
    "tzid", ["Africa/Cairo", "Africa/Casablanca", "America/Santiago", "Asia/Gaza"]
)
def test_series_of_eighty_years_is_refused(tzid: str) -> None:
    times = [datetime(year, month, 4, 10) for year in range(2019, 2099) for month in range(1, 13)]
    with pytest.raises(ZoneNotExpressible):
        refuse_inexact(tzid, times)


def different_meetings(number: int) -> Iterator[list[datetime]]:
    for minutes in range(number):
        yield series(RULES["52 weekly"], MONDAY + timedelta(minutes=minutes))


def test_second_meeting_looks_up_no_law_again() -> None:
    first, *others = different_meetings(50)
    observances("America/New_York", first)
    caches = (transitions, _in_year, _general_law)
    known = [cache.cache_info().misses for cache in caches]
    for times in others:
        observances("America/New_York", times)
    assert [cache.cache_info().misses for cache in caches] == known
