"""A call: who asks, and for what."""

from dataclasses import dataclass
from typing import Self

from meetings.itip.edit import Edit
from meetings.itip.event import Event
from meetings.itip.message import Note
from meetings.itip.moment import Moment
from meetings.models import ApiKey, Meeting
from meetings.models.meeting import MeetingQuerySet
from meetings.operations.steps.errors import SenderNotPermitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks. ``name`` is for the record.

    A program sees the meetings that were made with its ``api_key``, and speaks for the senders that
    the key lists. On a developer's machine a program may have no key; it sees the meetings that
    were made without one. ``sees_all`` marks an operator.
    """

    name: str
    api_key: ApiKey | None = None
    sees_all: bool = False

    @classmethod
    def of_key(cls, api_key: ApiKey | None) -> Self:
        """Return the program that calls with ``api_key``."""
        return cls(name=f"key {api_key.name}" if api_key else "this machine", api_key=api_key)

    @classmethod
    def operator(cls, name: str) -> Self:
        """Return a person who may act on every meeting."""
        return cls(name=name, sees_all=True)

    @property
    def meetings(self) -> MeetingQuerySet:
        """The meetings that the actor may know of."""
        return Meeting.objects.all() if self.sees_all else Meeting.objects.of(self.api_key)

    def require_sender(self, address: str) -> None:
        """Raise SenderNotPermitted unless the actor may speak for the organizer ``address``."""
        if self.api_key is not None and not self.api_key.may_speak_for(address):
            raise SenderNotPermitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send a new meeting. ``notes`` are what was noticed when the event was made."""

    event: Event
    language: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What update and cancel have in common.

    ``sender`` must be the stored organizer's address, where it is given. ``occurrence`` means one
    occurrence of a series; with ``and_future`` it means that one and all later ones. ``language``
    is that of the mail; None means the meeting's.
    """

    uid: str
    sender: str | None = None
    occurrence: Moment | None = None
    and_future: bool = False
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Change):
    """Change a meeting."""

    edit: Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Change):
    """Cancel a meeting. The mail shows the ``reason``."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """Mail the current version again: to everybody, to one address, or to the failed ones."""

    uid: str
    to: str = ""
    only_failed: bool = False
