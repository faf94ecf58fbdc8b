"""One occurrence of a series: how it is found, changed or cancelled alone (RFC 5545 §3.8.4.4).

A changed occurrence is kept as what differs from the series, so that a later change of the series'
title reaches it too. Clients know it by RECURRENCE-ID, the start that the rule gives it, and never
by its changed start.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from meetings.itip.errors import InvalidProperty, OccurrenceCancelled
from meetings.itip.event import Event, Override, PartStat
from meetings.itip.guests import same_people
from meetings.itip.moment import Moment
from meetings.itip.recurrence.expansion import occurrences

_DROPPED_BY = ("start", "end", "tzid", "all_day", "rule")


def find_occurrence(series: Event, moment: Moment) -> datetime:
    """Return the wall-clock start that the rule gives the occurrence at ``moment``.

    A date means that day's occurrence. The result may be no occurrence at all: see
    ``require_occurrence``. Raises InvalidProperty for an instant that has no exact wall-clock time.
    """
    if not moment.is_date:
        return moment.exact_wall_clock(series.tzid, "RECURRENCE-ID")
    known = (*series.occurrences, *series.left_out)
    of_that_day = (start for start in known if start.date() == moment.value.date())
    return next(of_that_day, moment.value)


def require_occurrence(series: Event, when: datetime) -> None:
    """Raise InvalidProperty unless the rule has an occurrence at the wall-clock time ``when``.

    Raises OccurrenceCancelled for one that was cancelled or excluded already.
    """
    if series.rule is None:
        message = "This meeting does not repeat: leave occurrence out."
        raise InvalidProperty("RECURRENCE-ID", message)
    if when in series.left_out:
        raise OccurrenceCancelled(when)
    if when not in series.occurrences:
        near = min(series.occurrences, key=lambda start: abs(start - when))
        message = f"The series has no occurrence then; the nearest is {near:%Y-%m-%d %H:%M}."
        raise InvalidProperty("RECURRENCE-ID", message)


def occurrence_of(series: Event, when: datetime) -> Event:
    """Return the occurrence whose RECURRENCE-ID is ``when`` as an event, with its changes."""
    plain = _plain(series, when)
    own = (override for override in series.overrides if override.recurrence_id == when)
    override = next(own, None)
    return plain if override is None else _changed(plain, override)


def with_override(series: Event, when: datetime, wanted: Event) -> Event:
    """Return ``series`` with its occurrence ``when`` as ``wanted`` says.

    Raises InvalidProperty where it would overlap its neighbours or share a day (interop R10).
    """
    others = _other_overrides(series, when)
    override = _difference(_plain(series, when), wanted)
    in_order = sorted((*others, override), key=lambda each: each.recurrence_id)
    changed = replace(series, overrides=tuple(in_order))
    _check_neighbours(changed, wanted)
    return changed


def without_occurrence(series: Event, when: datetime) -> Event:
    """Return ``series`` with its occurrence ``when`` cancelled.

    Raises InvalidProperty where it is the only one left.
    """
    if len(series.occurrences) == 1:
        message = "This is the only occurrence left: cancel the whole meeting instead."
        raise InvalidProperty("RECURRENCE-ID", message)
    return replace(
        series,
        cancelled=tuple(sorted((*series.cancelled, when))),
        overrides=_other_overrides(series, when),
    )


def _other_overrides(series: Event, when: datetime) -> tuple[Override, ...]:
    return tuple(override for override in series.overrides if override.recurrence_id != when)


def split(series: Event, when: datetime) -> tuple[Event, Event]:
    """Return ``series`` as it ends before its occurrence ``when``, and what goes on from there.

    Both still have the same uid. No client understands RANGE=THISANDFUTURE (interop R14). Raises
    InvalidProperty where nothing is left before ``when``.
    """
    assert series.rule is not None  # noqa: S101 (require_occurrence has seen to it)
    starts = occurrences(series.rule, series.start)
    gone = [start for start in starts if start < when]
    if not set(gone) - set(series.left_out):
        message = "This is the first occurrence: leave out occurrence and scope to change all."
        raise InvalidProperty("RECURRENCE-ID", message)
    ended = replace(series.rule, count=None, until=gone[-1])
    count = None if series.rule.count is None else series.rule.count - len(gone)
    rest = replace(
        _only(series, lambda start: start >= when),
        start=when,
        end=when + series.duration,
        rule=replace(series.rule, count=count),
    )
    return replace(_only(series, lambda start: start < when), rule=ended), rest


def _only(series: Event, fits: Callable[[datetime], bool]) -> Event:
    return replace(
        series,
        exdates=tuple(filter(fits, series.exdates)),
        cancelled=tuple(filter(fits, series.cancelled)),
        overrides=tuple(each for each in series.overrides if fits(each.recurrence_id)),
    )


def carried_over(stored: Event, wanted: Event) -> Event:
    """Return ``wanted`` with those changes of single occurrences of ``stored`` that still apply.

    A new time or rule makes them void, as in Outlook and Google (interop R15).
    """
    if any(getattr(stored, name) != getattr(wanted, name) for name in _DROPPED_BY):
        return replace(wanted, overrides=(), cancelled=())
    return replace(wanted, overrides=stored.overrides, cancelled=stored.cancelled)


def _plain(series: Event, when: datetime) -> Event:
    return replace(
        series,
        start=when,
        end=when + series.duration,
        rule=None,
        exdates=(),
        cancelled=(),
        overrides=(),
        recurrence_id=when,
        part_of=series,
    )


def _changed(plain: Event, override: Override) -> Event:
    values = {name: getattr(override, name) for name in Override.CHANGEABLE}
    given = {name: value for name, value in values.items() if value is not None}
    changed = replace(plain, **given)
    if not given.keys() & {"start", "end", "location"}:
        return changed
    # A reply to the series says nothing about another time or place (interop A4).
    people = (replace(person, partstat=PartStat.NEEDS_ACTION) for person in changed.attendees)
    return replace(changed, attendees=tuple(people))


def _difference(plain: Event, wanted: Event) -> Override:
    names = [name for name in Override.CHANGEABLE if name != "attendees"]
    differing = {
        name: getattr(wanted, name)
        for name in names
        if getattr(wanted, name) != getattr(plain, name)
    }
    if {"start", "end"} & differing.keys():
        differing |= {"start": wanted.start, "end": wanted.end}
    if not same_people(plain.attendees, wanted.attendees):
        differing["attendees"] = wanted.attendees
    assert wanted.recurrence_id is not None  # noqa: S101 (an occurrence always has one)
    return Override(recurrence_id=wanted.recurrence_id, **differing)


def _check_neighbours(series: Event, wanted: Event) -> None:
    events = [occurrence_of(series, when) for when in series.occurrences]
    for event, following in pairwise(events):
        if wanted.recurrence_id not in (event.recurrence_id, following.recurrence_id):
            continue
        if following.start < event.end or following.start.date() <= event.start.date():
            other = following if event.recurrence_id == wanted.recurrence_id else event
            message = (
                "It would overlap the occurrence of"
                f" {other.start:%Y-%m-%d %H:%M}, share a day with it or pass it. Outlook cannot"
                " represent that."
            )
            raise InvalidProperty("RECURRENCE-ID", message)
