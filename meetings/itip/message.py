"""One iTIP message: which METHOD about which event goes to whom (RFC 5546 §1.4)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meetings.itip.event import Attendee, Event


class Method(StrEnum):
    """The METHODs that an organizer sends (RFC 5546 §3.2); ADD and PUBLISH never (interop R14,
    M16).
    """

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What ``recipients`` are told about ``event``, at ``dtstamp`` (aware, UTC, whole seconds).

    A REQUEST shows everybody on the event's list; a CANCEL shows only its recipients (interop A3).
    ``uninvites`` marks a CANCEL that takes its recipients off a meeting that goes on. ``previous``
    is the event as the recipients know it, when this REQUEST changes it. ``comment`` is the
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
