"""The changes of a zone's UTC offset as zoneinfo knows them, year by year.

zoneinfo answers "which offset now?" but has no list of changes; this module finds them. It knows
nothing of calendars: what a VTIMEZONE makes of the changes is decided in ``timezones``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

_STEP: Final = timedelta(days=6)
"""Shorter than any zone has kept an offset since 1970: seven days less an hour, in Recife in
October 2000.
"""


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of a zone's UTC offset: ``utc`` is the naive UTC time of the first second of the
    new offset.
    """

    utc: datetime
    before: timedelta
    after: timedelta
    name_before: str
    name_after: str


def offset_at(wall_clock: datetime, tzid: str) -> timedelta:
    """Return the true UTC offset at a naive wall-clock time; of an hour that happens twice, the
    first (interop R16).
    """
    return _known(wall_clock.replace(tzinfo=ZoneInfo(tzid)).utcoffset())


def is_skipped(wall_clock: datetime, tzid: str) -> bool:
    """Whether the clocks jump forward over a naive wall-clock time; ``gap`` knows by how much, at a
    higher price.
    """
    aware = wall_clock.replace(tzinfo=ZoneInfo(tzid))
    # PEP 495: in a gap fold=0 has the offset before the change, which is the smaller one.
    return _known(aware.utcoffset()) < _known(aware.replace(fold=1).utcoffset())


def name_at(wall_clock: datetime, tzid: str) -> str:
    """Return the zone's abbreviation (``"CST"``, ``"+03"``) at a naive wall-clock time."""
    return wall_clock.replace(tzinfo=ZoneInfo(tzid)).tzname() or tzid


@lru_cache(maxsize=4096)
def transitions(tzid: str, first_year: int, last_year: int) -> tuple[Transition, ...]:
    """Return the changes of offset in the UTC years ``first_year`` to ``last_year``, both included,
    oldest first.
    """
    return tuple(
        change for year in range(first_year, last_year + 1) for change in _in_year(tzid, year)
    )


@lru_cache(maxsize=16384)
def _in_year(tzid: str, year: int) -> tuple[Transition, ...]:
    first = datetime(year, 1, 1, tzinfo=UTC)
    zone = ZoneInfo(tzid)
    days = [
        (first + number * _STEP).astimezone(zone) for number in range(-1, 366 // _STEP.days + 2)
    ]
    found = (
        _change_between(*pair, zone)
        for pair in pairwise(days)
        if pair[0].utcoffset() != pair[1].utcoffset()
    )
    return tuple(change for change in found if change.utc.year == year)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> Transition:
    """Close in on the change of offset between two times of ``zone``, to the second."""
    low, high, old = before.astimezone(UTC), after.astimezone(UTC), before.utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    last, first = low.astimezone(zone), high.astimezone(zone)
    return Transition(
        utc=high.replace(tzinfo=None),
        before=_known(old),
        after=_known(first.utcoffset()),
        name_before=last.tzname() or zone.key,
        name_after=first.tzname() or zone.key,
    )


def _known(offset: timedelta | None) -> timedelta:
    return offset if offset is not None else timedelta()


def gap(wall_clock: datetime, tzid: str) -> timedelta | None:
    """Return by how much the clocks of ``tzid`` jump forward over ``wall_clock``; None for a time
    that exists.
    """
    if not MINYEAR + 1 < wall_clock.year < MAXYEAR - 1:
        return None
    for begin, end in _gaps(tzid, wall_clock.year):
        if begin <= wall_clock < end:
            return end - begin
    return None


@lru_cache(maxsize=4096)
def _gaps(tzid: str, year: int) -> tuple[tuple[datetime, datetime], ...]:
    """The stretches of wall-clock time, end exclusive, that do not exist in or next to ``year``."""
    return tuple(_skipped(transitions(tzid, year - 1, year + 1)))


def _skipped(changes: tuple[Transition, ...]) -> Iterator[tuple[datetime, datetime]]:
    return (
        (change.utc + change.before, change.utc + change.after)
        for change in changes
        if change.after > change.before
    )
