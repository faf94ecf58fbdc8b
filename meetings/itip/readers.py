"""The mails for people who share them: what each compares the meeting with, and its DTSTAMP."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from meetings.itip.changes import undo
from meetings.itip.event import Event
from meetings.itip.group import Group, Known
from meetings.itip.message import Changes, Message, Method
from meetings.itip.occurrence import occurrence_of, plain_occurrence
from meetings.itip.outstanding import Present, Step
from meetings.itip.told import Person, RecurrenceId

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_TIMES = frozenset({"DTSTART", "DTEND", "RRULE", "EXDATE"})


@dataclass(frozen=True, slots=True)
class PastVersion:
    """What is kept of a version: its changes, and the organizer's reason."""

    changes: Changes
    comment: str = ""


class Past:
    """The event as it was, by the versions that are kept, SEQUENCE → version."""

    def __init__(self, event: Event, versions: Mapping[int, PastVersion]) -> None:
        self._event = event
        self._versions = versions
        self.whole = cache(self._whole)

    def _whole(self, since: int | None) -> Event | None:
        """Return the event of SEQUENCE ``since``; None where a version between is not kept.

        Of single occurrences it has only those that were cancelled by then: the whole leaves them
        out. What else became of them is no part of it.
        """
        versions = self._after(since)
        if since is None or versions is None:
            return None
        cancelled = (each for each in self._event.overrides if each.is_cancelled)
        known = tuple(each for each in cancelled if each.sequence <= since)
        event = replace(self._event, overrides=known)
        for version in versions:
            if "RECURRENCE-ID" not in version.changes:
                event = undo(event, version.changes)
        return event

    def occurrence(self, when: datetime, since: int | None) -> Event | None:
        """Return the occurrence at the wall-clock time ``when`` as it was in SEQUENCE ``since``.

        None also where that cannot be told from the changes: where the series has had other times
        since, which made those of the occurrence void, or where both had changes.
        """
        versions = self._after(since)
        if versions is None:
            return None
        series, occurrence = self._event, occurrence_of(self._event, when)
        is_own = False
        for version in versions:
            if "RECURRENCE-ID" in version.changes:
                if version.changes["RECURRENCE-ID"] == recurrence_text(when):
                    occurrence, is_own = undo(occurrence, version.changes), True
            elif version.changes:
                if is_own or not _TIMES.isdisjoint(version.changes):
                    return None
                series = undo(series, version.changes)
                occurrence = occurrence_of(series, when)
        return occurrence

    def reason(self, since: int | None) -> str:
        """Return the newest reason that the organizer gave for a change of the whole."""
        versions = self._after(since) or []
        comments = (each.comment for each in versions if "RECURRENCE-ID" not in each.changes)
        return next(filter(None, comments), "")

    def _after(self, since: int | None) -> list[PastVersion] | None:
        """The versions after ``since``, newest first."""
        if since is None:
            return None
        wanted = range(self._event.sequence, since, -1)
        kept = [self._versions[number] for number in wanted if number in self._versions]
        return kept if len(kept) == len(wanted) else None


def recurrence_text(when: datetime) -> tuple[str, str]:
    """Return how a version's changes name the occurrence at the wall-clock time ``when``."""
    return "", when.isoformat(sep=" ")


@dataclass(frozen=True, slots=True)
class Planned:
    """One mail to be made, with the people who are to get it.

    ``place`` is its place among the messages of each of its readers: a later one is sent only where
    the earlier one was accepted. ``compared_with`` is the SEQUENCE of the version that its texts
    compare with; None for none. ``ends_at`` is the end (UTC) of the last thing that it tells.
    """

    message: Message
    step: Step
    readers: tuple[Person, ...]
    place: int
    compared_with: int | None
    ends_at: datetime


def planned(present: Present, groups: Iterable[Group], past: Past) -> Iterator[Planned]:
    """Yield the mails for groups of readers, each group's in order.

    The people of a group share a REQUEST. A CANCEL is one for each person: it names nobody else
    (interop A3).
    """
    for group in groups:
        yield from _of_group(_Planning(present, past, group))


