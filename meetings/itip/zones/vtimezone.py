"""The VTIMEZONE that is right for every occurrence.

Outlook reads one STANDARD and one DAYLIGHT annual rule out of a VTIMEZONE and ignores all else
(interop Z1-Z3), while real zones change their law, move a change with the moon, or drop it. So the
two rules are chosen for the meeting at hand; how, is in ``zone_law``. Writing them down is left to
``ical``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from meetings.itip.errors import ZoneNotExpressible
from meetings.itip.zones.annual import AnnualRule
from meetings.itip.zones.law import Law, Truths, any_law_for, law_for, truths_of
from meetings.itip.zones.offsets import Transition, name_at, offset_at, transitions

_ONSET_YEAR: Final = 1970


class Kind(StrEnum):
    """The two sub-components of a VTIMEZONE; DAYLIGHT is always the larger offset (interop Z2)."""

    STANDARD = "STANDARD"
    DAYLIGHT = "DAYLIGHT"


@dataclass(frozen=True, slots=True)
class Observance:
    """One sub-component of a VTIMEZONE (RFC 5545 §3.6.5).

    ``onset`` is DTSTART: a naive local time in 1970, on the clock of ``offset_from``, that
    satisfies ``rule``. The offsets are east of UTC, ``name`` is TZNAME, ``rule`` the RRULE text,
    None for an offset that never changes.
    """

    kind: Kind
    onset: datetime
    offset_from: timedelta
    offset_to: timedelta
    name: str
    rule: str | None = None


def observances(
    tzid: str, starts: Sequence[datetime], *, lasting: timedelta = timedelta()
) -> tuple[Observance, ...]:
    """Return one STANDARD and at most one DAYLIGHT that give each of ``starts`` its true offset
    (interop Z3).

    ``starts`` are naive wall-clock times from 1970 to 2100 in the IANA zone ``tzid``, at least one,
    in any order; the ends, ``lasting`` later on the clock, count too. Of an hour that happens twice
    the first is meant (R16); times that the clocks skip do not count. The zone's own law is
    preferred, so that the reader's calendar shows a zone it knows. ZoneNotExpressible when no pair
    of annual rules fits; it names the day of the first occurrence that does not.
    """
    return _observances(tzid, tuple(sorted(starts)), lasting)


@lru_cache(maxsize=1024)
def _observances(
    tzid: str, starts: tuple[datetime, ...], lasting: timedelta
) -> tuple[Observance, ...]:
    times = sorted({*starts, *(start + lasting for start in starts)})
    truths = truths_of(tzid, times)
    changes = _changes_around(tzid, times)
    if not changes or not truths:
        return (_lone(tzid, times[0]),)
    law = law_for(tzid, truths, changes)
    if law:
        return _pair(law, _names(changes))
    if len({offset for _, offset in truths}) == 1:
        return (_lone(tzid, truths[0][0]),)
    first_bad = truths[_first_inexpressible(tzid, truths, changes)][0]
    # It may be the end of an occurrence that began on an earlier day: that one has to go as well.
    began = first_bad - lasting if first_bad - lasting in starts else first_bad
    raise _not_expressible(tzid, first_bad.year, began)


def _changes_around(tzid: str, times: Sequence[datetime]) -> tuple[Transition, ...]:
    return transitions(tzid, times[0].year - 1, times[-1].year + 1)


def _lone(tzid: str, moment: datetime) -> Observance:
    """A zone that keeps its offset for as long as the meeting matters: no DST rule at all (interop
    Z6).
    """
    offset = offset_at(moment, tzid)
    return Observance(
        Kind.STANDARD, datetime(_ONSET_YEAR, 1, 1), offset, offset, name_at(moment, tzid)
    )


def _pair(law: Law, names: dict[timedelta, str]) -> tuple[Observance, Observance]:
    def observance(
        kind: Kind, rule: AnnualRule, offset_from: timedelta, offset_to: timedelta
    ) -> Observance:
        return Observance(
            kind, rule.onset(_ONSET_YEAR), offset_from, offset_to, names[offset_to], str(rule)
        )

    return (
        observance(Kind.STANDARD, law.standard, law.daylight_offset, law.standard_offset),
        observance(Kind.DAYLIGHT, law.daylight, law.standard_offset, law.daylight_offset),
    )


def _names(changes: Iterable[Transition]) -> dict[timedelta, str]:
    """The abbreviation of each offset, as the zone calls it around the meeting."""
    names: dict[timedelta, str] = {}
    for change in changes:
        names.setdefault(change.before, change.name_before)
        names.setdefault(change.after, change.name_after)
    return names


def _not_expressible(tzid: str, year: int, began: datetime) -> ZoneNotExpressible:
    return ZoneNotExpressible(
        f"The clocks of {tzid} change in {year} in a way that a calendar cannot hold in one series with the"
        f" earlier occurrences. End the series before {began:%Y-%m-%d} and start another one there.",
    )


def _first_inexpressible(tzid: str, truths: Truths, changes: Sequence[Transition]) -> int:
    """Return the index of the first time that no pair of rules can cover together with all the
    times before it.
    """
    good, bad, step = 0, len(truths) - 1, 1
    while bad - good > 1:
        # Bigger and bigger steps first: the failure is near the start, and short series are judged
        # quickly.
        middle = min(good + step, (good + bad) // 2)
        if _is_expressible(tzid, truths[: middle + 1], changes):
            good, step = middle, step * 2
        else:
            bad = middle
    return bad


def _is_expressible(tzid: str, truths: Truths, changes: Sequence[Transition]) -> bool:
    if len({offset for _, offset in truths}) == 1:
        return True
    last_year = truths[-1][0].year + 1
    return (
        any_law_for(tzid, truths, [change for change in changes if change.utc.year <= last_year])
        is not None
    )
