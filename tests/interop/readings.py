"""What a program reads in a calendar, and the two ways to have it read one.

An engine is a Python function, or another program that gets JSON lines.
"""

import json
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, Protocol

from tests.interop.expected import Moment

FLOATING: Final = "the engine gives a time without a zone"


class EngineMissingError(Exception):
    """The engine is not installed; the message says how to install it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The starts and ends of all occurrences, oldest first, or the ``error`` of the engine."""

    starts: tuple[Moment, ...] = ()
    ends: tuple[Moment, ...] = ()
    error: str = ""


class Engine(Protocol):
    """A reader of calendars that shares no code with the service."""

    name: str
    knows_zones: bool
    """Whether it prefers its own zone database to the VTIMEZONE of the message.

    Then it gets the calendar with the real TZID too.
    """
    needs_names: bool
    """Whether it reads no VTIMEZONE at all. Then it gets only the calendar with the real TZID."""

    def version(self) -> str:
        """Return what to print; raise EngineMissingError if the engine is not installed."""
        ...

    def read(self, calendars: Sequence[str]) -> list[Reading]:
        """Return one reading for each of ``calendars``."""
        ...


def moment(value: date) -> Moment:
    """Return a day, or an aware time, as readings have it; ValueError for a naive time."""
    if not isinstance(value, datetime):
        return f"{value:%Y%m%d}"
    if value.tzinfo is None:
        raise ValueError(FLOATING)
    return int(value.astimezone(UTC).timestamp())


def reading(spans: Iterable[tuple[Moment, Moment]]) -> Reading:
    """Return the reading for occurrences that are given as (start, end), in any order."""
    ordered = sorted(spans, key=lambda span: (str(type(span[0])), span[0]))
    return Reading(tuple(start for start, _ in ordered), tuple(end for _, end in ordered))


def read_each(read_one: Callable[[str], Reading], calendars: Sequence[str]) -> list[Reading]:
    """Have a Python engine read each calendar; whatever it raises becomes an error."""
    return [_attempt(read_one, calendar) for calendar in calendars]


def _attempt(read_one: Callable[[str], Reading], calendar: str) -> Reading:
    try:
        return read_one(calendar)
    except Exception as error:  # an engine may fail in any way
        return Reading(error=f"{type(error).__name__}: {error}")


def read_with(command: Sequence[str], calendars: Sequence[str]) -> list[Reading]:
    """Have a program read each calendar: one JSON string a line in, one JSON object a line out."""
    lines = "".join(f"{json.dumps(calendar)}\n" for calendar in calendars)
    done = subprocess.run(
        command, input=lines, capture_output=True, text=True, check=True, timeout=600
    )
    read = [json.loads(line) for line in done.stdout.splitlines()]
    if len(read) != len(calendars):
        numbers = f"{command[0]} read {len(read)} of {len(calendars)} calendars"
        raise RuntimeError(f"{numbers}: {done.stderr[-500:]}")
    return [
        Reading(tuple(one.get("starts", ())), tuple(one.get("ends", ())), one.get("error", ""))
        for one in read
    ]


def output_of(command: Sequence[str], *, install: str) -> str:
    """Return what ``command`` prints.

    Raises EngineMissingError with the text ``install`` if the command does not run.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    except (OSError, subprocess.CalledProcessError) as failure:
        raise EngineMissingError(install) from failure
    return done.stdout.strip()