class _Planning(NamedTuple):
    present: Present
    past: Past
    group: Group


def _of_group(planning: _Planning) -> Iterator[Planned]:
    group = planning.group
    stamps = dtstamps(group.people, len(group.steps) - group.skip, planning.present.now)
    for place, dtstamp in zip(range(group.skip, group.end), stamps, strict=False):
        step, known = group.steps[place], group.known[place]
        contents = _contents(planning, step, known)
        shared = [group.people] if step.method is Method.REQUEST else [(p,) for p in group.people]
        for readers in shared:
            message = Message(
                method=step.method,
                event=contents.event,
                recipients=tuple(person.attendee for person in readers),
                dtstamp=dtstamp,
                uninvites=step.uninvites,
                previous=contents.previous,
                comment=contents.comment,
                again=known.again,
            )
            ends_at = _ends_at(contents.event, step)
            yield Planned(message, step, readers, place, known.since, ends_at)


def dtstamps(people: Iterable[Person], count: int, now: datetime) -> list[datetime]:
    """Return the DTSTAMPs (aware, UTC, whole seconds) of ``count`` messages for ``people``.

    They rise by a second, and are later than all that may have reached one of them: a calendar
    takes two messages with one DTSTAMP for the same (interop S4). The last one is ``now``, or as
    little ahead as that order needs.
    """
    this = now.astimezone(UTC).replace(microsecond=0)
    newest = [person.stamp for person in people if person.stamp]
    first = max([this - (count - 1) * _SECOND, *(stamp + _SECOND for stamp in newest)])
    return [first + place * _SECOND for place in range(count)]


class _Contents(NamedTuple):
    event: Event
    previous: Event | None = None
    comment: str = ""


def _contents(planning: _Planning, step: Step, known: Known) -> _Contents:
    if step.recurrence_id is not None:
        return _of_occurrence(planning, step, step.recurrence_id, known)
    event, previous = planning.present.event, planning.past.whole(known.since)
    if step.method is Method.CANCEL:
        # With the times that the reader knows. A calendar finds the meeting by its UID.
        times = replace(previous or event, sequence=event.sequence)
        return _Contents(times, comment="" if step.uninvites else event.comment)
    if previous and known.off:
        # What the reader knows to be off is no news, and what comes back is.
        previous = _without(previous, known.off.intersection(previous.occurrences))
    return _Contents(_without(event, step.excluded), previous, planning.past.reason(known.since))


def _without(event: Event, days: Collection[datetime]) -> Event:
    """The event as readers see it who are not invited on these days."""
    if not days:
        return event
    return replace(event, exdates=tuple(sorted({*event.exdates, *days})))


def _of_occurrence(
    planning: _Planning, step: Step, identity: RecurrenceId, known: Known
) -> _Contents:
    present = planning.present
    override = present.overrides.get(identity)
    if override is None or step.plain:
        return _Contents(_plain(present.event, identity))
    occurrence = present.occurrence(identity.when)
    if step.method is Method.CANCEL:
        return _Contents(occurrence, comment=override.comment if override.is_cancelled else "")
    return _Contents(occurrence, _previous_one(planning.past, identity.when, known))


def _previous_one(past: Past, when: datetime, known: Known) -> Event | None:
    """The occurrence as the reader has it."""
    if known.alone:
        return past.occurrence(when, known.since)
    whole = past.whole(known.since)
    return plain_occurrence(whole, when) if whole else None


def _plain(event: Event, identity: RecurrenceId) -> Event:
    """The occurrence with the series' own values, though the series may not have it any more."""
    occurrence = plain_occurrence(event, identity.when)
    if identity == RecurrenceId.of(event, identity.when):
        return occurrence
    tzid, is_day = identity.tzid or event.tzid, not identity.tzid
    end = identity.when + _DAY if is_day and not event.all_day else occurrence.end
    return replace(occurrence, end=end, tzid=tzid, all_day=is_day, part_of=None)


def _ends_at(event: Event, step: Step) -> datetime:
    return event.ends_at if step.recurrence_id is None else event.instant(event.end)
