"""The content of the VTIMEZONE that is right for every occurrence of a meeting.

Outlook reads one STANDARD and one DAYLIGHT annual rule from a VTIMEZONE and ignores everything else
(interop Z1, Z2, Z3). Real zones change their law, follow the moon, or give up daylight saving time.
So the two rules are chosen for the meeting (``law``). ``ical.writer`` writes them down.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import takewhile
from typing import Final

from meetings.itip.zones.law import (
    Law,
    Samples,
    any_law,
    best_law,
    lasting_changes,
    samples_of,
)
from meetings.itip.zones.offsets import Transition, name_at, offset_at, transitions

_ONSET_YEAR: Final = 1970


class Kind(StrEnum):
    """The two sub-components of a VTIMEZONE; DAYLIGHT has the larger offset (interop Z2)."""

    STANDARD = "STANDARD"
    DAYLIGHT = "DAYLIGHT"


@dataclass(frozen=True, slots=True)
class Observance:
    """One sub-component of a VTIMEZONE (RFC 5545 §3.6.5).

    ``onset`` is DTSTART: a naive local time in 1970 on the clock of ``offset_from``, and an
    instance of ``rule``. The offsets are east of UTC. ``name`` is TZNAME. ``rule`` is the RRULE, or
    None if the offset never changes.
    """

    kind: Kind
    onset: datetime
    offset_from: timedelta
    offset_to: timedelta
    name: str
    rule: str | None = None


def observances(tzid: str, times: Sequence[datetime]) -> tuple[Observance, ...]:
    """Return one STANDARD and at most one DAYLIGHT that give the times their true offset.

    ``times`` are naive wall-clock times from 1970 to 2100 in the IANA zone ``tzid``, in any order,
    at least one. A time that occurs twice means the first of the two (interop R16). Times that the
    clocks skip do not count. The zone's own law is preferred, because readers then recognise the
    zone (interop Z3).

    If no pair of annual rules is right for all times, the result is right for the earliest ones, as
    many as possible. Those are the ones that people meet next.
    """
    in_order = tuple(sorted({*times}))
    return exact_observances(tzid, in_order) or _for_the_earliest(tzid, in_order)


@lru_cache(maxsize=1024)
def exact_observances(tzid: str, times: tuple[datetime, ...]) -> tuple[Observance, ...] | None:
    """Return what is right for all ``times``, oldest first; None if no pair of rules is."""
    samples = samples_of(tzid, times)
    changes = _changes_around(tzid, times)
    if not changes or not samples:
        return (_fixed(tzid, times[0]),)
    law = best_law(tzid, samples, changes)
    if law:
        # The lasting law may have an offset that the years around the meeting do not have.
        return _pair(law, _names((*changes, *lasting_changes(tzid))))
    return (_fixed(tzid, samples[0][0]),) if _is_constant(samples) else None


@lru_cache(maxsize=256)
def _for_the_earliest(tzid: str, times: tuple[datetime, ...]) -> tuple[Observance, ...]:
    first_wrong = first_not_expressible(tzid, times)
    earlier = tuple(takewhile(lambda time: time != first_wrong, times))
    return exact_observances(tzid, earlier) or (_fixed(tzid, earlier[0]),)


def first_not_expressible(tzid: str, times: Sequence[datetime]) -> datetime | None:
    """Return the first of ``times`` that no pair of rules describes together with those before.

    ``times`` are as in ``exact_observances``. None if one pair is right for all of them.
    """
    if exact_observances(tzid, tuple(times)):
        return None
    samples = samples_of(tzid, times)
    return samples[_first_without_law(tzid, samples, _changes_around(tzid, times))][0]


def _changes_around(tzid: str, times: Sequence[datetime]) -> tuple[Transition, ...]:
    return transitions(tzid, times[0].year - 1, times[-1].year + 1)


def _fixed(tzid: str, moment: datetime) -> Observance:
    """The offset at ``moment``, without any daylight saving time (interop Z6)."""
    offset = offset_at(moment, tzid)
    onset = datetime(_ONSET_YEAR, 1, 1)
    return Observance(Kind.STANDARD, onset, offset, offset, name_at(moment, tzid))


def _pair(law: Law, names: dict[timedelta, str]) -> tuple[Observance, Observance]:
    standard, daylight = law.standard_offset, law.daylight_offset
    return (
        Observance(
            kind=Kind.STANDARD,
            onset=law.standard.onset(_ONSET_YEAR),
            offset_from=daylight,
            offset_to=standard,
            name=names[standard],
            rule=str(law.standard),
        ),
        Observance(
            kind=Kind.DAYLIGHT,
            onset=law.daylight.onset(_ONSET_YEAR),
            offset_from=standard,
            offset_to=daylight,
            name=names[daylight],
            rule=str(law.daylight),
        ),
    )


def _names(changes: Iterable[Transition]) -> dict[timedelta, str]:
    """The abbreviation of each offset; that of the first change which has it."""
    names: dict[timedelta, str] = {}
    for change in changes:
        names.setdefault(change.before, change.name_before)
        names.setdefault(change.after, change.name_after)
    return names


def _is_constant(samples: Samples) -> bool:
    return len({offset for _, offset in samples}) == 1


def _first_without_law(tzid: str, samples: Samples, changes: Sequence[Transition]) -> int:
    """The index of the first sample for which, together with all earlier ones, there is no law."""
    good, bad, step = 0, len(samples) - 1, 1
    while bad - good > 1:
        # The steps grow, because the failure is usually near the start, and the check of a short
        # series is cheap.
        middle = min(good + step, (good + bad) // 2)
        if _has_law(tzid, samples[: middle + 1], changes):
            good, step = middle, step * 2
        else:
            bad = middle
    return bad


def _has_law(tzid: str, samples: Samples, changes: Sequence[Transition]) -> bool:
    if _is_constant(samples):
        return True
    last_year = samples[-1][0].year + 1
    nearby = [change for change in changes if change.utc.year <= last_year]
    return any_law(tzid, samples, nearby) is not None
