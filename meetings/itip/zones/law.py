"""The pair of annual rules that describes a zone well enough for one meeting.

A law is accepted only after every time of the meeting was checked against zoneinfo, the way a
reader of RFC 5545 §3.6.5 evaluates it. The zone's own law comes first, then one that fits the years
around the meeting, then one that fits nothing but the meeting (interop Z3).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import groupby, islice, pairwise, product
from typing import Final

from meetings.itip.zones.annual import AnnualRule, day_rule, law_of, shared_rules
from meetings.itip.zones.offsets import Transition, is_skipped, offset_at, transitions

_LAW_YEARS: Final = (2071, 2098)
"""28 years show every weekday on every date; they lie behind the changes of law that tzdata
foresees.
"""

_TWO: Final = 2
"""Offsets that a VTIMEZONE may have, and changes that a year may have (interop Z2)."""

_MOST_CHANGES: Final = 12
"""Real changes looked at for each annual rule: a rule for a whole series shows itself within its
first years.
"""

_MOST_CANDIDATES: Final = 32
"""Annual rules tried for each of the two changes; bounds the work at 1,024 pairs, most refused by
the first times.
"""

Truths = Sequence[tuple[datetime, timedelta]]
"""Wall-clock times, oldest first, each with its true UTC offset."""


@dataclass(frozen=True, slots=True)
class Law:
    """Two annual rules and the offsets between which they switch; daylight is the larger offset
    (interop Z2).
    """

    standard: AnnualRule
    daylight: AnnualRule
    standard_offset: timedelta
    daylight_offset: timedelta


def truths_of(tzid: str, times: Iterable[datetime]) -> Truths:
    """Return each wall-clock time with its true offset, without the times that the clocks skip."""
    return [(moment, offset_at(moment, tzid)) for moment in times if not is_skipped(moment, tzid)]


def law_for(tzid: str, truths: Truths, changes: Sequence[Transition]) -> Law | None:
    """Return a law that gives each of ``truths`` its offset; None when no pair of annual rules
    does.

    ``changes`` are the zone's transitions from the year before the first time to the year after the
    last.
    """
    law = any_law_for(tzid, truths, changes)
    if law is None or law is _general_law(tzid):
        return law
    around = sorted({*truths, *truths_of(tzid, _probes(truths, changes))})
    return _fitted(around, changes) or law


def any_law_for(tzid: str, truths: Truths, changes: Sequence[Transition]) -> Law | None:
    """Like ``law_for``, but it may fit nothing but the meeting: enough to know whether there is a
    law at all.
    """
    general = _general_law(tzid)
    return general if general and _is_right(general, truths) else _fitted(truths, changes)


@lru_cache(maxsize=1024)
def _general_law(tzid: str) -> Law | None:
    """Return the law that tzdata foresees for good; None for a zone without one, or when two rules
    cannot say it.
    """
    first_year, last_year = _LAW_YEARS
    changes = transitions(tzid, first_year, last_year)
    offsets = sorted({change.after for change in changes})
    if len(offsets) != _TWO or len(changes) != _TWO * (last_year - first_year + 1):
        return None
    standard_offset, daylight_offset = offsets
    standard = law_of(_onsets(changes, standard_offset, daylight_offset))
    daylight = law_of(_onsets(changes, daylight_offset, standard_offset))
    return (
        Law(standard, daylight, standard_offset, daylight_offset) if standard and daylight else None
    )


def _onsets(
    changes: Iterable[Transition], into: timedelta, out_of: timedelta
) -> Iterator[datetime]:
    """The local times, on the clock of ``out_of``, at which the offset becomes ``into``."""
    return (change.utc + out_of for change in changes if change.after == into)


def _probes(truths: Truths, changes: Iterable[Transition]) -> Iterator[datetime]:
    """Times that tell whether a law describes the zone all through the years around, not only at
    the meeting.
    """
    for year in range(truths[0][0].year - 1, truths[-1][0].year + 2):
        for month in range(1, 13):
            yield datetime(year, month, 1, 12)
    for change in changes:
        yield change.utc + change.before - timedelta(days=1)
        yield change.utc + change.after + timedelta(days=1)


def _fitted(truths: Truths, changes: Sequence[Transition]) -> Law | None:
    """Return the first pair of annual rules, made from the zone's real changes, that is right for
    ``truths``.
    """
    offsets = sorted({offset for _, offset in truths})
    if len(offsets) != _TWO:
        return None
    standard_offset, daylight_offset = offsets
    standards = _candidates(truths, changes, standard_offset, daylight_offset)
    daylights = _candidates(truths, changes, daylight_offset, standard_offset)
    laws = (
        Law(standard, daylight, *offsets) for daylight, standard in product(daylights, standards)
    )
    telling = _telling(truths)
    return next((law for law in laws if _is_right(law, telling) and _is_right(law, truths)), None)


def _candidates(
    truths: Truths, changes: Iterable[Transition], into: timedelta, out_of: timedelta
) -> list[AnnualRule]:
    """The annual rules that could be the change into ``into``, the most familiar first."""
    rules = [*shared_rules(islice(_onsets(changes, into, out_of), _MOST_CHANGES))]
    first, offset = truths[0]
    if offset == into:
        # A zone that changes once and for all has no change back: invent one in the pause before
        # the next round.
        rules.append(day_rule(datetime.combine(first.date(), time())))
    pauses = [(one[0], other[0]) for one, other in pairwise(truths) if one[1] != into == other[1]]
    return [rule for rule in rules if all(_falls_into(rule, *pause) for pause in pauses)][
        :_MOST_CANDIDATES
    ]


def _falls_into(rule: AnnualRule, after: datetime, latest: datetime) -> bool:
    """Whether ``rule`` changes the clocks between two times that it must keep apart."""
    return any(after < rule.onset(year) <= latest for year in range(after.year, latest.year + 1))


def _telling(truths: Truths) -> Truths:
    """The first, middle and last time of every stretch of one year and offset: where a wrong law
    soon shows.
    """
    stretches = [
        [*stretch] for _, stretch in groupby(truths, key=lambda truth: (truth[0].year, truth[1]))
    ]
    return sorted({stretch[place] for stretch in stretches for place in (0, len(stretch) // 2, -1)})


def _is_right(law: Law, truths: Truths) -> bool:
    """Whether a reader of RFC 5545 §3.6.5 finds each true offset: that of the latest onset at or
    before the time.
    """
    year = truths[0][0].year - 1
    daylight_first = _daylight_first(law, year)
    for moment, offset in truths:
        if moment.year != year:
            was_in_turn = (
                moment.year == year + 1 or _daylight_first(law, moment.year - 1) == daylight_first
            )
            year = moment.year
            begin, end = law.daylight.onset(year), law.standard.onset(year)
            # Two rules that swap places between years cannot be judged within one year, and mean
            # nothing good.
            if not was_in_turn or daylight_first != (begin < end):
                return False
        is_daylight = begin <= moment < end if daylight_first else not end <= moment < begin
        if offset != (law.daylight_offset if is_daylight else law.standard_offset):
            return False
    return True


def _daylight_first(law: Law, year: int) -> bool:
    return law.daylight.onset(year) < law.standard.onset(year)
