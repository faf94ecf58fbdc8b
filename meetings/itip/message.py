"""A version of a meeting, and the iTIP messages that tell people of it (RFC 5546 §1.4)."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from meetings.itip.event import Attendee, Event
from meetings.itip.recurrence.rule import Rule


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
    is the event as the recipients know it, where this REQUEST changes it. ``comment`` is the
    organizer's reason for a CANCEL.
    """

    method: Method
    event: Event
    recipients: tuple[Attendee, ...]
    dtstamp: datetime
    uninvites: bool = False
    previous: Event | None = None
    comment: str = ""

    @property
    def attendees(self) -> tuple[Attendee, ...]:
        """The ATTENDEEs that the message names."""
        return self.event.attendees if self.method is Method.REQUEST else self.recipients


class NoteKind(StrEnum):
    """What there is to warn about in a version. The interface puts it into words."""

    IN_THE_PAST = "in the past"
    ONLY_THE_ORGANIZER = "only the organizer"
    OVERRIDES_DROPPED = "overrides dropped"
    EXDATES_DROPPED = "exdates dropped"
    START_MOVED_TO_RULE = "start moved to rule"
    DAY_NOT_IN_EVERY_MONTH = "day not in every month"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to warn about.

    START_MOVED_TO_RULE has the wall-clock ``start`` and the ``rule``. DAY_NOT_IN_EVERY_MONTH has
    the ``rule``.
    """

    kind: NoteKind
    start: datetime | None = None
    rule: Rule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The event from now on, and the messages that tell people of it, in the order they must leave.

    ``dtstamp`` is that of all the messages. ``changes`` says for the record what is new: property
    name → old and new value as text. ``comment`` is the reason of a cancellation. ``notes`` say
    what the caller should know.
    """

    event: Event
    messages: tuple[Message, ...]
    dtstamp: datetime
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)
    comment: str = ""
    notes: tuple[Note, ...] = ()

    def with_notes(self, notes: tuple[Note, ...]) -> "Version":
        """Return the version with ``notes`` before its own."""
        return replace(self, notes=(*notes, *self.notes))
