"""One occurrence of a series: what it looks like, how it is changed or cancelled alone (RFC 5545
§3.8.4.4).

A changed occurrence is kept as what differs from the series, so that a later change of the series'
title reaches it too. Clients know it by RECURRENCE-ID, the start that the rule gives it, and never
by its changed start.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from meetings.addresses import address_key
from meetings.itip.errors import InvalidProperty, OccurrenceCancelled
from meetings.itip.event import Attendee, Event, Override, PartStat
from meetings.itip.recurrence.rule import occurrences

_DROPPED_BY = ("start", "end", "tzid", "all_day", "rule")


def require_occurrence(held: Event, when: datetime) -> None:
    """Raise InvalidProperty unless the rule of ``held`` has an occurrence at the wall-clock time
    ``when``.

    Raises OccurrenceCancelled for one that was cancelled or excluded already.
    """
    if held.rule is None:
        raise InvalidProperty("occurrence", "This meeting is not repeated: leave occurrence out.")
    if when in held.left_out:
        raise OccurrenceCancelled(when)
    if when not in held.occurrences:
        near = min(held.occurrences, key=lambda start: abs(start - when))
        raise InvalidProperty(
            "occurrence", f"The series has none then; the nearest is {near:%Y-%m-%d %H:%M}."
        )


def occurrence_of(series: Event, when: datetime) -> Event:
    """The occurrence of ``series`` whose RECURRENCE-ID is ``when``, as an event of its own, changes
    included.
    """
    plain = _plain(series, when)
    override = next(
        (override for override in series.overrides if override.recurrence_id == when), None
    )
    return plain if override is None else _changed(plain, override)


def with_override(series: Event, when: datetime, wanted: Event) -> Event:
    """``series`` with its occurrence ``when`` as ``wanted`` says.

    Raises InvalidProperty on ``occurrence`` when it would overlap its neighbours or share a day
    (interop R10).
    """
    others = tuple(override for override in series.overrides if override.recurrence_id != when)
    override = _difference(_plain(series, when), wanted)
    changed = replace(
        series, overrides=tuple(sorted((*others, override), key=lambda each: each.recurrence_id))
    )
    _check_neighbours(changed, wanted)
    return changed


def without_occurrence(series: Event, when: datetime) -> Event:
    """``series`` with its occurrence ``when`` cancelled. Raises InvalidProperty when it is the only
    one left.
    """
    if len(series.occurrences) == 1:
        raise InvalidProperty(
            "occurrence", "This is the only occurrence left: cancel the whole meeting instead."
        )
    return replace(
        series,
        cancelled=tuple(sorted((*series.cancelled, when))),
        overrides=tuple(
            override for override in series.overrides if override.recurrence_id != when
        ),
    )


def split(series: Event, when: datetime) -> tuple[Event, Event]:
    """``series`` as it ends before its occurrence ``when``, and what goes on from there, still
    under the same uid.

    RANGE=THISANDFUTURE is understood nowhere (interop R14). Raises InvalidProperty when nothing is
    left before.
    """
    assert series.rule is not None  # noqa: S101 - require_occurrence has seen to it
    starts = occurrences(series.rule, series.start)
    gone = [start for start in starts if start < when]
    count = None if series.rule.count is None else series.rule.count - len(gone)
    rest = replace(
        _only(series, lambda start: start >= when),
        start=when,
        end=when + (series.end - series.start),
        rule=replace(series.rule, count=count),
    )
    if not set(gone) - set(series.left_out):
        raise InvalidProperty(
            "occurrence", "This is the first one: leave occurrence and scope out to mean the whole."
        )
    ended = replace(series.rule, count=None, until=gone[-1])
    return replace(_only(series, lambda start: start < when), rule=ended), rest


def _only(series: Event, fits: Callable[[datetime], bool]) -> Event:
    return replace(
        series,
        exdates=tuple(filter(fits, series.exdates)),
        cancelled=tuple(filter(fits, series.cancelled)),
        overrides=tuple(override for override in series.overrides if fits(override.recurrence_id)),
    )


def carried_over(held: Event, wanted: Event) -> Event:
    """``wanted``, a new version of the series ``held``, with the changes of single occurrences that
    still apply.

    A new time or rule makes them void, as in Outlook and Google (interop R15).
    """
    if any(getattr(held, name) != getattr(wanted, name) for name in _DROPPED_BY):
        return replace(wanted, overrides=(), cancelled=())
    return replace(wanted, overrides=held.overrides, cancelled=held.cancelled)


def _plain(series: Event, when: datetime) -> Event:
    return replace(
        series,
        start=when,
        end=when + (series.end - series.start),
        rule=None,
        exdates=(),
        cancelled=(),
        overrides=(),
        recurrence_id=when,
        part_of=series,
    )


def _changed(plain: Event, override: Override) -> Event:
    given = {
        name: getattr(override, name)
        for name in Override.CHANGEABLE
        if getattr(override, name) is not None
    }
    changed = replace(plain, **given)
    if given.keys() & {
        "start",
        "end",
        "location",
    }:  # interop A4: an answer to the series says nothing about this
        people = tuple(
            replace(attendee, partstat=PartStat.NEEDS_ACTION) for attendee in changed.attendees
        )
        return replace(changed, attendees=people)
    return changed


def _difference(plain: Event, wanted: Event) -> Override:
    values = {name: getattr(wanted, name) for name in Override.CHANGEABLE if name != "attendees"}
    differing = {name: value for name, value in values.items() if value != getattr(plain, name)}
    if {"start", "end"} & differing.keys():
        differing |= {"start": wanted.start, "end": wanted.end}
    if not same_people(plain.attendees, wanted.attendees):
        differing["attendees"] = wanted.attendees
    assert wanted.recurrence_id is not None  # noqa: S101 - an occurrence always has one
    return Override(recurrence_id=wanted.recurrence_id, **differing)


def same_people(one: Sequence[Attendee], other: Sequence[Attendee]) -> bool:
    """Whether both lists invite the same addresses in the same roles, under the same names."""
    return _roles(one) == _roles(other)


def _roles(people: Sequence[Attendee]) -> dict[str, tuple[str, str]]:
    return {address_key(person.address): (person.role, person.name) for person in people}


def _check_neighbours(series: Event, wanted: Event) -> None:
    events = [occurrence_of(series, when) for when in series.occurrences]
    for event, following in pairwise(events):
        touches = wanted.recurrence_id in (event.recurrence_id, following.recurrence_id)
        if touches and (
            following.start < event.end or following.start.date() <= event.start.date()
        ):
            other = following if event.recurrence_id == wanted.recurrence_id else event
            raise InvalidProperty(
                "occurrence",
                f"It would overlap, share a day with or pass the occurrence of {other.start:%Y-%m-%d %H:%M}:"
                " Outlook cannot hold that.",
            )
