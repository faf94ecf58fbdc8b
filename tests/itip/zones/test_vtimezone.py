"""The VTIMEZONE of a zone, for meetings in typical and in difficult years (interop Z2, Z3)."""

from datetime import datetime

import pytest

from meetings.itip.zones.vtimezone import Observance, observances
from tests.itip.zones.checks import HOUR, MONDAY, check_form, series, wrong_times


def described(part: Observance) -> str:
    offsets = f"{part.offset_from / HOUR:+g} to {part.offset_to / HOUR:+g}"
    return f"{part.kind} {part.name} {offsets} on {part.onset}, {part.rule}"


GOLDEN = {
    "Asia/Shanghai": ["STANDARD CST +8 to +8 on 1970-01-01 00:00:00, None"],
    "UTC": ["STANDARD UTC +0 to +0 on 1970-01-01 00:00:00, None"],
    "America/New_York": [
        "STANDARD EST -4 to -5 on 1970-11-01 02:00:00, FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
        "DAYLIGHT EDT -5 to -4 on 1970-03-08 02:00:00, FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
    ],
    # tzdata calls the winter time of Dublin its daylight time, with a negative shift.
    "Europe/Dublin": [
        "STANDARD GMT +1 to +0 on 1970-10-25 02:00:00, FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
        "DAYLIGHT IST +0 to +1 on 1970-03-29 01:00:00, FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    ],
    "Australia/Lord_Howe": [
        "STANDARD +1030 +11 to +10.5 on 1970-04-05 02:00:00, FREQ=YEARLY;BYMONTH=4;BYDAY=1SU",
        "DAYLIGHT +11 +10.5 to +11 on 1970-10-04 02:00:00, FREQ=YEARLY;BYMONTH=10;BYDAY=1SU",
    ],
    # "The first Saturday at 24:00" has no annual rule, but its last second has one.
    "America/Santiago": [
        "STANDARD -04 -3 to -4 on 1970-04-04 23:59:59, FREQ=YEARLY;BYMONTH=4;BYDAY=1SA",
        "DAYLIGHT -03 -4 to -3 on 1970-09-05 23:59:59, FREQ=YEARLY;BYMONTH=9;BYDAY=1SA",
    ],
}


@pytest.mark.parametrize(("tzid", "expected"), GOLDEN.items())
@pytest.mark.parametrize("number", [1, 52, 260])
def test_vtimezone_states_the_law_of_the_zone(tzid: str, expected: list[str], number: int) -> None:
    times = series(f"FREQ=WEEKLY;COUNT={number};BYDAY=MO", MONDAY)
    assert [described(part) for part in observances(tzid, times)] == expected
    assert observances(tzid, times[::-1]) == observances(tzid, times)


# Weekly series on Mondays at 10:00, and a part of the rule that their STANDARD must have.
LAST_SUNDAY = "BYMONTH=10;BYDAY=-1SU"
SITUATIONS = {
    "no more DST since the autumn before": ("America/Mexico_City", "2023-02-06", 10, None),
    "no more DST since long ago": ("Europe/Moscow", "2026-01-05", 52, None),
    "one change for good, inside the series": ("Asia/Almaty", "2024-01-01", 20, "BYMONTH=3;"),
    "a law of the past": ("America/New_York", "2000-01-03", 52, LAST_SUNDAY),
    "Ramadan": ("Africa/Casablanca", "2026-01-05", 20, "BYMONTH=2;BYDAY=3SU"),
    "24:00 on a Thursday": ("Africa/Cairo", "2026-01-05", 52, "BYMONTH=10;BYDAY=-1TH"),
    "Friday before the last Sunday": ("Asia/Jerusalem", "2026-01-05", 260, LAST_SUNDAY),
    "Saturday at 22:00 before the last Sunday": ("America/Nuuk", "2026-01-05", 260, LAST_SUNDAY),
}


@pytest.mark.parametrize(
    ("tzid", "start", "number", "standard_rule"), SITUATIONS.values(), ids=SITUATIONS
)
def test_vtimezone_is_fitted_to_the_meeting(
    tzid: str, start: str, number: int, standard_rule: str | None
) -> None:
    first = datetime.fromisoformat(f"{start} 10:00")
    times = series(f"FREQ=WEEKLY;COUNT={number};BYDAY=MO", first)
    parts = observances(tzid, times)
    check_form(parts)
    assert wrong_times(parts, tzid, times) == []
    assert (standard_rule or "") in (parts[0].rule or "")
    assert (parts[0].rule is None) is (standard_rule is None)


EDGES = {
    "the second before New York's clocks go forward": ("America/New_York", "2026-03-08 01:59:59"),
    "the moment after": ("America/New_York", "2026-03-08 03:00:00"),
    "the first of two passes of an hour": ("America/New_York", "2026-11-01 01:59:59"),
    "after both passes": ("America/New_York", "2026-11-01 02:00:00"),
    "Cairo at midnight after the clocks went back": ("Africa/Cairo", "2026-10-30 00:00:00"),
    "Cairo in the hour that occurs twice": ("Africa/Cairo", "2026-10-29 23:30:00"),
    "Jerusalem between midnight and the change": ("Asia/Jerusalem", "2026-03-27 01:00:00"),
    "Nuuk before the change": ("America/Nuuk", "2026-03-28 22:59:59"),
    "Nuuk after the change": ("America/Nuuk", "2026-03-29 00:00:00"),
    "the first days of the first year": ("America/New_York", "1970-01-05 10:00:00"),
    "the first days of the first year in the south": ("Australia/Sydney", "1970-01-05 10:00:00"),
    "the last day": ("America/New_York", "2099-12-31 23:59:59"),
    "offsets with seconds": ("Africa/Monrovia", "1971-12-31 23:00:00"),
}


@pytest.mark.parametrize(("tzid", "moment"), EDGES.values(), ids=EDGES)
def test_time_next_to_a_change_has_its_offset(tzid: str, moment: str) -> None:
    times = [datetime.fromisoformat(moment)]
    parts = observances(tzid, times)
    check_form(parts)
    assert wrong_times(parts, tzid, times) == []


@pytest.mark.parametrize(
    ("tzid", "moment"),
    [("America/New_York", datetime(2026, 11, 1, 2)), ("Australia/Sydney", datetime(2026, 4, 5, 3))],
)
def test_time_of_a_change_keeps_the_zone_law(tzid: str, moment: datetime) -> None:
    assert observances(tzid, [moment]) == observances(tzid, [MONDAY])


def test_skipped_time_does_not_count() -> None:
    skipped = datetime(2026, 3, 8, 2, 30)
    # Cancun has the standard time of New York all year.
    assert observances("America/New_York", [skipped]) == observances("America/Cancun", [MONDAY])
    with_monday = observances("America/New_York", [skipped, MONDAY])
    assert with_monday == observances("America/New_York", [MONDAY])
