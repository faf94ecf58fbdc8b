"""What a caller wants changed in an event, and the event with it.

All that concerns more than one property is decided here: the zone, the order of the times, the
recurrence.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime, time, timedelta
from enum import Enum
from typing import Final

from meetings.itip.errors import InvalidProperty
from meetings.itip.event import Attendee, Event, Organizer
from meetings.itip.message import Note, NoteKind
from meetings.itip.moment import Moment
from meetings.itip.recurrence.exdates import excluded
from meetings.itip.recurrence.expansion import first_match, occurrences
from meetings.itip.recurrence.limits import check_series, check_wall_clock
from meetings.itip.recurrence.parts import RuleParts
from meetings.itip.recurrence.rule import Rule
from meetings.itip.recurrence.templates import lacks_day_in_some_month, rule_of


class Unchanged(Enum):
    """The type of UNCHANGED."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED
"""Stands for a property that keeps its stored value. None means that the property is taken away."""

_EPOCH: Final = datetime(1970, 1, 1)
_PLAIN: Final = ("summary", "description", "location", "reminder", "attendees")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The properties that a caller gave.

    ``tzid`` is an IANA name, ``reminder`` is in minutes before the start. An all-day ``end`` is the
    last day, inclusive.
    """

    summary: str | Unchanged = UNCHANGED
    description: str | Unchanged = UNCHANGED
    location: str | Unchanged = UNCHANGED
    reminder: int | Unchanged | None = UNCHANGED
    attendees: tuple[Attendee, ...] | Unchanged = UNCHANGED
    start: Moment | Unchanged = UNCHANGED
    end: Moment | Unchanged = UNCHANGED
    tzid: str | Unchanged = UNCHANGED
    recurrence: RuleParts | Unchanged | None = UNCHANGED

    @property
    def given(self) -> frozenset[str]:
        """The names of the properties that were given."""
        named = (field.name for field in fields(self))
        return frozenset(name for name in named if getattr(self, name) is not UNCHANGED)


@dataclass(frozen=True, slots=True)
class Edited:
    """An event with an edit applied, and what there is to warn about."""

    event: Event
    notes: tuple[Note, ...] = ()


def new_event(edit: Edit, *, uid: str, organizer: Organizer, tzid: str) -> Edited:
    """Return the new event that ``edit`` describes; ``tzid`` is the zone where it names none.

    Raises InvalidProperty for what no calendar can represent.
    """
    blank = Event(
        uid=uid,
        summary="",
        start=_EPOCH,
        end=_EPOCH,
        tzid=tzid,
        organizer=organizer,
        attendees=(),
    )
    return apply(edit, blank)


def apply(edit: Edit, stored: Event) -> Edited:
    """Return ``stored`` with ``edit`` applied. Raises InvalidProperty as ``new_event`` does."""
    plain = {name: getattr(edit, name) for name in _PLAIN if name in edit.given}
    event = replace(stored, **plain)
    if not edit.given & {"start", "end", "tzid", "recurrence"}:
        return Edited(event)
    if stored.recurrence_id is not None:
        _require_same_kind(edit, stored)
    event = _with_times(edit, event)
    parts = edit.recurrence
    if parts is UNCHANGED:
        if event.rule is None:
            return Edited(_once(event))
        rule = _with_moved_until(event.rule, stored.start, event.start)
        return _moved_series(edit, event, rule)
    return _new_series(event, parts) if parts else Edited(_once(event))


def _with_times(edit: Edit, event: Event) -> Event:
    tzid = event.tzid if edit.tzid is UNCHANGED else edit.tzid
    start, end = edit.start, edit.end
    all_day = event.all_day if start is UNCHANGED else start.is_date
    if all_day is not (event.all_day if end is UNCHANGED else end.is_date):
        raise InvalidProperty("DTEND", "The start and the end must both be times, or both dates.")
    new_start = event.start if start is UNCHANGED else start.exact_wall_clock(tzid, "DTSTART")
    new_end = event.end if end is UNCHANGED else _exclusive_end(end, tzid)
    if new_end <= new_start:
        message = f"The end must be after the start, {new_start:%Y-%m-%d %H:%M}."
        raise InvalidProperty("DTEND", message)
    return replace(event, start=new_start, end=new_end, tzid=tzid, all_day=all_day)


def _exclusive_end(end: Moment, tzid: str) -> datetime:
    """Callers give the last day of an all-day event; DTEND is the day after (RFC 5545 §3.6.1)."""
    return end.exact_wall_clock(tzid, "DTEND") + timedelta(days=end.is_date)


def _once(event: Event) -> Event:
    if not event.all_day:
        check_wall_clock("DTSTART", event.start, event.tzid)
        check_wall_clock("DTEND", event.end, event.tzid)
    return replace(event, rule=None, exdates=())


def _new_series(event: Event, parts: RuleParts) -> Edited:
    rule = rule_of(parts, start=event.start, tzid=event.tzid, all_day=event.all_day)
    notes = (Note(NoteKind.DAY_NOT_IN_EVERY_MONTH, rule=rule),)
    exdates: tuple[datetime, ...] = ()
    if parts.exdates:
        series = occurrences(rule, event.start)
        exdates = excluded(parts.exdates, series, tzid=event.tzid, all_day=event.all_day)
    series_event = _series(replace(event, exdates=exdates), rule)
    return Edited(series_event, notes if lacks_day_in_some_month(rule) else ())


def _moved_series(edit: Edit, event: Event, rule: Rule) -> Edited:
    """The stored rule with another time or zone.

    The days left out were named by their old times. With a new start none is left out any more
    (interop R15).
    """
    notes = []
    if event.exdates and edit.start is not UNCHANGED:
        notes.append(Note(NoteKind.EXDATES_DROPPED))
        event = replace(event, exdates=())
    series = _series(event, rule)
    if series.start != event.start:
        notes.append(Note(NoteKind.START_MOVED_TO_RULE, start=series.start, rule=rule))
    return Edited(series, tuple(notes))


def _with_moved_until(rule: Rule, old_start: datetime, new_start: datetime) -> Rule:
    """The rule with an UNTIL that keeps the same days at another time of day.

    Without it, a series until 22 March 10:00 would lose its last day when it is moved to 11:00.
    """
    if rule.until is None:
        return rule
    moved = _time_of_day(new_start) - _time_of_day(old_start)
    return replace(rule, until=rule.until + moved)


def _time_of_day(moment: datetime) -> timedelta:
    return moment - datetime.combine(moment, time())


def _require_same_kind(edit: Edit, stored: Event) -> None:
    """Outlook cannot represent an all-day occurrence in a timed series, nor the reverse."""
    if edit.start is UNCHANGED or edit.start.is_date is stored.all_day:
        return
    wanted = "a day, such as 2027-03-01" if stored.all_day else "a time, such as 2027-03-01 10:00"
    raise InvalidProperty("DTSTART", f"An occurrence stays as its series is: give {wanted}.")


def _series(event: Event, rule: Rule) -> Event:
    """The series, its start moved to the first match, its end moved along (interop R1)."""
    start = first_match(rule, event.start)
    end = event.end + (start - event.start)
    series = replace(event, rule=rule, start=start, end=end)
    # What became of single occurrences is void where the days are others (interop R15).
    starts = occurrences(rule, start, exdates=series.exdates)
    check_series(starts, duration=series.duration, tzid=series.tzid, all_day=series.all_day)
    return series
