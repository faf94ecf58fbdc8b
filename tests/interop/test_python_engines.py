"""What ``make interop`` does, on a seeded sample and with the engines in Python only."""

import random
import warnings
from datetime import datetime, timedelta
from itertools import chain

import pytest

from meetings.itip.zones.names import zone_name
from tests.interop.calendars import Emitted, Refusal, emit
from tests.interop.cases import ZONES, Case, cases_of
from tests.interop.compare import Reason, differences
from tests.interop.engines import python_engines
from tests.interop.engines.outlook import Outlook
from tests.interop.readings import Engine, EngineMissingError, output_of
from tests.interop.report import report
from tests.interop.runner import Results

ALWAYS = [
    "Africa/Casablanca", "America/New_York", "America/Santiago", "Asia/Gaza", "Asia/Shanghai",
    "Australia/Lord_Howe", "Europe/Dublin", "UTC",
]  # fmt: skip
KNOWN = {"Outlook's model": {Reason.SHORT_MONTH}, "vobject": {Reason.SAME_AS_UTC}}
SAMPLE = random.Random(20270301)  # noqa: S311 - the same sample every time


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
def test_z3_engine_reads_the_same_instants(
    engine: Engine, named: bool, tried: list[tuple[Emitted | None, Refusal | None]]
) -> None:
    emitted = [one for one, _ in tried if one]
    with warnings.catch_warnings():
        # Engines warn of the unknown TZID that they get on purpose.
        warnings.simplefilter("ignore")
        readings = engine.read([one.calendar if named else one.renamed for one in emitted])
    results = Results()
    for one, reading in zip(emitted, readings, strict=True):
        results.count(engine, one, reading)
    reasons = {reason for _, reason, _ in results.reasons}
    assert reasons <= KNOWN.get(engine.name, set()), results.examples


# One series of each kind that no pair of annual rules describes.
REFUSED = {
    "an occurrence begins in a wrong year": ("America/Mexico_City", "2021-01-01 12:00", 1),
    "an occurrence ends in a wrong year": ("Asia/Damascus", "2022-01-01 23:30", 5),
    "Ramadan": ("Africa/Casablanca", "2020-01-01 12:00", 1),
}


@pytest.mark.parametrize(("tzid", "start", "hours"), REFUSED.values(), ids=REFUSED)
def test_z3_series_shortened_as_told_is_accepted(tzid: str, start: str, hours: int) -> None:
    when, duration = datetime.fromisoformat(start), timedelta(hours=hours)
    rule = "FREQ=WEEKLY;COUNT=260;BYDAY=SA"
    shortened, refusal = emit(Case("weekly", tzid, when, duration, rule))
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
def test_wrong_calendar_is_detected(right: str, wrong: str) -> None:
    emitted, _ = emit(next(case for case in cases_of("America/New_York") if case.kind == "weekly"))
    assert emitted
    assert right in emitted.calendar
    reading = Outlook().read([emitted.calendar.replace(right, wrong)])[0]
    assert {found.reason for found in differences(emitted, reading)} == {Reason.UNEXPLAINED}


def test_report_names_a_missing_engine() -> None:
    missing = {"ical.js": "npm install"}
    text = report(Results(), versions={}, missing=missing, tzdata="2026f", command="make interop")
    assert "**ical.js: NOT RUN, not installed** (npm install)" in text


def test_missing_program_says_how_to_install_it() -> None:
    with pytest.raises(EngineMissingError, match="apt-get install it"):
        output_of(["no-such-program"], install="apt-get install it")


def test_cases_cover_every_zone() -> None:
    assert len(ZONES) > 400
    assert {zone_name(name) for name in ZONES} == set(ZONES)
