"""Series and times that Outlook or the clocks cannot represent are refused (interop R10, R16)."""

from datetime import datetime, timedelta

import pytest

from meetings.itip.errors import InvalidProperty, InvalidRule
from meetings.itip.recurrence.expansion import occurrences
from meetings.itip.recurrence.limits import check_series, check_wall_clock
from tests.itip.recurrence.rules import SATURDAY, rule


def daily(number: int, start: datetime = SATURDAY) -> tuple[datetime, ...]:
    return occurrences(rule(f"FREQ=DAILY;COUNT={number}"), start)


def test_refused_overlap_names_both_occurrences() -> None:
    with pytest.raises(InvalidRule, match=r"2019-11-30 10:00 .* 2019-12-01 10:00") as refusal:
        check_series(daily(3), duration=timedelta(hours=25), tzid="Asia/Shanghai", all_day=False)
    assert (refusal.value.property, refusal.value.part) == ("RRULE", "")


@pytest.mark.parametrize("all_day", [True, False])
def test_occurrences_that_touch_are_allowed(all_day: bool) -> None:
    check_series(daily(3), duration=timedelta(days=1), tzid="Asia/Shanghai", all_day=all_day)


def test_two_occurrences_on_one_day_are_refused() -> None:
    with pytest.raises(InvalidRule):
        check_series(
            [SATURDAY, SATURDAY + timedelta(hours=2)],
            duration=timedelta(hours=1),
            tzid="Asia/Shanghai",
            all_day=False,
        )


def test_meeting_that_ends_after_2099_is_refused() -> None:
    with pytest.raises(InvalidRule, match="2099"):
        check_series(
            [SATURDAY], duration=timedelta(days=2_900_000), tzid="Asia/Shanghai", all_day=False
        )


@pytest.mark.parametrize(
    ("start", "minutes"),
    [("2026-03-07 02:30", 15), ("2026-03-07 01:00", 90)],
    ids=["the start", "the end"],
)
def test_refused_series_names_the_skipped_time(start: str, minutes: int) -> None:
    series = daily(3, datetime.fromisoformat(start))
    with pytest.raises(InvalidRule, match="2026-03-08 02:30 does not exist in America/New_York"):
        check_series(
            series, duration=timedelta(minutes=minutes), tzid="America/New_York", all_day=False
        )


def test_all_day_series_ignores_the_clock() -> None:
    # In Cairo, 2026-04-24 has no midnight. The day itself exists.
    check_series(
        daily(3, datetime(2026, 4, 23)),
        duration=timedelta(days=1),
        tzid="Africa/Cairo",
        all_day=True,
    )


def test_hour_that_happens_twice_is_allowed() -> None:
    check_series(
        daily(3, datetime(2026, 10, 31, 1, 30)),
        duration=timedelta(0),
        tzid="America/New_York",
        all_day=False,
    )


@pytest.mark.parametrize(
    ("moment", "tzid"),
    [
        ("2026-03-08 02:00", "America/New_York"),
        ("2026-03-08 02:59:59", "America/New_York"),
        ("2026-10-04 02:15", "Australia/Lord_Howe"),
        ("2011-12-30 12:00", "Pacific/Apia"),
        ("2026-03-28 23:30", "America/Nuuk"),
    ],
)
def test_single_time_inside_gap_is_refused(moment: str, tzid: str) -> None:
    with pytest.raises(InvalidProperty, match="does not exist") as refusal:
        check_wall_clock("DTSTART", datetime.fromisoformat(moment), tzid)
    assert refusal.value.property == "DTSTART"


@pytest.mark.parametrize(
    ("moment", "tzid"),
    [
        ("2026-03-08 01:59:59", "America/New_York"),
        ("2026-03-08 03:00", "America/New_York"),
        ("2026-11-01 01:30", "America/New_York"),
        ("0001-01-01 00:00", "America/New_York"),
        ("9999-12-31 23:59", "America/New_York"),
        ("2026-03-08 02:30", "Asia/Shanghai"),
    ],
)
def test_single_time_outside_gap_is_allowed(moment: str, tzid: str) -> None:
    check_wall_clock("DTSTART", datetime.fromisoformat(moment), tzid)


def test_refused_time_comes_with_one_that_exists() -> None:
    with pytest.raises(InvalidProperty, match="Choose 2026-03-08 03:30"):
        check_wall_clock("DTSTART", datetime(2026, 3, 8, 2, 30), "America/New_York")
