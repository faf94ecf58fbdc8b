"""EXDATE is read in every form, and each one excludes an occurrence (interop R11)."""

from datetime import datetime

import pytest

from meetings.itip.errors import InvalidRule
from meetings.itip.recurrence.expansion import occurrences
from meetings.itip.recurrence.rule import Rule
from tests.support.recurrences import exdates_in

START = datetime(2019, 11, 30, 10)
MONDAYS = {"FREQ": "WEEKLY", "COUNT": 3, "BYDAY": "MO"}
SECOND = datetime(2019, 12, 9, 10)


def exdates(value: object) -> tuple[datetime, ...]:
    return exdates_in({**MONDAYS, "EXDATE": value}, START)


@pytest.mark.parametrize(
    "value",
    [
        ["2019-12-09"], "2019-12-09", 20191209, ["2019-12-09 10:00"], ["20191209T100000"],
        ["2019-12-09T02:00:00Z"], ["2019-12-09T03:00:00+01:00"], "[2019-12-09]",
        ["2019-12-09", "2019-12-09 10:00"],
    ],
)  # fmt: skip
def test_excluded_day_is_read_in_every_form(value: object) -> None:
    assert exdates(value) == (SECOND,)


@pytest.mark.parametrize("value", [None, [], ""])
def test_empty_exdate_excludes_nothing(value: object) -> None:
    assert exdates(value) == ()


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
def test_wrong_exdate_is_refused_with_its_reason(value: object, words: str) -> None:
    with pytest.raises(InvalidRule, match=words) as refused:
        exdates(value)
    assert refused.value.part == "EXDATE"


def test_exdate_of_all_day_series_may_have_time() -> None:
    midnight = datetime(2019, 11, 30)
    left_out = ["2019-12-01", "2019-12-02 00:00"]
    value = {"FREQ": "DAILY", "COUNT": 3, "EXDATE": left_out}
    series = occurrences(Rule.from_text("FREQ=DAILY;COUNT=3"), midnight)
    assert exdates_in(value, midnight, all_day=True) == series[1:]


def test_exdate_may_be_written_in_lower_case() -> None:
    assert exdates_in({**MONDAYS, "exdate": ["2019-12-09"]}, START) == (SECOND,)
