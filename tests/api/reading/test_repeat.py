"""What people write under ``repeat``: what is read, how, and with which sentence the rest is
refused.
"""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.itip.errors import InvalidRule
from meetings.itip.recurrence.expansion import first_match
from meetings.itip.recurrence.templates import lacks_day_in_some_month
from tests.support.recurrences import ZONE, exdates_in, rule_in

START = datetime(2019, 11, 30, 10)


def read(value: object, *, start: datetime = START, tzid: str = ZONE, all_day: bool = False) -> str:
    return str(rule_in(value, start, tzid=tzid, all_day=all_day))


READ: dict[str, tuple[dict[str, Any], str]] = {
    # the examples of the page this service replaces
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
    # forms
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
    # written out from the start, Saturday 30 November
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
    assert (
        read({"FREQ": "DAILY", "INTERVAL": 9, "UNTIL": until})
        == f"FREQ=DAILY;INTERVAL=9;UNTIL={text}"
    )


@pytest.mark.parametrize("until", ["2027-05-01", "2027-05-01 10:00"])
def test_until_of_all_day_series_is_a_day(until: str) -> None:
    assert (
        read({"FREQ": "DAILY", "UNTIL": until}, all_day=True) == "FREQ=DAILY;UNTIL=20270501T000000"
    )


BAD_UNTIL = [
    "", "soon", "2027-02-30", "2027-05-01 24:01", "2027-5-1", "2027-W01-1", "２０２７-05-01", "2027-05-01x10:00",
    "2027-05-01\n", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00Z", "0000-00-00", 0, 1, -20270501, 2027.5, True,
    [], {}, ["2027-05-01"], 10**30, "9" * 5000, "2027-05-01 10:00+99:99", "\x00",
]  # fmt: skip


@pytest.mark.parametrize("until", BAD_UNTIL, ids=lambda value: repr(value)[:30])
def test_malformed_until_is_refused(until: object) -> None:
    assert refusal({"FREQ": "DAILY", "UNTIL": until}).part == "UNTIL"


def refusal(value: object) -> InvalidRule:
    with pytest.raises(InvalidRule) as caught:
        rule_in(value, START)
    return caught.value


def with_count(**parts: object) -> dict[str, object]:
    return {"COUNT": 3, **parts}


# what is wrong: (JSON, part that is named, words of the sentence)
REFUSED: dict[str, tuple[object, str, str]] = {
    "no end": ({"FREQ": "DAILY"}, "COUNT", "never end; add COUNT"),
    "two ends": (
        {"FREQ": "DAILY", "COUNT": 1, "UNTIL": "2027-05-01"},
        "COUNT",
        "exclude each other",
    ),
    "no frequency": ({"COUNT": 1}, "FREQ", "DAILY, WEEKLY"),
    "SECONDLY": (with_count(FREQ="SECONDLY"), "FREQ", "SECONDLY"),
    "HOURLY": (with_count(FREQ="hourly"), "FREQ", "HOURLY"),
    "unknown frequency": (with_count(FREQ="FORTNIGHTLY"), "FREQ", "must be"),
    "COUNT 0": ({"FREQ": "DAILY", "COUNT": 0}, "COUNT", "1 to 999"),
    "COUNT 1000": ({"FREQ": "DAILY", "COUNT": "1000"}, "COUNT", "1 to 999"),
    "COUNT negative": ({"FREQ": "DAILY", "COUNT": -1}, "COUNT", "1 to 999"),
    "COUNT in a list": ({"FREQ": "DAILY", "COUNT": [3]}, "COUNT", "1 or more"),
    "INTERVAL 0": (with_count(FREQ="DAILY", INTERVAL=0), "INTERVAL", "1 to 999"),
    "INTERVAL of a billion": (with_count(FREQ="DAILY", INTERVAL=10**9), "INTERVAL", "1 to 999"),
    "INTERVAL weekly": (with_count(FREQ="WEEKLY", INTERVAL=100), "INTERVAL", "1 to 99"),
    "part given twice": ({"FREQ": "DAILY", "COUNT": 1, "count": 2}, "COUNT", "twice"),
    "BYHOUR": (with_count(FREQ="DAILY", BYHOUR=3), "BYHOUR", "cannot represent BYHOUR"),
    "BYWEEKNO": (with_count(FREQ="YEARLY", BYWEEKNO=3), "BYWEEKNO", "cannot represent BYWEEKNO"),
    "BYYEARDAY": (with_count(FREQ="YEARLY", byyearday=3), "BYYEARDAY", "cannot represent"),
    "unknown part": (with_count(FREQ="DAILY", EVERY=3), "EVERY", "no part of a recurrence"),
    "unprintable part": (
        with_count(FREQ="DAILY", **{"\x00\r\n": 3}),
        "",
        "no part of a recurrence",
    ),
    "endless part": (with_count(FREQ="DAILY", **{"A" * 100_000: 3}), "", "no part of a recurrence"),
    "DAILY on days": (with_count(FREQ="DAILY", BYDAY="MO"), "BYDAY", "say WEEKLY"),
    "WEEKLY on a month day": (
        with_count(FREQ="WEEKLY", BYMONTHDAY=3),
        "BYMONTHDAY",
        "leave BYMONTHDAY out",
    ),
    "WEEKLY counted": (
        with_count(FREQ="WEEKLY", BYDAY="MO", BYSETPOS=1),
        "BYSETPOS",
        "leave BYSETPOS out",
    ),
    "WEEKLY with a number": (with_count(FREQ="WEEKLY", BYDAY="2MO"), "BYDAY", "without numbers"),
    "MONTHLY in one month": (with_count(FREQ="MONTHLY", BYMONTH=8), "BYMONTH", "say YEARLY"),
    "MONTHLY on every Monday": (with_count(FREQ="MONTHLY", BYDAY="MO"), "BYDAY", "add BYSETPOS"),
    "two numbered days": (with_count(FREQ="MONTHLY", BYDAY="1MO,3MO"), "BYDAY", "one numbered day"),
    "number said twice": (
        with_count(FREQ="MONTHLY", BYDAY="2MO", BYSETPOS=2),
        "BYSETPOS",
        "leave one",
    ),
    "fifth Monday": (
        with_count(FREQ="MONTHLY", BYDAY="MO", BYSETPOS=5),
        "BYSETPOS",
        "-1 for the last",
    ),
    "fifth Monday as a number": (
        with_count(FREQ="MONTHLY", BYDAY="5MO"),
        "BYSETPOS",
        "-1 for the last",
    ),
    "two positions": (
        with_count(FREQ="MONTHLY", BYDAY="MO", BYSETPOS=[1, 3]),
        "BYSETPOS",
        "one BYSETPOS only",
    ),
    "position without a day": (with_count(FREQ="MONTHLY", BYSETPOS=1), "BYSETPOS", "needs BYDAY"),
    "a set Outlook lacks": (
        with_count(FREQ="MONTHLY", BYDAY="MO,WE", BYSETPOS=1),
        "BYDAY",
        "one day, SA,SU",
    ),
    "month day and weekday": (
        with_count(FREQ="MONTHLY", BYDAY="FR", BYSETPOS=1, BYMONTHDAY=13),
        "BYMONTHDAY",
        "BYDAY",
    ),
    "several month days": (
        with_count(FREQ="MONTHLY", BYMONTHDAY="1,15"),
        "BYMONTHDAY",
        "one BYMONTHDAY only",
    ),
    "month day 0": (with_count(FREQ="MONTHLY", BYMONTHDAY=0), "BYMONTHDAY", "1 to 31"),
    "month day 32": (with_count(FREQ="MONTHLY", BYMONTHDAY=32), "BYMONTHDAY", "1 to 31"),
    "month day -2": (with_count(FREQ="MONTHLY", BYMONTHDAY=-2), "BYMONTHDAY", "1 to 31"),
    "30 February": (
        with_count(FREQ="YEARLY", BYMONTH=2, BYMONTHDAY=30),
        "BYMONTHDAY",
        "never has a day 30",
    ),
    "month 13": (with_count(FREQ="YEARLY", BYMONTH=13), "BYMONTH", "1 to 12"),
    "several months": (with_count(FREQ="YEARLY", BYMONTH=[1, 7]), "BYMONTH", "one BYMONTH only"),
    "yearly month day without its month": (
        with_count(FREQ="YEARLY", BYMONTHDAY=12),
        "BYMONTH",
        "add BYMONTH",
    ),
    "yearly weekday without its month": (
        with_count(FREQ="YEARLY", BYDAY="2WE"),
        "BYMONTH",
        "add BYMONTH",
    ),
    "no such day": (with_count(FREQ="WEEKLY", BYDAY="MO,XX"), "BYDAY", "out of MO"),
    "no days": (with_count(FREQ="WEEKLY", BYDAY=[]), "BYDAY", "leave it out"),
    "empty days": (with_count(FREQ="WEEKLY", BYDAY=""), "BYDAY", "leave it out"),
    "week start": (with_count(FREQ="WEEKLY", WKST="XX"), "WKST", "MO"),
    "a text": ("FREQ=DAILY;COUNT=3", "", "object"),
    "a list": ([{"FREQ": "DAILY"}], "", "object"),
    "false": (False, "", "object"),
    "zero": (0, "", "object"),
}


@pytest.mark.parametrize(("value", "part", "words"), REFUSED.values(), ids=REFUSED)
def test_wrong_rule_is_refused_and_its_part_named(value: object, part: str, words: str) -> None:
    refused = refusal(value)
    assert refused.part == part
    assert words in refused.message
    assert len(refused.message) < 250


NO_NUMBERS = [
    True, 3.0, 3.5, float("nan"), float("inf"), "3.0", "3e0", "三", "٣", "３", "²", "\x003", "", " ", [[3]], {},
    {"a": 1}, "0x3", 10**30, "9" * 5000, 10**5000, "1_0", object(),
]  # fmt: skip


@pytest.mark.parametrize("part", ["COUNT", "INTERVAL", "BYMONTHDAY", "BYMONTH", "BYSETPOS"])
@pytest.mark.parametrize(
    "value",
    NO_NUMBERS,
    ids=lambda value: "10**5000" if isinstance(value, int) else repr(value)[:20],
)
def test_wrong_number_is_refused_and_its_part_named(part: str, value: object) -> None:
    rule: dict[str, object] = {"FREQ": "YEARLY", "COUNT": 1, "BYMONTH": 8}
    if part == "BYSETPOS":
        rule["BYDAY"] = "MO"
    assert refusal(rule | {part: value}).part == part


@pytest.mark.parametrize("part", ["FREQ", "BYDAY", "WKST"])
@pytest.mark.parametrize(
    "value", [True, 1, 1.5, [["MO"]], {}, "\x00", "ＭＯ", "MO;TU", "M" * 1_000_000, ["MO"] * 5000]
)
def test_wrong_word_is_refused_and_its_part_named(part: str, value: object) -> None:
    assert refusal({"FREQ": "WEEKLY", "COUNT": 1, part: value}).part == part


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["MO", "2WE", "20270501", "3"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
PARTS = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "BYDAY",
    "BYMONTHDAY",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
    "EXDATE",
    "freq",
]


@settings(max_examples=400, deadline=None)
@given(
    anything
    | st.dictionaries(
        st.sampled_from(PARTS), anything | st.sampled_from(["DAILY", "YEARLY", "MONTHLY"])
    )
)
def test_any_value_is_a_rule_or_is_refused(value: object) -> None:
    try:
        rule = rule_in(value, START)
        if rule:
            first_match(rule, START)
            exdates_in(value, START)
    except InvalidRule:
        pass


@pytest.mark.parametrize(
    ("parts", "warned"),
    [
        ({"FREQ": "MONTHLY", "BYMONTHDAY": 28}, False),
        ({"FREQ": "MONTHLY", "BYMONTHDAY": 29}, True),
        ({"FREQ": "MONTHLY", "BYMONTHDAY": 31}, True),
        ({"FREQ": "MONTHLY", "BYMONTHDAY": -1}, False),
        ({"FREQ": "YEARLY", "BYMONTHDAY": 29, "BYMONTH": 2}, True),
        ({"FREQ": "YEARLY", "BYMONTHDAY": 31, "BYMONTH": 8}, False),
        ({"FREQ": "MONTHLY"}, True),
    ],
)
def test_day_that_some_months_lack_is_detected(parts: dict[str, object], warned: bool) -> None:
    rule = rule_in({"COUNT": 2, **parts}, START)
    assert rule
    assert lacks_day_in_some_month(rule) is warned
