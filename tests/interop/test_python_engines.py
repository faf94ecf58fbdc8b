"""What ``make interop`` does, on a seeded sample and with the engines that need nothing but Python."""

import random
import warnings
from datetime import datetime, timedelta
from itertools import chain

import pytest

from meetings.itip.zones.names import zone_name
from tests.interop.answers import Engine, EngineMissingError, output_of
from tests.interop.calendars import Emitted, Refusal, emit
from tests.interop.cases import ZONES, Case, cases_of
from tests.interop.compare import Reason, differences
from tests.interop.engines import python_engines
from tests.interop.engines.outlook import Outlook
from tests.interop.report import report
from tests.interop.runner import Results

ALWAYS = [
    "Africa/Casablanca", "America/New_York", "America/Santiago", "Asia/Gaza", "Asia/Shanghai", "Australia/Lord_Howe",
    "Europe/Dublin", "UTC",
]  # fmt: skip
KNOWN = {"Outlook's model": {Reason.SHORT_MONTH}, "vobject": {Reason.SAME_AS_UTC}}
SAMPLE = random.Random(20270301)  # noqa: S311 — the same sample every time


def sampled() -> list[Case]:
    zones = sorted({*ALWAYS, *SAMPLE.sample(ZONES, 12)})
    return list(chain.from_iterable(SAMPLE.sample([*cases_of(tzid)], 12) for tzid in zones))


@pytest.fixture(scope="module")
def tried() -> list[tuple[Emitted | None, Refusal | None]]:
    return [emit(case) for case in sampled()]


# An engine that knows no zones by name reads nothing but the VTIMEZONE.
WAYS = [
    pytest.param(engine, named, id=f"{engine.name}, by the {'name' if named else 'VTIMEZONE'}")
    for engine in python_engines()
    for named in ([False, True] if engine.knows_zones else [False])
]


@pytest.mark.parametrize(("engine", "named"), WAYS)
def test_z3_every_occurrence_is_at_the_same_instant_in_another_engine(
    engine: Engine, named: bool, tried: list[tuple[Emitted | None, Refusal | None]]
) -> None:
    emitted = [one for one, _ in tried if one]
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # an engine warns of the unknown TZID that it is given on purpose
        answers = engine.read([one.calendar if named else one.renamed for one in emitted])
    results = Results()
    for one, answer in zip(emitted, answers, strict=True):
        results.count(engine, one, answer)
    assert {reason for _, reason, _ in results.reasons} <= KNOWN.get(engine.name, set()), (
        results.examples
    )


# One series of each kind that no pair of annual rules holds.
NOT_HELD = {
    "an occurrence begins in a year that cannot be held": (
        "America/Mexico_City",
        "2021-01-01 12:00",
        1,
    ),
    "an occurrence ends in a year that cannot be held": ("Asia/Damascus", "2022-01-01 23:30", 5),
    "Ramadan": ("Africa/Casablanca", "2020-01-01 12:00", 1),
}


@pytest.mark.parametrize(("tzid", "start", "hours"), NOT_HELD.values(), ids=NOT_HELD)
def test_z3_a_refused_series_is_held_once_it_ends_before_the_day_that_the_refusal_names(
    tzid: str, start: str, hours: int
) -> None:
    when, lasting = datetime.fromisoformat(start), timedelta(hours=hours)
    shortened, refusal = emit(Case("weekly", tzid, when, lasting, "FREQ=WEEKLY;COUNT=260;BYDAY=SA"))
    assert refusal
    assert refusal.complaint == ""
    assert shortened
    assert differences(shortened, Outlook().read([shortened.renamed])[0]) == []


WRONG = {
    "summer begins two weeks late": ("BYDAY=2SU;BYMONTH=3", "BYDAY=4SU;BYMONTH=3"),
    "an hour off": ("TZOFFSETTO:-0500", "TZOFFSETTO:-0400"),
    "an occurrence too few": ("COUNT=52", "COUNT=51"),
    "another day": ("BYDAY=MO\r\n", "BYDAY=TU\r\n"),
    "a second STANDARD": ("DAYLIGHT", "STANDARD"),
    "no VTIMEZONE": ("BEGIN:VTIMEZONE", "BEGIN:X-NONE"),
}


@pytest.mark.parametrize(("right", "wrong"), WRONG.values(), ids=WRONG)
def test_a_wrong_calendar_is_found_out(right: str, wrong: str) -> None:
    emitted, _ = emit(next(case for case in cases_of("America/New_York") if case.kind == "weekly"))
    assert emitted
    assert right in emitted.calendar
    answer = Outlook().read([emitted.calendar.replace(right, wrong)])[0]
    assert {found.reason for found in differences(emitted, answer)} == {Reason.UNEXPLAINED}


def test_an_engine_that_is_missing_is_named_and_not_passed_over() -> None:
    text = report(
        Results(),
        versions={},
        missing={"ical.js": "npm install"},
        tzdata="2026f",
        command="make interop",
    )
    assert "**ical.js: NOT RUN, not installed** (npm install)" in text
    with pytest.raises(EngineMissingError, match="apt-get install it"):
        output_of(["no-such-program"], install="apt-get install it")


def test_every_zone_is_tried() -> None:
    assert len(ZONES) > 400
    assert {zone_name(name) for name in ZONES} == set(ZONES)
