"""The pair of annual rules that describes a zone well enough for one meeting.

A zone may change its rules from year to year, but a VTIMEZONE for Outlook holds only one pair
(interop Z2). So the pair is chosen for the meeting (interop Z3). The candidates are, in this order:

1. the law that tzdata expects for the far future, which is the one that people know;
2. a pair that is right for the years around the meeting;
3. a pair that is right for the times of the meeting only.

Each pair is checked against zoneinfo for every time of the meeting before it is used.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import groupby, islice, pairwise, product
from typing import Final

from meetings.itip.zones.annual import AnnualRule, common_rule, day_rule, rules_by_frequency
from meetings.itip.zones.offsets import Transition, is_skipped, offset_at, transitions

# In 28 years every date falls on every weekday. By 2071 nearly all zones keep one law for good.
_FUTURE: Final = (2071, 2098)

# A VTIMEZONE may have two offsets, and its year two changes (interop Z2).
_TWO: Final = 2

# The changes of the first years are enough to find a rule that fits the whole series.
_MAX_CHANGES: Final = 12

# Bounds the search at 1,024 pairs. Most of them fail at the first sample.
_MAX_RULES: Final = 32

Samples = Sequence[tuple[datetime, timedelta]]
"""Naive wall-clock times, oldest first, each with the UTC offset that zoneinfo gives for it."""


@dataclass(frozen=True, slots=True)
class Law:
    """A zone's two annual rules and its two offsets; daylight has the larger one (interop Z2)."""

    standard: AnnualRule
    daylight: AnnualRule
    standard_offset: timedelta
    daylight_offset: timedelta


def samples_of(tzid: str, times: Iterable[datetime]) -> Samples:
    """Return the naive wall-clock ``times`` with their offsets, except those the clocks skip."""
    return [(moment, offset_at(moment, tzid)) for moment in times if not is_skipped(moment, tzid)]


def best_law(tzid: str, samples: Samples, changes: Sequence[Transition]) -> Law | None:
    """Return the most familiar law that gives each sample its offset; None if no law does.

    ``changes`` are the zone's transitions from the year before the first sample to the year after
    the last one.
    """
    law = any_law(tzid, samples, changes)
    if law is None or law is _general_law(tzid):
        return law
    around = samples_of(tzid, _times_around(samples, changes))
    return _fitted_law(sorted({*samples, *around}), changes) or law


def any_law(tzid: str, samples: Samples, changes: Sequence[Transition]) -> Law | None:
    """Return a law like ``best_law``, found faster, that may be wrong at all other times.

    That is enough for the question whether there is a law at all.
    """
    general = _general_law(tzid)
    if general and _matches(general, samples):
        return general
    return _fitted_law(samples, changes)


def lasting_changes(tzid: str) -> tuple[Transition, ...]:
    """Return the changes of the zone in the years whose law tzdata expects to last."""
    return transitions(tzid, *_FUTURE)


@lru_cache(maxsize=1024)
def _general_law(tzid: str) -> Law | None:
    """The law that tzdata expects for good; None if there is none, or two rules cannot say it."""
    first_year, last_year = _FUTURE
    changes = lasting_changes(tzid)
    offsets = sorted({change.after for change in changes})
    if len(offsets) != _TWO or len(changes) != _TWO * (last_year - first_year + 1):
        return None
    standard_offset, daylight_offset = offsets
    standard = common_rule(_onsets(changes, standard_offset, daylight_offset))
    daylight = common_rule(_onsets(changes, daylight_offset, standard_offset))
    if standard is None or daylight is None:
        return None
    return Law(standard, daylight, standard_offset, daylight_offset)


def _onsets(
    changes: Iterable[Transition], into: timedelta, out_of: timedelta
) -> Iterator[datetime]:
    """The local times, on the clock of ``out_of``, at which the offset becomes ``into``."""
    return (change.utc + out_of for change in changes if change.after == into)


def _times_around(samples: Samples, changes: Iterable[Transition]) -> Iterator[datetime]:
    """Times that show whether a law is right all through the years around the meeting."""
    for year in range(samples[0][0].year - 1, samples[-1][0].year + 2):
        for month in range(1, 13):
            yield datetime(year, month, 1, 12)
    for change in changes:
        yield change.utc + change.before - timedelta(days=1)
        yield change.utc + change.after + timedelta(days=1)


def _fitted_law(samples: Samples, changes: Sequence[Transition]) -> Law | None:
    """The first pair of rules, made from the zone's real changes, that is right for ``samples``."""
    offsets = sorted({offset for _, offset in samples})
    if len(offsets) != _TWO:
        return None
    standard_offset, daylight_offset = offsets
    standards = _candidates(samples, changes, standard_offset, daylight_offset)
    daylights = _candidates(samples, changes, daylight_offset, standard_offset)
    laws = (
        Law(standard, daylight, standard_offset, daylight_offset)
        for daylight, standard in product(daylights, standards)
    )
    # A wrong law nearly always fails for the few samples, at a fraction of the price.
    few = _few_of(samples)
    return next((law for law in laws if _matches(law, few) and _matches(law, samples)), None)


def _candidates(
    samples: Samples, changes: Iterable[Transition], into: timedelta, out_of: timedelta
) -> list[AnnualRule]:
    """The annual rules that could be the change into the offset ``into``, most familiar first."""
    rules = [*rules_by_frequency(islice(_onsets(changes, into, out_of), _MAX_CHANGES))]
    first, offset = samples[0]
    if offset == into:
        # A zone that changes for good has no change back, but a VTIMEZONE needs one. The best place
        # for it is just before the series.
        rules.append(day_rule(datetime.combine(first.date(), time())))
    pauses = [
        (earlier[0], later[0])
        for earlier, later in pairwise(samples)
        if earlier[1] != into == later[1]
    ]
    fitting = (rule for rule in rules if all(_falls_between(rule, *pause) for pause in pauses))
    return list(islice(fitting, _MAX_RULES))


def _falls_between(rule: AnnualRule, after: datetime, latest: datetime) -> bool:
    """Whether ``rule`` changes the clocks after the first time, and no later than the second."""
    return any(after < rule.onset(year) <= latest for year in range(after.year, latest.year + 1))


def _few_of(samples: Samples) -> Samples:
    """The first, middle and last sample of each stretch that has one offset in one year."""
    few: set[tuple[datetime, timedelta]] = set()
    for _, stretch in groupby(samples, key=lambda sample: (sample[0].year, sample[1])):
        members = [*stretch]
        few |= {members[0], members[len(members) // 2], members[-1]}
    return sorted(few)


def _matches(law: Law, samples: Samples) -> bool:
    """Whether a reader of RFC 5545 §3.6.5 gets the offset of every sample from ``law``.

    Such a reader uses the offset of the latest onset that is not after the time.
    """
    year = samples[0][0].year - 1
    daylight_first = _daylight_first(law, year)
    for moment, offset in samples:
        if moment.year != year:
            was_in_turn = (
                moment.year == year + 1 or _daylight_first(law, moment.year - 1) == daylight_first
            )
            year = moment.year
            begin, end = law.daylight.onset(year), law.standard.onset(year)
            # If the two rules swap places between years, the onsets of one year do not tell the
            # offset at its beginning. Such a pair is never a sensible law.
            if not was_in_turn or daylight_first != (begin < end):
                return False
        is_daylight = begin <= moment < end if daylight_first else not end <= moment < begin
        if offset != (law.daylight_offset if is_daylight else law.standard_offset):
            return False
    return True


def _daylight_first(law: Law, year: int) -> bool:
    return law.daylight.onset(year) < law.standard.onset(year)
