"""What a meeting's occurrences really are: dateutil's wall-clock times, and zoneinfo's instants.
None of our code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from tests.interop.cases import Case

Moment = int | str
"""An instant, in seconds since 1970 in UTC; of an all-day meeting the day, as ``YYYYMMDD``."""


@dataclass(frozen=True, slots=True)
class Truth:
    """``starts`` and ``ends``, oldest first; ``exact_length`` is that of DTSTART to DTEND in
    elapsed seconds.

    All occurrences have that length but those that last over a change of the clocks; ``left_out``
    are excluded starts.
    """

    starts: tuple[Moment, ...]
    ends: tuple[Moment, ...]
    exact_length: int
    left_out: tuple[datetime, ...]


def truth_of(case: Case) -> Truth | None:
    """Return what ``case`` means; None for a single meeting at a time that the clocks skip.

    Occurrences that begin or end at such a time are left out, as the service asks for (interop
    R16).
    """
    wall_clock = _wall_clock(case.rule, case.start)
    left_out = {
        start
        for place, start in enumerate(wall_clock, 1)
        if case.left_out and not place % case.left_out
    }
    if not case.all_day:
        left_out |= {start for start in wall_clock if not _exists(case, start)}
    kept = [start for start in wall_clock if start not in left_out]
    if not kept:
        return None
    starts, ends = (
        _moments(case, times) for times in (kept, [start + case.duration for start in kept])
    )
    return Truth(starts, ends, _exact_length(case, wall_clock[0]), tuple(sorted(left_out)))


@lru_cache(maxsize=256)
def _wall_clock(rule: str | None, start: datetime) -> tuple[datetime, ...]:
    return tuple(rrulestr(rule, dtstart=start)) if rule else (start,)


def _exists(case: Case, start: datetime) -> bool:
    zone = ZoneInfo(case.tzid)
    both = (start, start + case.duration)
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
