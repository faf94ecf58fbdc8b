"""When a meeting takes place, by dateutil (wall clock) and zoneinfo (offsets) alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from tests.interop.cases import Case

Moment = int | str
"""An instant in seconds since 1970 in UTC, or the day of an all-day meeting as ``YYYYMMDD``."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The occurrences of a meeting, oldest first.

    ``exact_length`` is the time from DTSTART to DTEND in elapsed seconds. An occurrence that lasts
    over a change of the clocks has another length. ``left_out`` are the starts that are excluded.
    """

    starts: tuple[Moment, ...]
    ends: tuple[Moment, ...]
    exact_length: int
    left_out: tuple[datetime, ...]


def expected_of(case: Case) -> Expected | None:
    """Return the occurrences of ``case``; None if there are none.

    Occurrences that begin or end at a time that the clocks skip are left out, because the service
    asks for that (interop R16).
    """
    wall_clock = _wall_clock(case.rule, case.start)
    left_out = {
        start
        for place, start in enumerate(wall_clock, 1)
        if case.left_out and place % case.left_out == 0
    }
    if not case.all_day:
        left_out |= {start for start in wall_clock if not _exists(case, start)}
    kept = [start for start in wall_clock if start not in left_out]
    if not kept:
        return None
    return Expected(
        starts=_moments(case, kept),
        ends=_moments(case, [start + case.duration for start in kept]),
        exact_length=_exact_length(case, wall_clock[0]),
        left_out=tuple(sorted(left_out)),
    )


@lru_cache(maxsize=256)
def _wall_clock(rule: str | None, start: datetime) -> tuple[datetime, ...]:
    return tuple(rrulestr(rule, dtstart=start)) if rule else (start,)


def _exists(case: Case, start: datetime) -> bool:
    zone = ZoneInfo(case.tzid)
    both = (start, start + case.duration)
    # A time that the clocks skip comes back from UTC as another time.
    return all(
        time.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == time
        for time in both
    )


def _moments(case: Case, wall_clock: Sequence[datetime]) -> tuple[Moment, ...]:
    if case.all_day:
        return tuple(f"{day:%Y%m%d}" for day in wall_clock)
    zone = ZoneInfo(case.tzid)
    return tuple(int(time.replace(tzinfo=zone).timestamp()) for time in wall_clock)


def _exact_length(case: Case, first: datetime) -> int:
    if case.all_day:
        return 0
    begin, end = _moments(case, (first, first + case.duration))
    return int(end) - int(begin)
