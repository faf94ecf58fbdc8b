"""A wrong ``repeat`` is refused with a sentence that names its part."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.itip.errors import InvalidRule
from meetings.itip.recurrence.expansion import first_match
from tests.support.recurrences import exdates_in, rule_in

START = datetime(2019, 11, 30, 10)


def refusal(value: object) -> InvalidRule:
    with pytest.raises(InvalidRule) as caught:
        rule_in(value, START)
    return caught.value


def with_count(**parts: object) -> dict[str, object]:
    return {"COUNT": 3, **parts}


BAD_UNTIL = [
    "", "soon", "2027-02-30", "2027-05-01 24:01", "2027-5-1", "2027-W01-1", "２０２７-05-01",
    "2027-05-01x10:00", "2027-05-01\n", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00Z",
    "0000-00-00", 0, 1, -20270501, 2027.5, True, [], {}, ["2027-05-01"], 10**30, "9" * 5000,
    "2027-05-01 10:00+99:99", "\x00",
]  # fmt: skip


@pytest.mark.parametrize("until", BAD_UNTIL, ids=lambda value: repr(value)[:30])
def test_malformed_until_is_refused(until: object) -> None:
    assert refusal({"FREQ": "DAILY", "UNTIL": until}).part == "UNTIL"


# The JSON, the part that is named, and words of the sentence.
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
    "COUNT in a list": ({"FREQ": "DAILY", "COUNT": [3]}, "COUNT", "1 to 999"),
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
    "no days": (with_count(FREQ="WEEKLY", BYDAY=[]), "BYDAY", "be left out"),
    "empty days": (with_count(FREQ="WEEKLY", BYDAY=""), "BYDAY", "be left out"),
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
    True, 3.0, 3.5, float("nan"), float("inf"), "3.0", "3e0", "三", "٣", "３", "²", "\x003", "",
    " ", [[3]], {}, {"a": 1}, "0x3", 10**30, "9" * 5000, 10**5000, "1_0", object(),
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


ANYTHING = st.recursive(
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
    ANYTHING
    | st.dictionaries(
        st.sampled_from(PARTS), ANYTHING | st.sampled_from(["DAILY", "YEARLY", "MONTHLY"])
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
