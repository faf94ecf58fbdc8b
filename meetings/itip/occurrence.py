"""One occurrence of a series: how it is found, changed or cancelled alone (RFC 5545 §3.8.4.4).

A changed occurrence is kept as what differs from the series, so that a later change of the series'
title reaches it too. Clients know it by RECURRENCE-ID, the start that the rule gives it, and never
by its changed start.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from meetings.addresses import address_key
from meetings.itip.errors import InvalidProperty, InvalidRule, OccurrenceCancelled
from meetings.itip.event import Attendee, Event, Override, PartStat
from meetings.itip.guests import without
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
    plain = plain_occurrence(series, when)
    override = override_of(series, when)
    return plain if override is None else _changed(plain, override)


def override_of(series: Event, when: datetime) -> Override | None:
    """Return how the occurrence at ``when`` differs; None where it was never changed alone."""
    own = (override for override in series.overrides if override.recurrence_id == when)
    return next(own, None)


def with_override(series: Event, when: datetime, wanted: Event) -> Event:
    """Return ``series``, with its next SEQUENCE, and its occurrence ``when`` as ``wanted`` says.

    Raises InvalidProperty where it would overlap its neighbours or share a day (interop R10).
    """
    override = _difference(series, when, wanted)
    changed = _with(replace(series, sequence=series.sequence + 1), override)
    _check_neighbours(changed, wanted)
    return changed


def without_occurrence(series: Event, when: datetime, *, comment: str = "") -> Event:
    """Return ``series``, with its next SEQUENCE, and its occurrence ``when`` cancelled.

    ``comment`` is the reason. Raises InvalidProperty where it is the only one left.
    """
    if len(series.occurrences) == 1:
        message = "This is the only occurrence left: cancel the whole meeting instead."
        raise InvalidProperty("RECURRENCE-ID", message)
    sequence = series.sequence + 1
    last = override_of(series, when) or Override(recurrence_id=when)
    cancelled = replace(last, is_cancelled=True, comment=comment, sequence=sequence)
    return _with(replace(series, sequence=sequence), cancelled)


def require_room(event: Event, most: int, now: datetime) -> None:
    """Raise InvalidProperty where more than ``most`` changed occurrences lie ahead of ``now``.

    Each of them is a message of its own for everybody who is told of the whole.
    """
    ends = (each.end or each.recurrence_id + event.duration for each in event.changed)
    if sum(event.instant(end) > now for end in ends) > most:
        message = (
            f"A series may have {most} changed occurrences ahead: change the series instead, or"
            " split it with scope."
        )
        raise InvalidProperty("RECURRENCE-ID", message)


def _with(series: Event, override: Override) -> Event:
    others = (o for o in series.overrides if o.recurrence_id != override.recurrence_id)
    in_order = sorted((*others, override), key=lambda each: each.recurrence_id)
    return replace(series, overrides=tuple(in_order))


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
    new = tuple(replace(override, sequence=0) for override in rest.overrides)
    return (
        replace(_only(series, lambda start: start < when), rule=ended),
        replace(rest, overrides=new, sequence=0, whole_sequence=0),
    )


def _only(series: Event, fits: Callable[[datetime], bool]) -> Event:
    return replace(
        series,
        exdates=tuple(filter(fits, series.exdates)),
        overrides=tuple(each for each in series.overrides if fits(each.recurrence_id)),
    )


def carried_over(stored: Event, wanted: Event) -> Event:
    """Return ``wanted`` with those changes of single occurrences of ``stored`` that still apply.

    A new time or rule makes them void, as in Outlook and Google (interop R15). An EXDATE drops the
    change of its occurrence. People who leave the series leave every occurrence. Raises
    InvalidRule where the EXDATEs leave out all that was not cancelled.
    """
    if voids_overrides(stored, wanted):
        return replace(wanted, overrides=())
    left = {address_key(each.address) for each in without(stored.attendees, wanted.attendees)}
    kept = (each for each in stored.overrides if each.recurrence_id not in wanted.exdates)
    carried = replace(wanted, overrides=tuple(_without_added(each, left) for each in kept))
    if not carried.occurrences:
        message = "No occurrence would be left: cancel the whole meeting instead."
        raise InvalidRule("EXDATE", message)
    return carried


def voids_overrides(stored: Event, wanted: Event) -> bool:
    """Whether the time or the rule is new, so that no change of a single occurrence applies."""
    return any(getattr(stored, name) != getattr(wanted, name) for name in _DROPPED_BY)


def _without_added(override: Override, keys: set[str]) -> Override:
    added = tuple(each for each in override.added if address_key(each.address) not in keys)
    return replace(override, added=added)


def plain_occurrence(series: Event, when: datetime) -> Event:
    """Return the occurrence at ``when`` with the series' own values."""
    return replace(
        series,
        start=when,
        end=when + series.duration,
        rule=None,
        exdates=(),
        overrides=(),
        recurrence_id=when,
        part_of=series,
    )


def _changed(plain: Event, override: Override) -> Event:
    values = {name: getattr(override, name) for name in Override.CHANGEABLE}
    given = {name: value for name, value in values.items() if value is not None}
    changed = replace(plain, attendees=_people(plain.attendees, override), **given)
    if not given.keys() & {"start", "end", "location"}:
        return changed
    # A reply to the series says nothing about another time or place (interop A4).
    people = (replace(person, partstat=PartStat.NEEDS_ACTION) for person in changed.attendees)
    return replace(changed, attendees=tuple(people))


def _people(series: tuple[Attendee, ...], override: Override) -> tuple[Attendee, ...]:
    """Those of the series who were not taken off, and those who come to this occurrence."""
    added = {address_key(person.address): person for person in override.added}
    stayed = [person for person in series if address_key(person.address) not in override.removed]
    of_series = [added.pop(address_key(person.address), person) for person in stayed]
    return (*of_series, *added.values())


def _difference(series: Event, when: datetime, wanted: Event) -> Override:
    plain = plain_occurrence(series, when)
    names = Override.CHANGEABLE
    differing = {n: getattr(wanted, n) for n in names if getattr(wanted, n) != getattr(plain, n)}
    if {"start", "end"} & differing.keys():
        differing |= {"start": wanted.start, "end": wanted.end}
    before = override_of(series, when) or Override(recurrence_id=when)
    listed = {address_key(person.address): person for person in series.attendees}
    now = {address_key(person.address): person for person in wanted.attendees}
    # Who was taken off once stays off, also while the series does not list them.
    removed = sorted({*before.removed, *listed} - now.keys())
    added = tuple(person for key, person in now.items() if not _is_same(person, listed.get(key)))
    return Override(
        recurrence_id=when,
        added=added,
        removed=tuple(removed),
        sequence=series.sequence + 1,
        **differing,
    )


def _is_same(person: Attendee, listed: Attendee | None) -> bool:
    return listed is not None and (person.role, person.name) == (listed.role, listed.name)


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
