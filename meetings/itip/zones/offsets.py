"""The UTC offsets of a zone, and the moments at which they change.

zoneinfo knows the offset at a given time, but has no list of the changes, so this module searches
for them. Wall-clock times are naive datetimes, and zones are IANA names.
"""

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

# Two samples this far apart have at most one change between them. The shortest time for which a
# zone kept an offset since 1970 is seven days less an hour (America/Recife, October 2000).
_STEP: Final = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of a zone's UTC offset.

    ``utc`` is the first second of the new offset, as a naive datetime in UTC. The offsets are east
    of UTC. The names are the abbreviations that zoneinfo gives, such as ``"CST"`` or ``"+03"``.
    """

    utc: datetime
    before: timedelta
    after: timedelta
    name_before: str
    name_after: str


def offset_at(wall_clock: datetime, tzid: str) -> timedelta:
    """Return the UTC offset at a wall-clock time.

    A time that occurs twice means the first of the two (RFC 5545 §3.3.5, interop R16).
    """
    return _known(wall_clock.replace(tzinfo=ZoneInfo(tzid)).utcoffset())


def name_at(wall_clock: datetime, tzid: str) -> str:
    """Return the zone's abbreviation (``"CST"``, ``"+03"``) at a wall-clock time."""
    return wall_clock.replace(tzinfo=ZoneInfo(tzid)).tzname() or tzid


def is_skipped(wall_clock: datetime, tzid: str) -> bool:
    """Whether the clocks jump forward over a wall-clock time. Much faster than ``gap``."""
    aware = wall_clock.replace(tzinfo=ZoneInfo(tzid))
    # PEP 495: in a gap, fold=0 gives the offset before the change, which is the smaller one.
    return _known(aware.utcoffset()) < _known(aware.replace(fold=1).utcoffset())


def gap(wall_clock: datetime, tzid: str) -> timedelta | None:
    """Return by how much the clocks jump forward over a wall-clock time; None if it exists."""
    # The search looks at the years before and after, which the first and last year do not have.
    if not MINYEAR + 1 < wall_clock.year < MAXYEAR - 1:
        return None
    for begin, end in _gaps(tzid, wall_clock.year):
        if begin <= wall_clock < end:
            return end - begin
    return None


@lru_cache(maxsize=4096)
def transitions(tzid: str, first_year: int, last_year: int) -> tuple[Transition, ...]:
    """Return the changes in the UTC years ``first_year`` to ``last_year`` inclusive, in order."""
    years = range(first_year, last_year + 1)
    return tuple(change for year in years for change in _in_year(tzid, year))


@lru_cache(maxsize=4096)
def _gaps(tzid: str, year: int) -> tuple[tuple[datetime, datetime], ...]:
    """The wall-clock times that do not exist around ``year``: (begin, end), the end excluded."""
    return tuple(
        (change.utc + change.before, change.utc + change.after)
        for change in transitions(tzid, year - 1, year + 1)
        if change.after > change.before
    )


@lru_cache(maxsize=16384)
def _in_year(tzid: str, year: int) -> tuple[Transition, ...]:
    zone = ZoneInfo(tzid)
    changes = [
        _change_between(earlier, later, zone)
        for earlier, later in pairwise(_samples(zone, year))
        if earlier.utcoffset() != later.utcoffset()
    ]
    return tuple(change for change in changes if change.utc.year == year)


def _samples(zone: ZoneInfo, year: int) -> list[datetime]:
    """Moments from just before ``year`` to just after it, one step apart."""
    new_year = datetime(year, 1, 1, tzinfo=UTC)
    steps = range(-1, 366 // _STEP.days + 2)
    return [(new_year + number * _STEP).astimezone(zone) for number in steps]


def _change_between(earlier: datetime, later: datetime, zone: ZoneInfo) -> Transition:
    """Search for the second at which the offset changes, by halving the time between the two."""
    low, high, old = earlier.astimezone(UTC), later.astimezone(UTC), earlier.utcoffset()
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
    """The offset of a time that has a ZoneInfo, where only the type says it may be None."""
    return offset if offset is not None else timedelta()
