"""``repeat`` means the contract's days, as dateutil reads them from the mail."""

from datetime import datetime
from typing import Any

import pytest
from dateutil.rrule import rrulestr

from tests.api.conftest import Do, Last, Refused
from tests.conftest import Call

pytestmark = pytest.mark.django_db

# As on the page. The contract's table has the first and the last day of each.
EXAMPLES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    (
        {"FREQ": "WEEKLY", "COUNT": 3, "BYDAY": "MO"},
        (3, "2019-12-02", "2019-12-16"),
    ),
    (
        {"FREQ": "DAILY", "COUNT": 10, "INTERVAL": 3},
        (10, "2019-11-30", "2019-12-27"),
    ),
    (
        {"FREQ": "WEEKLY", "COUNT": 1, "BYDAY": ["MO", "TU", "WE", "TH", "FR"]},
        (1, "2019-12-02", "2019-12-02"),
    ),
    (
        {"FREQ": "MONTHLY", "COUNT": 10, "BYMONTHDAY": 3},
        (10, "2019-12-03", "2020-09-03"),
    ),
    (
        {"FREQ": "MONTHLY", "COUNT": 10, "BYMONTHDAY": 3, "INTERVAL": 3},
        (10, "2020-02-03", "2022-05-03"),
    ),
    (
        {"FREQ": "MONTHLY", "COUNT": 10, "BYDAY": "WE", "BYSETPOS": 2},
        (10, "2019-12-11", "2020-09-09"),
    ),
    (
        {"FREQ": "YEARLY", "COUNT": 1, "BYMONTHDAY": 12, "BYMONTH": 8},
        (1, "2020-08-12", "2020-08-12"),
    ),
    (
        {"FREQ": "YEARLY", "COUNT": 1, "BYDAY": "WE", "BYMONTH": 8, "BYSETPOS": 2},
        (1, "2020-08-12", "2020-08-12"),
    ),
]
SATURDAY = {"start": "2019-11-30 10:00", "end": "2019-11-30 11:00"}


def occurrences(last: Last) -> list[datetime]:
    """Every start of the newest mail's series, on the clock of its zone."""
    vevent = last().vevent
    start = vevent.dtstart.value.replace(tzinfo=None)
    return list(rrulestr(vevent.rrule.value, dtstart=start))


@pytest.mark.parametrize(("repeat", "days"), EXAMPLES, ids=[str(repeat) for repeat, _ in EXAMPLES])
def test_contract_example_means_these_days(
    send: Do, last: Last, repeat: dict[str, Any], days: tuple[int, str, str]
) -> None:
    send(repeat=repeat, **SATURDAY)
    starts = occurrences(last)
    assert (len(starts), f"{starts[0]:%Y-%m-%d}", f"{starts[-1]:%Y-%m-%d}") == days
    assert {f"{start:%H:%M:%S}" for start in starts} == {"10:00:00"}
    assert f"{last().vevent.dtend.value:%Y-%m-%d %H:%M}" == f"{days[1]} 11:00"


def test_mondays_of_the_page_are_these_three(send: Do, last: Last) -> None:
    mondays, _ = EXAMPLES[0]
    send(repeat=mondays, **SATURDAY)
    assert [f"{start:%m-%d}" for start in occurrences(last)] == ["12-02", "12-09", "12-16"]


@pytest.mark.parametrize(
    "repeat",
    [
        {"FREQ": "WEEKLY", "COUNT": 4, "BYDAY": ["MO", "TU"]},
        {"freq": "weekly", "count": 4, "byday": ["mo", "tu"]},
        {"Freq": "Weekly", "Count": "4", "ByDay": "MO,TU"},
        {"FREQ": "WEEKLY", "COUNT": " 4 ", "BYDAY": "[MO,TU]", "INTERVAL": "1"},
        {"FREQ": "WEEKLY", "COUNT": 4, "BYDAY": "[MO, TU]", "WKST": "MO", "UNTIL": None},
        {"FREQ": "WEEKLY", "UNTIL": "2032-03-10", "BYDAY": "tu,mo"},
        {"FREQ": "WEEKLY", "UNTIL": "20320309T020000Z", "BYDAY": "MO,TU"},
        {"FREQ": "WEEKLY", "UNTIL": 20320309, "BYDAY": "MO,TU"},
    ],
)
def test_same_rule_is_read_in_every_form(send: Do, last: Last, repeat: dict[str, Any]) -> None:
    send(repeat=repeat)
    rule = last().vevent.rrule.value.split(";")
    assert {"FREQ=WEEKLY", "BYDAY=MO,TU"} < set(rule)
    # UNTIL is mailed in UTC. dateutil needs it in local time, as DTSTART is.
    text = ";".join(part.removesuffix("Z").replace("T020000", "T100000") for part in rule)
    starts = list(rrulestr(text, dtstart=last().vevent.dtstart.value.replace(tzinfo=None)))
    shown = [f"{start:%m-%d %H}" for start in starts]
    assert shown == ["03-01 10", "03-02 10", "03-08 10", "03-09 10"]


