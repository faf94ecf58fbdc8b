"""A call: who asks, and for what."""

from dataclasses import dataclass
from typing import Self

from meetings.itip.edit import Edit
from meetings.itip.event import Event
from meetings.itip.message import Note
from meetings.itip.moment import Moment
from meetings.models import ApiKey, Client, Meeting
from meetings.models.meeting import MeetingQuerySet
from meetings.operations.steps.errors import SenderNotPermitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks. ``name`` is for the record.

    An actor acts on the meetings of one ``client``. A program speaks for the senders that its
    ``api_key`` lists. Without a key, on a developer's machine, it speaks for every sender. So does
    an operator, who may act on the meetings of each client.
    """

    name: str
    client: Client
    api_key: ApiKey | None = None

    @classmethod
    def of_key(cls, api_key: ApiKey) -> Self:
        """Return the program that calls with ``api_key``."""
        return cls(name=f"key {api_key.name}", client=api_key.client, api_key=api_key)

    @classmethod
    def local(cls, client: Client) -> Self:
        """Return a program on this machine that calls without a key."""
        return cls(name="this machine", client=client)

    @classmethod
    def operator(cls, name: str, client: Client) -> Self:
        """Return a person who acts on a meeting of ``client``."""
        return cls(name=name, client=client)

    @property
    def meetings(self) -> MeetingQuerySet:
        """The meetings that the actor may know of."""
        return Meeting.objects.of(self.client)

    def turn_on(self, uid: str) -> str:
        """Return what the turn on the meeting ``uid`` is called. Another client's is another."""
        return f"{self.client.pk} {uid}"

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
