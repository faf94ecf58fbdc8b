"""Recurrence keeps the rules R1–R11, R14, R16 and R17 of ``docs/interop.md``.

``test_occurrence`` has R12, R13 and R15.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dateutil.rrule import rrulestr

from meetings.itip import organizer
from meetings.itip.errors import InvalidProperty, InvalidRule
from meetings.itip.event import Event
from meetings.itip.ical.writer import to_ical
from meetings.itip.message import Message, Method
from meetings.itip.recurrence.expansion import first_match, occurrences
from meetings.itip.recurrence.limits import check_series, check_wall_clock
from meetings.itip.recurrence.rule import Rule
from meetings.itip.recurrence.templates import lacks_day_in_some_month
from tests.support import cast
from tests.support.cast import MONDAYS, cancel, meeting, request, uninvite, update
from tests.support.readers.content_lines import lines, values
from tests.support.readers.vtimezone_reader import offset_read, parts_of
from tests.support.recurrences import exdates_in, rule_in

ROOT = Path(__file__).parent.parent.parent
SATURDAY = datetime(2019, 11, 30, 10)
HOUR = timedelta(hours=1)


def series(text: str, start: datetime = SATURDAY, **changes: Any) -> Event:
    """The series that a request for ``start`` becomes."""
    rule = Rule.from_text(text)
    first = first_match(rule, start)
    return meeting(start=first, end=first + HOUR, rule=rule, **changes)


def times_of(event: Event) -> dict[str, Any]:
    return {"start": event.start, "end": event.end, "rule": event.rule}


def zone_of(message: Message) -> list[str]:
    text = lines(message)
    return text[text.index("BEGIN:VTIMEZONE") : text.index("END:VTIMEZONE") + 1]


def expanded_elsewhere(message: Message) -> list[datetime]:
    """The wall-clock starts that dateutil sees in the calendar."""
    start = datetime.fromisoformat(values(message, "DTSTART")[0].split(":")[1])
    return list(rrulestr(values(message, "RRULE")[0].removeprefix(":"), dtstart=start))


def messages() -> Iterator[Message]:
    stored = meeting(tzid="America/New_York", rule=MONDAYS)
    yield request(tzid="America/New_York", rule=MONDAYS)
    yield request(tzid="America/New_York")
    yield from update(stored, location="Room 8")
    yield cancel(stored)
    yield uninvite(stored)


# The table of R1: rule, DTSTART, last occurrence.
TABLE = [
    ("FREQ=WEEKLY;COUNT=3;BYDAY=MO", "2019-12-02", "2019-12-16"),
    ("FREQ=DAILY;INTERVAL=3;COUNT=10", "2019-11-30", "2019-12-27"),
    ("FREQ=WEEKLY;COUNT=1;BYDAY=MO,TU,WE,TH,FR", "2019-12-02", "2019-12-02"),
    ("FREQ=MONTHLY;COUNT=10;BYMONTHDAY=3", "2019-12-03", "2020-09-03"),
    ("FREQ=MONTHLY;INTERVAL=3;COUNT=10;BYMONTHDAY=3", "2020-02-03", "2022-05-03"),
    ("FREQ=MONTHLY;COUNT=10;BYDAY=WE;BYSETPOS=2", "2019-12-11", "2020-09-09"),
    ("FREQ=YEARLY;COUNT=1;BYMONTHDAY=12;BYMONTH=8", "2020-08-12", "2020-08-12"),
    ("FREQ=YEARLY;COUNT=1;BYDAY=WE;BYMONTH=8;BYSETPOS=2", "2020-08-12", "2020-08-12"),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=MO", "2019-12-09", "2020-01-06"),
]


@pytest.mark.parametrize(("text", "first", "last"), TABLE)
def test_r1_dtstart_is_the_first_match_of_the_rule(text: str, first: str, last: str) -> None:
    message = request(**times_of(series(text)))
    found = expanded_elsewhere(message)
    assert values(message, "DTSTART") == [f";TZID=Asia/Shanghai:{found[0]:%Y%m%dT%H%M%S}"]
    assert (f"{found[0]:%Y-%m-%d}", f"{found[-1]:%Y-%m-%d}") == (first, last)
    assert len(found) == Rule.from_text(text).count


@pytest.mark.parametrize("text", [text for text, *_ in TABLE])
@pytest.mark.parametrize("start", [SATURDAY, datetime(2020, 2, 29, 8), datetime(2026, 12, 31, 23)])
def test_r2_rule_means_the_same_from_moved_start(text: str, start: datetime) -> None:
    rule = Rule.from_text(text)
    assert occurrences(rule, first_match(rule, start)) == occurrences(rule, start)


WRITTEN = [
    *(text for text, *_ in TABLE),
    "FREQ=WEEKLY;UNTIL=20200301T100000;BYDAY=TU,TH",
    "FREQ=WEEKLY;INTERVAL=4;COUNT=999;BYDAY=SA,SU;WKST=SU",
    "FREQ=MONTHLY;COUNT=5;BYMONTHDAY=-1",
    "FREQ=YEARLY;UNTIL=20300301T100000;BYDAY=SA,SU;BYMONTH=1;BYSETPOS=-1",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_r3_rule_has_freq_first_and_each_part_once(text: str) -> None:
    [written] = values(request(**times_of(series(text))), "RRULE")
    parts = [part.split("=")[0] for part in written.removeprefix(":").split(";")]
    assert parts[0] == "FREQ"
    assert len(parts) == len(set(parts))
    assert len({"COUNT", "UNTIL"} & set(parts)) == 1
    assert re.fullmatch(r":[A-Z0-9=;,-]+[A-Z0-9]", written)


# What Microsoft lists as "not supported calendar message.ics", and what no template has.
OUTSIDE: list[dict[str, Any]] = [
    {"FREQ": "MONTHLY", "BYMONTHDAY": [1, 15]},
    {"FREQ": "MONTHLY", "BYDAY": "1MO,3MO"},
    {"FREQ": "MONTHLY", "BYDAY": "FR", "BYMONTHDAY": 13},
    {"FREQ": "MONTHLY", "BYDAY": "MO", "BYSETPOS": 5},
    {"FREQ": "MONTHLY", "BYDAY": "MO,WE", "BYSETPOS": 1},
    {"FREQ": "YEARLY", "BYYEARDAY": 100},
    {"FREQ": "YEARLY", "BYWEEKNO": 20},
    {"FREQ": "DAILY", "BYDAY": "MO"},
    {"FREQ": "DAILY", "BYSECOND": 1},
    {"FREQ": "HOURLY"},
    {"FREQ": "MINUTELY"},
    {"FREQ": "SECONDLY"},
    {"FREQ": "DAILY", "RDATE": "2027-01-01"},
]


@pytest.mark.parametrize("parts", OUTSIDE, ids=str)
def test_r4_rule_outside_outlook_templates_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(InvalidRule):
        rule_in({"COUNT": 3, **parts}, SATURDAY)


@pytest.mark.parametrize(
    ("count", "is_allowed"), [(0, False), (1, True), (999, True), (1000, False), (-1, False)]
)
def test_r5_series_has_1_to_999_occurrences(count: int, is_allowed: bool) -> None:
    value = {"FREQ": "DAILY", "COUNT": count}
    if is_allowed:
        rule = rule_in(value, SATURDAY)
        assert rule
        assert len(occurrences(rule, SATURDAY)) == count
    else:
        with pytest.raises(InvalidRule, match="1 to 999"):
            rule_in(value, SATURDAY)


@pytest.mark.parametrize(
    ("tzid", "until"),
    [("Asia/Shanghai", "20191216T020000Z"), ("America/New_York", "20191216T150000Z")],
)
def test_r6_until_is_the_last_start_in_any_zone(tzid: str, until: str) -> None:
    message = request(tzid=tzid, **times_of(series("FREQ=WEEKLY;UNTIL=20191222T235959;BYDAY=MO")))
    assert values(message, "RRULE") == [f":FREQ=WEEKLY;UNTIL={until};BYDAY=MO"]


def test_r7_weekly_interval_is_written_with_wkst() -> None:
    assert values(
        request(**times_of(series("FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=MO"))), "RRULE"
    ) == [":FREQ=WEEKLY;COUNT=3;INTERVAL=2;BYDAY=MO;WKST=MO"]


@pytest.mark.parametrize(
    ("parts", "warned"),
    [
        ({"BYMONTHDAY": 28}, 0),
        ({"BYMONTHDAY": 29}, 1),
        ({"BYMONTHDAY": 31}, 1),
        ({"BYMONTHDAY": -1}, 0),
    ],
)
def test_r8_day_that_some_months_lack_is_detected(parts: dict[str, int], warned: int) -> None:
    rule = rule_in({"FREQ": "MONTHLY", "COUNT": 3, **parts}, SATURDAY)
    assert rule
    assert lacks_day_in_some_month(rule) is bool(warned)


@pytest.mark.parametrize("tzid", ["Asia/Shanghai", "America/New_York"])
def test_r9_series_is_in_local_time_never_in_utc(tzid: str) -> None:
    message = request(tzid=tzid, rule=MONDAYS)
    for name in ("DTSTART", "DTEND"):
        assert re.fullmatch(rf";TZID={tzid}:\d{{8}}T\d{{6}}", values(message, name)[0])
    assert f"TZID:{tzid}" in zone_of(message)


def test_r10_occurrences_may_not_overlap() -> None:
    days = occurrences(Rule.from_text("FREQ=DAILY;COUNT=3"), SATURDAY)
    with pytest.raises(InvalidRule, match="lasts into the next"):
        check_series(days, duration=timedelta(hours=25), tzid="Asia/Shanghai", all_day=False)


@pytest.mark.parametrize("all_day", [False, True])
def test_r11_exdate_is_a_start_in_form_of_dtstart(
    all_day: bool,
) -> None:
    start = datetime(2027, 3, 1) if all_day else datetime(2027, 3, 1, 10)
    lasting = timedelta(days=1) if all_day else HOUR
    repeat = {"FREQ": "WEEKLY", "COUNT": 3, "BYDAY": "MO"}
    left_out = exdates_in({**repeat, "EXDATE": ["2027-03-08"]}, start, all_day=all_day)
    message = request(
        start=start, end=start + lasting, rule=MONDAYS, all_day=all_day, exdates=left_out
    )
    begin, excluded = (values(message, name)[0] for name in ("DTSTART", "EXDATE"))
    assert excluded == begin.replace("20270301", "20270308")
    with pytest.raises(InvalidRule, match="no occurrence on 2027-03-09"):
        exdates_in({**repeat, "EXDATE": ["2027-03-09"]}, start, all_day=all_day)


def test_r14_neither_add_nor_range_is_sent() -> None:
    assert {method.value for method in Method} == {"REQUEST", "CANCEL"}
    stored = meeting(tzid="America/New_York", rule=MONDAYS)
    second = datetime(2027, 3, 8, 10)
    alone = cast.messages(organizer.cancel_occurrence(stored, second), stored)
    for message in (*messages(), *alone):
        assert b"RANGE=" not in to_ical(message)
        assert b"METHOD:ADD" not in to_ical(message)


def test_r16_start_that_clocks_skip_is_refused() -> None:
    skipped = datetime(2026, 3, 8, 2, 30)
    with pytest.raises(InvalidProperty, match="does not exist"):
        check_wall_clock("start", skipped, "America/New_York")
    with pytest.raises(InvalidRule, match="2026-03-08 02:30 does not exist"):
        check_series(
            [skipped - timedelta(days=1), skipped],
            duration=HOUR,
            tzid="America/New_York",
            all_day=False,
        )


def test_r16_hour_that_comes_twice_means_the_first() -> None:
    event = meeting(
        tzid="America/New_York", start=datetime(2026, 11, 1, 1, 30), end=datetime(2026, 11, 1, 3)
    )
    assert event.instant(event.start) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert offset_read(
        parts_of(zone_of(request(**times_of(event), tzid=event.tzid))), event.start
    ) == timedelta(hours=-4)


@pytest.mark.parametrize(
    ("stored", "wanted"), [(None, MONDAYS), (MONDAYS, None)], ids=["to a series", "to a single"]
)
def test_r17_meeting_may_become_series_and_back(stored: Rule | None, wanted: Rule | None) -> None:
    before = meeting(rule=stored, sequence=3)
    [after] = update(before, rule=wanted)
    assert (after.method, after.event.uid, after.event.sequence) == (Method.REQUEST, before.uid, 4)
    assert len(values(after, "RRULE")) == (1 if wanted else 0)
