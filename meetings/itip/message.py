"""A version of a meeting, and the iTIP messages that tell people of it (RFC 5546 §1.4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from meetings.itip.event import Attendee, Event
from meetings.itip.recurrence.rule import Rule

PersonText = Mapping[str, str]
"""``address``, ``name`` and ``role`` of an attendee."""

Changes = Mapping[str, tuple[str, str] | Mapping[str, list[PersonText]]]
"""Property → old and new value as text. ATTENDEE → ``added``, ``removed`` and ``changed`` people,
each as they were, or are now. RECURRENCE-ID says which occurrence the changes are of."""


class Method(StrEnum):
    """The METHODs that an organizer sends (RFC 5546 §3.2).

    ADD and PUBLISH are never sent (interop R14, M16).
    """

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What ``recipients`` are told about ``event``, at ``dtstamp`` (aware, UTC, whole seconds).

    A REQUEST shows everybody on the event's list. A CANCEL shows only its recipients (interop A3).
    ``uninvites`` marks a CANCEL that takes its recipients off a meeting that goes on. ``previous``
    is the event as the recipients know it, where this REQUEST can be compared with it. ``comment``
    is the organizer's reason. ``again`` marks a REQUEST for people who may have had one before.
    """

    method: Method
    event: Event
    recipients: tuple[Attendee, ...]
    dtstamp: datetime
    uninvites: bool = False
    previous: Event | None = None
    comment: str = ""
    again: bool = False

    @property
    def attendees(self) -> tuple[Attendee, ...]:
        """The ATTENDEEs that the message names."""
        return self.event.attendees if self.method is Method.REQUEST else self.recipients


class NoteKind(StrEnum):
    """What there is to warn about in a version. The interface puts it into words."""

    IN_THE_PAST = "in the past"
    OCCURRENCE_IN_THE_PAST = "occurrence in the past"
    ONLY_THE_ORGANIZER = "only the organizer"
    OVERRIDES_DROPPED = "overrides dropped"
    OVERRIDES_EXCLUDED = "overrides excluded"
    EXDATES_DROPPED = "exdates dropped"
    START_MOVED_TO_RULE = "start moved to rule"
    DAY_NOT_IN_EVERY_MONTH = "day not in every month"
    PEOPLE_REMOVED = "people removed"
    ZONE_NOT_EXPRESSIBLE = "zone not expressible"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to warn about.

    START_MOVED_TO_RULE has the wall-clock ``start`` and the ``rule``. DAY_NOT_IN_EVERY_MONTH has
    the ``rule``. OVERRIDES_EXCLUDED has the ``occurrences``, as the rule gives them. PEOPLE_REMOVED
    has the ``people``. ZONE_NOT_EXPRESSIBLE has the wall-clock ``start`` of the first occurrence
    that calendars may show at a wrong time.
    """

    kind: NoteKind
    start: datetime | None = None
    rule: Rule | None = None
    people: tuple[Attendee, ...] = ()
    occurrences: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The event from now on.

    ``changes`` says what is new. ``comment`` is the organizer's reason. ``notes`` say what the
    caller should know. Who is told of the version, and by which messages, is decided when they are
    sent (``outstanding``).
    """

    event: Event
    changes: Changes = field(default_factory=dict)
    comment: str = ""
    notes: tuple[Note, ...] = ()

    def with_notes(self, notes: tuple[Note, ...]) -> "Version":
        """Return the version with ``notes`` before its own."""
        return replace(self, notes=(*notes, *self.notes))
