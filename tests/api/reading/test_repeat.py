"""A ``repeat`` is read in every form in which people write it."""

from datetime import datetime
from typing import Any

import pytest

from tests.support.recurrences import ZONE, rule_in

START = datetime(2019, 11, 30, 10)


def read(value: object, *, start: datetime = START, tzid: str = ZONE, all_day: bool = False) -> str:
    return str(rule_in(value, start, tzid=tzid, all_day=all_day))


READ: dict[str, tuple[dict[str, Any], str]] = {
    # The examples of the page that this service replaces.
    "Mondays": ({"FREQ": "WEEKLY", "COUNT": 3, "BYDAY": "MO"}, "FREQ=WEEKLY;COUNT=3;BYDAY=MO"),
    "every third day": (
        {"FREQ": "DAILY", "COUNT": 10, "INTERVAL": 3},
        "FREQ=DAILY;INTERVAL=3;COUNT=10",
    ),
    "workdays": (
        {"FREQ": "WEEKLY", "COUNT": 1, "BYDAY": ["MO", "TU", "WE", "TH", "FR"]},
        "FREQ=WEEKLY;COUNT=1;BYDAY=MO,TU,WE,TH,FR",
    ),
    "a month day": (
        {"FREQ": "MONTHLY", "COUNT": 10, "BYMONTHDAY": 3},
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=3",
    ),
    "a month day every three months": (
        {"FREQ": "MONTHLY", "COUNT": 10, "BYMONTHDAY": 3, "INTERVAL": 3},
        "FREQ=MONTHLY;INTERVAL=3;COUNT=10;BYMONTHDAY=3",
    ),
    "second Wednesdays": (
        {"FREQ": "MONTHLY", "COUNT": 10, "BYDAY": "WE", "BYSETPOS": 2},
        "FREQ=MONTHLY;COUNT=10;BYDAY=WE;BYSETPOS=2",
    ),
    "12 August": (
        {"FREQ": "YEARLY", "COUNT": 1, "BYMONTHDAY": 12, "BYMONTH": 8},
        "FREQ=YEARLY;COUNT=1;BYMONTHDAY=12;BYMONTH=8",
    ),
    "second Wednesday of August": (
        {"FREQ": "YEARLY", "COUNT": 1, "BYDAY": "WE", "BYMONTH": 8, "BYSETPOS": 2},
        "FREQ=YEARLY;COUNT=1;BYDAY=WE;BYMONTH=8;BYSETPOS=2",
    ),
    # The forms.
    "lower case": (
        {"freq": "weekly", "count": 3, "byday": "mo,tu"},
        "FREQ=WEEKLY;COUNT=3;BYDAY=MO,TU",
    ),
    "digit strings": (
        {"FREQ": "MONTHLY", "COUNT": "10", "BYMONTHDAY": "3", "INTERVAL": " 3 "},
        "FREQ=MONTHLY;INTERVAL=3;COUNT=10;BYMONTHDAY=3",
    ),
    "brackets in a string": (
        {"FREQ": "WEEKLY", "COUNT": 1, "BYDAY": "[MO, TU]"},
        "FREQ=WEEKLY;COUNT=1;BYDAY=MO,TU",
    ),
    "lists of one": (
        {"FREQ": "MONTHLY", "COUNT": 1, "BYMONTHDAY": ["3"]},
        "FREQ=MONTHLY;COUNT=1;BYMONTHDAY=3",
    ),
    "days are put in order, once each": (
        {"FREQ": "WEEKLY", "COUNT": 1, "BYDAY": "SU,MO,SU"},
        "FREQ=WEEKLY;COUNT=1;BYDAY=MO,SU",
    ),
    "numbered day": (
        {"FREQ": "MONTHLY", "COUNT": 1, "BYDAY": "2WE"},
        "FREQ=MONTHLY;COUNT=1;BYDAY=WE;BYSETPOS=2",
    ),
    "numbered from the end": (
        {"FREQ": "YEARLY", "COUNT": 1, "BYDAY": ["-1FR"], "BYMONTH": 4},
        "FREQ=YEARLY;COUNT=1;BYDAY=FR;BYMONTH=4;BYSETPOS=-1",
    ),
    "plus sign": (
        {"FREQ": "MONTHLY", "COUNT": 1, "BYDAY": "+2WE"},
        "FREQ=MONTHLY;COUNT=1;BYDAY=WE;BYSETPOS=2",
    ),
    "weekend days": (
        {"FREQ": "MONTHLY", "COUNT": 1, "BYDAY": "SU,SA", "BYSETPOS": 1},
        "FREQ=MONTHLY;COUNT=1;BYDAY=SA,SU;BYSETPOS=1",
    ),
    "first weekday of the week": (
        {"FREQ": "WEEKLY", "COUNT": 3, "INTERVAL": 2, "BYDAY": "MO", "WKST": "su"},
        "FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=MO;WKST=SU",
    ),
    # Written out from the start, Saturday 30 November.
    "weekly without a day": ({"FREQ": "WEEKLY", "COUNT": 3}, "FREQ=WEEKLY;COUNT=3;BYDAY=SA"),
    "monthly without a day": (
        {"FREQ": "MONTHLY", "COUNT": 3},
        "FREQ=MONTHLY;COUNT=3;BYMONTHDAY=30",
    ),
    "yearly without a day": (
        {"FREQ": "YEARLY", "COUNT": 3},
        "FREQ=YEARLY;COUNT=3;BYMONTHDAY=30;BYMONTH=11",
    ),
    "yearly with a month": (
        {"FREQ": "YEARLY", "COUNT": 3, "BYMONTH": 6},
        "FREQ=YEARLY;COUNT=3;BYMONTHDAY=30;BYMONTH=6",
    ),
}


