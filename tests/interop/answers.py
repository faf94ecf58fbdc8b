"""What a reader makes of a calendar, and the ways to ask it: a function, or a program fed with JSON
lines.
"""

import json
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, Protocol

from tests.interop.truth import Moment

FLOATING: Final = "the engine gives a time without a zone"


class EngineMissingError(Exception):
    """The engine is not installed; the message says how to install it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The starts and ends of all occurrences, oldest first; or the ``error`` that the engine ended
    with.
    """

    starts: tuple[Moment, ...] = ()
    ends: tuple[Moment, ...] = ()
    error: str = ""


class Engine(Protocol):
    """An independent reader of calendars."""

    name: str
    knows_zones: bool
    """Whether it prefers its own zone database to the message: it is given the calendar with the
    real TZID too.
    """
    needs_names: bool
    """Whether it reads no VTIMEZONE at all: it is given only the calendar with the real TZID."""

    def version(self) -> str:
        """Return what to print; raise EngineMissingError when it is not installed."""
        ...

    def read(self, calendars: Sequence[str]) -> list[Answer]:
        """Return one answer for each of ``calendars``."""
        ...


def moment(value: date) -> Moment:
    """``value`` as answers hold it: a day, or the instant of an aware time; ValueError for a time
    without a zone.
    """
    if not isinstance(value, datetime):
        return f"{value:%Y%m%d}"
    if value.tzinfo is None:
        raise ValueError(FLOATING)
    return int(value.astimezone(UTC).timestamp())


def answer(spans: Iterable[tuple[Moment, Moment]]) -> Answer:
    """The answer of occurrences given as (start, end) in any order."""
    ordered = sorted(spans, key=lambda span: (str(type(span[0])), span[0]))
    return Answer(tuple(start for start, _ in ordered), tuple(end for _, end in ordered))


def each(read_one: Callable[[str], Answer], calendars: Sequence[str]) -> list[Answer]:
    """Ask a Python engine; whatever it raises, an engine may fail in any way, is its answer."""
    return [_attempt(read_one, calendar) for calendar in calendars]


def _attempt(read_one: Callable[[str], Answer], calendar: str) -> Answer:
    try:
        return read_one(calendar)
    except Exception as error:
        return Answer(error=f"{type(error).__name__}: {error}")


def ask(command: Sequence[str], calendars: Sequence[str]) -> list[Answer]:
    """Ask a program: one JSON string a line in, one JSON object a line out."""
    lines = "".join(f"{json.dumps(calendar)}\n" for calendar in calendars)
    done = subprocess.run(
        command, input=lines, capture_output=True, text=True, check=True, timeout=600
    )
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    if len(replies) != len(calendars):
        raise RuntimeError(
            f"{command[0]} answered {len(replies)} of {len(calendars)} calendars: {done.stderr[-500:]}"
        )
    return [
        Answer(tuple(reply.get("starts", ())), tuple(reply.get("ends", ())), reply.get("error", ""))
        for reply in replies
    ]


def output_of(command: Sequence[str], *, install: str) -> str:
    """What ``command`` prints; EngineMissingError, saying what to install, when it does not run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    except (OSError, subprocess.CalledProcessError) as failure:
        raise EngineMissingError(install) from failure
    return done.stdout.strip()