@pytest.mark.parametrize(
    ("repeat", "day"),
    [
        ({"FREQ": "MONTHLY", "COUNT": 2, "BYDAY": "2WE"}, "2032-03-10"),
        ({"FREQ": "MONTHLY", "COUNT": 2, "BYDAY": ["+2we"]}, "2032-03-10"),
        ({"FREQ": "MONTHLY", "COUNT": 2, "BYDAY": "-1FR"}, "2032-03-26"),
        ({"FREQ": "YEARLY", "COUNT": 2, "BYDAY": "[1MO]", "BYMONTH": "[5]"}, "2032-05-03"),
        ({"FREQ": "MONTHLY", "COUNT": 2}, "2032-03-01"),
        ({"FREQ": "YEARLY", "COUNT": 2}, "2032-03-01"),
    ],
)
def test_numbered_or_open_day_is_written_out(
    send: Do, last: Last, repeat: dict[str, Any], day: str
) -> None:
    send(repeat=repeat)
    rule = last().vevent.rrule.value
    assert f"{occurrences(last)[0]:%Y-%m-%d}" == day
    assert "BYMONTHDAY=1" in rule or ("BYSETPOS=" in rule and "BYDAY=" in rule)
    assert not any(f"BYDAY={number}" in rule for number in ("2", "+2", "-1", "1"))


@pytest.mark.parametrize("repeat", [None, {}, "", []])
def test_null_or_empty_repeat_is_no_recurrence(send: Do, last: Last, repeat: Any) -> None:
    send(repeat=repeat)
    assert "rrule" not in last().vevent.contents


REFUSED: list[tuple[str, Any]] = [
    ("repeat.COUNT", {"FREQ": "DAILY"}),
    ("repeat.COUNT", {"FREQ": "DAILY", "COUNT": 0}),
    ("repeat.COUNT", {"FREQ": "DAILY", "COUNT": 1000}),
    ("repeat.COUNT", {"FREQ": "DAILY", "COUNT": True}),
    ("repeat.COUNT", {"FREQ": "DAILY", "COUNT": 10**400}),
    ("repeat.COUNT", {"FREQ": "DAILY", "COUNT": 2, "UNTIL": "2032-05-01"}),
    ("repeat.COUNT", {"FREQ": "DAILY", "COUNT": 2, "count": 3}),
    ("repeat.COUNT", {"FREQ": "YEARLY", "BYMONTH": 2, "BYMONTHDAY": 29, "COUNT": 900}),
    ("repeat.UNTIL", {"FREQ": "DAILY", "UNTIL": "9999-12-31"}),
    ("repeat.UNTIL", {"FREQ": "DAILY", "UNTIL": "2099-12-31"}),
    ("repeat.UNTIL", {"FREQ": "DAILY", "UNTIL": "2026-01-01"}),
    ("repeat.UNTIL", {"FREQ": "DAILY", "UNTIL": "0000-00-00"}),
    ("repeat.FREQ", {"FREQ": "SECONDLY", "COUNT": 2}),
    ("repeat.FREQ", {"COUNT": 2}),
    ("repeat.INTERVAL", {"FREQ": "DAILY", "COUNT": 2, "INTERVAL": 10**9}),
    ("repeat.INTERVAL", {"FREQ": "DAILY", "COUNT": 2, "INTERVAL": 0}),
    ("repeat.BYMONTHDAY", {"FREQ": "YEARLY", "COUNT": 2, "BYMONTH": 2, "BYMONTHDAY": 30}),
    (
        "repeat.BYMONTHDAY",
        {"FREQ": "YEARLY", "COUNT": 1, "BYMONTH": 2, "BYMONTHDAY": 29, "INTERVAL": 99},
    ),
    ("repeat.BYMONTHDAY", {"FREQ": "MONTHLY", "COUNT": 2, "BYMONTHDAY": [1, 15]}),
    ("repeat.BYDAY", {"FREQ": "WEEKLY", "COUNT": 2, "BYDAY": "XX"}),
    ("repeat.BYDAY", {"FREQ": "WEEKLY", "COUNT": 2, "BYDAY": "2WE"}),
    ("repeat.BYDAY", {"FREQ": "MONTHLY", "COUNT": 2, "BYDAY": "MO"}),
    ("repeat.BYDAY", {"FREQ": "MONTHLY", "COUNT": 2, "BYDAY": []}),
    ("repeat.BYSETPOS", {"FREQ": "MONTHLY", "COUNT": 2, "BYDAY": "MO", "BYSETPOS": 5}),
    ("repeat.WKST", {"FREQ": "WEEKLY", "COUNT": 2, "WKST": "monday"}),
    ("repeat.BYHOUR", {"FREQ": "DAILY", "COUNT": 2, "BYHOUR": 9}),
    ("repeat.NONSENSE", {"FREQ": "DAILY", "COUNT": 2, "NONSENSE": 1}),
    ("repeat", {"FREQ": "DAILY", "COUNT": 2, "\r\nRRULE:": 1}),
    ("repeat", "FREQ=DAILY;COUNT=2"),
    ("repeat", True),
]


@pytest.mark.parametrize(("field", "repeat"), REFUSED, ids=[str(row)[:70] for row in REFUSED])
def test_wrong_repeat_is_refused_and_its_part_named(
    call: Call, meeting: dict[str, Any], refused: Refused, field: str, repeat: Any
) -> None:
    response = call(meeting | {"repeat": repeat})
    body = refused(response)
    refusal = (response.status_code, body["error"], list(body["fields"]))
    assert refusal == (400, "Invalid parameters", [field]), body


def test_endless_series_is_refused_with_a_hint(
    call: Call, meeting: dict[str, Any], refused: Refused
) -> None:
    [hint] = refused(call(meeting | {"repeat": {"FREQ": "DAILY"}}))["fields"]["repeat.COUNT"]
    assert "add COUNT" in hint
    assert "UNTIL" in hint


def test_overlapping_occurrences_are_refused(
    call: Call, meeting: dict[str, Any], refused: Refused
) -> None:
    long = {"end": "2032-03-02 11:00", "repeat": {"FREQ": "DAILY", "COUNT": 2}}
    assert list(refused(call(meeting | long))["fields"]) == ["repeat"]
