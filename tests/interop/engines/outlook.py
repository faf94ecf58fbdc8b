"""A model of Outlook, which cannot run here: it stores a zone and a series as MS-OXCICAL says.

A zone has two dates in every year, which are read from one STANDARD and one DAYLIGHT. Each date is
a numbered weekday of a month, or a day of a month, and a time (MS-OXCICAL 2.1.3.1.1.19: the
SYSTEMTIMEs of PidLidTimeZoneStruct). A monthly series on the 29th, 30th or 31st falls on the last
day of shorter months (interop R8).
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from tests.interop.engines.rfc5545 import Properties, instant, properties_of, starts_of
from tests.interop.expected import Moment
from tests.interop.readings import Reading, read_each, reading
from tests.support.readers.vtimezone_reader import WEEKDAYS, ReadPart

_EPOCH = datetime(1970, 1, 1)
_LAST_WEEK = 5


@dataclass(frozen=True, slots=True)
class SystemTime:
    """A yearly date of Windows.

    With a ``weekday`` (0 is Sunday), ``day`` is its number in the month, and 5 means the last one.
    Without, ``day`` is the day of the month.
    """

    month: int
    weekday: int | None
    day: int
    at: timedelta

    def in_year(self, year: int) -> datetime:
        """Return the local time of the change in ``year``."""
        first = datetime(year, self.month, 1)
        if self.weekday is None:
            return first + timedelta(days=self.day - 1) + self.at
        days = (self.weekday - first.isoweekday()) % 7 + 7 * (self.day - 1)
        if days >= monthrange(year, self.month)[1]:
            days -= 7
        return first + timedelta(days=days) + self.at


class Outlook:
    """Reads one STANDARD and one DAYLIGHT, both yearly. Anything else is an error here."""

    name = "Outlook's model"
    knows_zones = needs_names = False

    def version(self) -> str:
        """Return the documents it follows."""
        return "a reader after MS-OXCICAL 2.1.3.1.1.19 and 2.1.3.2.2"

    def read(self, calendars: Sequence[str]) -> list[Reading]:
        """Expand each calendar."""
        return read_each(_read, calendars)


def _read(calendar: str) -> Reading:
    event = properties_of(calendar)
    length = event.end - event.start
    starts = _clamped(event) or list(starts_of(event))
    return reading((_instant(event, start), _instant(event, start + length)) for start in starts)


def _instant(event: Properties, wall_clock: datetime) -> Moment:
    if event.all_day or event.in_utc:
        return instant(event, wall_clock)
    return int((wall_clock - _offset(event.zone, wall_clock) - _EPOCH).total_seconds())


def _offset(zone: tuple[ReadPart, ...], wall_clock: datetime) -> timedelta:
    standard, daylight, begin, end = _yearly(zone, wall_clock.year)
    if daylight is None:
        return standard.offset_to
    summer = begin <= wall_clock < end if begin < end else not end <= wall_clock < begin
    return daylight.offset_to if summer else standard.offset_to


@lru_cache(maxsize=4096)
def _yearly(
    zone: tuple[ReadPart, ...], year: int
) -> tuple[ReadPart, ReadPart | None, datetime, datetime]:
    standards, daylights = (
        [part for part in zone if part.kind == kind] for kind in ("STANDARD", "DAYLIGHT")
    )
    if len(standards) != 1 or len(daylights) > 1:
        raise ValueError("Outlook reads one STANDARD and at most one DAYLIGHT")
    if not daylights:
        return standards[0], None, _EPOCH, _EPOCH
    begin, end = (_system_time(part).in_year(year) for part in (daylights[0], standards[0]))
    return standards[0], daylights[0], begin, end


def _system_time(part: ReadPart) -> SystemTime:
    if part.rule is None:
        raise ValueError(f"{part.kind} has no RRULE")
    rule = dict(item.split("=") for item in part.rule.split(";"))
    midnight = part.onset.replace(hour=0, minute=0, second=0)
    at = part.onset - midnight
    if rule.pop("FREQ") != "YEARLY" or len(rule) != 2:
        raise ValueError(f"Outlook cannot represent {part.rule}")
    month = int(rule["BYMONTH"])
    if "BYMONTHDAY" in rule:
        return SystemTime(month, None, int(rule["BYMONTHDAY"]), at)
    week, name = int(rule["BYDAY"][:-2]), rule["BYDAY"][-2:]
    return SystemTime(month, (WEEKDAYS.index(name) + 1) % 7, _LAST_WEEK if week == -1 else week, at)


def _clamped(event: Properties) -> list[datetime]:
    """The starts of a series with COUNT on a day that some months lack; empty for other series."""
    rule = dict(part.split("=") for part in event.rule.split(";")) if event.rule else {}
    day = int(rule.get("BYMONTHDAY", 0))
    if day <= 28 or "COUNT" not in rule:
        return []
    first = event.start.replace(day=1)
    plain = replace(
        event, start=first, rule=event.rule.replace(f"BYMONTHDAY={day}", "BYMONTHDAY=1")
    )
    return [
        start.replace(day=min(day, monthrange(start.year, start.month)[1]))
        for start in starts_of(plain)
    ]
