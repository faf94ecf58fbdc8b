"""EXDATE as people write it: each must hit an occurrence (interop R11)."""

from datetime import datetime

import pytest

from meetings.api.reading.exdates import read_exdates
from meetings.api.reading.repeat import rule_part
from meetings.itip.errors import InvalidRule
from meetings.itip.recurrence.rule import Rule, occurrences
from tests.api.reading.test_repeat import START, ZONE

MONDAYS = Rule.from_text("FREQ=WEEKLY;COUNT=3;BYDAY=MO")
SECOND = datetime(2019, 12, 9, 10)


def exdates(value: object, rule: Rule | None = MONDAYS) -> tuple[datetime, ...]:
    return read_exdates(value, rule=rule, start=START, tzid=ZONE, all_day=False)


@pytest.mark.parametrize(
    "value",
    [
        ["2019-12-09"], "2019-12-09", 20191209, ["2019-12-09 10:00"], ["20191209T100000"], ["2019-12-09T02:00:00Z"],
        ["2019-12-09T03:00:00+01:00"], "[2019-12-09]", ["2019-12-09", "2019-12-09 10:00"],
    ],
)  # fmt: skip
def test_excluded_day_is_read_in_every_form(value: object) -> None:
    assert exdates(value) == (SECOND,)


@pytest.mark.parametrize("value", [None, [], ""])
def test_no_exclusions_leave_out_nothing(value: object) -> None:
    assert exdates(value) == ()
    assert exdates(value, rule=None) == ()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["2019-12-10"], "2019-12-10"),
        (["2019-12-09 11:00"], "2019-12-09 11:00"),
        (["2019-12-09T10:00:00Z"], "2019-12-09 18:00"),
        (["2019-12-02", "2019-12-09", "2019-12-16"], "Every occurrence"),
        (["Christmas"], "dates"),
        ([None], "dates"),
        ([["2019-12-09"]], "dates"),
        ({"2019-12-09": True}, "dates"),
        (True, "dates"),
        ([2019.5], "dates"),
        (["2019-12-09"] * 1000, "999"),
        ([10**5000], "dates"),
    ],
)
def test_exclusion_that_hits_nothing_is_refused_and_named(value: object, words: str) -> None:
    with pytest.raises(InvalidRule, match=words) as refused:
        exdates(value)
    assert refused.value.part == "EXDATE"


def test_exclusion_without_a_rule_is_refused() -> None:
    with pytest.raises(InvalidRule, match="not repeated"):
        exdates(["2019-12-09"], rule=None)


def test_exclusion_of_an_all_day_series_may_carry_a_time() -> None:
    days = Rule.from_text("FREQ=DAILY;COUNT=3")
    midnight = datetime(2019, 11, 30)
    found = read_exdates(
        ["2019-12-01", "2019-12-02 00:00"], rule=days, start=midnight, tzid=ZONE, all_day=True
    )
    assert found == occurrences(days, midnight)[1:]


def test_exclusions_are_found_in_either_case() -> None:
    assert rule_part({"exdate": ["2019-12-09"]}, "EXDATE") == ["2019-12-09"]
    assert rule_part(None, "EXDATE") is None