@pytest.mark.parametrize(("value", "text"), READ.values(), ids=READ)
def test_rule_is_read_in_every_form(value: dict[str, Any], text: str) -> None:
    assert read(value) == text


def test_null_parts_are_ignored() -> None:
    assert read({"FREQ": "DAILY", "COUNT": 2, "UNTIL": None, "BYDAY": None}) == "FREQ=DAILY;COUNT=2"


@pytest.mark.parametrize("value", [None, {}, {"FREQ": None, "COUNT": None}])
def test_empty_repeat_means_no_recurrence(value: object) -> None:
    assert rule_in(value, START) is None


UNTIL = {
    "a date is that whole day": ("2027-05-01", "20270501T235959"),
    "a date in basic form": ("20270501", "20270501T235959"),
    "a date as a number": (20270501, "20270501T235959"),
    "local time": ("2027-05-01 10:00", "20270501T100000"),
    "local time with seconds": ("2027-05-01T10:00:30", "20270501T100030"),
    "local time in basic form": ("20270501T100000", "20270501T100000"),
    "UTC becomes the zone's wall clock": ("20270501T020000Z", "20270501T100000"),
    "UTC may change the day": ("2027-05-01T20:00:00Z", "20270502T040000"),
    "UTC with a fraction, as JavaScript writes it": ("2027-05-01T02:00:00.000Z", "20270501T100000"),
    "an offset": ("2027-05-01T04:00:00+02:00", "20270501T100000"),
    "lower case": ("20270501t020000z", "20270501T100000"),
}


@pytest.mark.parametrize(("until", "text"), UNTIL.values(), ids=UNTIL)
def test_until_is_read_in_every_form(until: object, text: str) -> None:
    repeat = {"FREQ": "DAILY", "INTERVAL": 9, "UNTIL": until}
    assert read(repeat) == f"FREQ=DAILY;INTERVAL=9;UNTIL={text}"


@pytest.mark.parametrize("until", ["2027-05-01", "2027-05-01 10:00"])
def test_until_of_all_day_series_is_a_day(until: str) -> None:
    repeat = {"FREQ": "DAILY", "UNTIL": until}
    assert read(repeat, all_day=True) == "FREQ=DAILY;UNTIL=20270501T000000"
