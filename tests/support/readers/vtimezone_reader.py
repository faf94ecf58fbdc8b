"""A reader of VTIMEZONE, written from RFC 5545 §3.6.5 alone: the offset of a local time.

It shares no line with the code that writes the VTIMEZONE, and knows only what that code may write
(interop Z2).
"""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Protocol

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Part(Protocol):
    """One STANDARD or DAYLIGHT; ``onset`` is its DTSTART, on the clock of ``offset_from``."""

    @property
    def onset(self) -> datetime: ...
    @property
    def offset_from(self) -> timedelta: ...
    @property
    def offset_to(self) -> timedelta: ...
    @property
    def rule(self) -> str | None: ...


@dataclass(frozen=True)
class ReadPart:
    """A STANDARD or DAYLIGHT as the text of a calendar says it."""

    kind: str
    onset: datetime
    offset_from: timedelta
    offset_to: timedelta
    rule: str | None


def parts_of(content_lines: Iterable[str]) -> list[ReadPart]:
    """The sub-components of the VTIMEZONE among the unfolded ``content_lines``."""
    return [_read_part(kind, dict(properties)) for kind, properties in _components(content_lines)]


def _components(content_lines: Iterable[str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    properties: list[tuple[str, str]] = []
    for line in content_lines:
        name, _, value = line.partition(":")
        if name == "BEGIN":
            properties = []
        elif name == "END" and value in ("STANDARD", "DAYLIGHT"):
            yield value, properties
        else:
            properties.append((name, value))


def _read_part(kind: str, properties: dict[str, str]) -> ReadPart:
    unknown = properties.keys() - {"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME", "RRULE"}
    if unknown:
        raise ValueError(f"{kind} has {', '.join(sorted(unknown))}, which Outlook ignores")
    return ReadPart(
        kind=kind,
        onset=datetime.strptime(properties["DTSTART"], "%Y%m%dT%H%M%S"),  # noqa: DTZ007 — a local time
        offset_from=_offset(properties["TZOFFSETFROM"]),
        offset_to=_offset(properties["TZOFFSETTO"]),
        rule=properties.get("RRULE"),
    )


def _offset(text: str) -> timedelta:
    """A UTC-OFFSET (RFC 5545 §3.3.14)."""
    digits = text[1:].ljust(6, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))
    return -size if text[0] == "-" else size


def offset_read(parts: Sequence[Part], moment: datetime) -> timedelta:
    """The offset of a local time: that of the onset with the latest time at or before it."""
    onsets = sorted(
        (onset, part.offset_to) for part in parts for onset in _onsets_of(part, moment.year)
    )
    place = bisect_right(onsets, moment, key=lambda pair: pair[0])
    if place == 0:
        return min(parts, key=lambda part: part.onset).offset_from
    return onsets[place - 1][1]


def _onsets_of(part: Part, last_year: int) -> list[datetime]:
    if part.rule is None:
        return [part.onset]
    years = range(max(part.onset.year, last_year - 1), last_year + 1)
    return [datetime.combine(day_of(part.rule, year), part.onset.time()) for year in years]


@cache
def day_of(rule: str, year: int) -> date:
    """The day of ``year`` that an annual rule means (RFC 5545 §3.3.10)."""
    parts = dict(part.split("=") for part in rule.split(";"))
    month = int(parts["BYMONTH"])
    days = [date(year, month, number) for number in range(1, monthrange(year, month)[1] + 1)]
    if "BYMONTHDAY" in parts:
        return days[int(parts["BYMONTHDAY"]) - 1]
    number, name = int(parts["BYDAY"][:-2]), parts["BYDAY"][-2:]
    named = [day for day in days if WEEKDAYS[day.weekday()] == name]
    return named[number - 1 if number > 0 else number]
