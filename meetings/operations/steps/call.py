"""A call: who asks, for what, and whether the stored meeting allows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from meetings.itip.edit import Edit
from meetings.itip.event import Event
from meetings.itip.guests import require_organizer
from meetings.itip.message import Note
from meetings.itip.moment import Moment
from meetings.itip.occurrence import find_occurrence, require_occurrence
from meetings.models import ApiKey, Client
from meetings.models.outbox.look import Look, Stored
from meetings.operations.steps.errors import Conflict, SenderNotPermitted, UnknownMeeting


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
    """Mail the current version again: to everybody, to one address, or what is outstanding."""

    uid: str
    to: str = ""
    only_failed: bool = False


def stored_for_change(found: Look, actor: Actor, command: Change) -> Stored:
    """Return the meeting that ``command`` is about, for an actor who may change it.

    Raises UnknownMeeting, SenderNotPermitted, OrganizerMismatch.
    """
    if command.sender is not None:
        actor.require_sender(command.sender)
    if found.stored is None:
        raise UnknownMeeting(command.uid)
    event = found.stored.event
    actor.require_sender(event.organizer.address)
    if command.sender is not None:
        require_organizer(event, command.sender)
    return found.stored


def require_not_cancelled(event: Event) -> None:
    """Raise Conflict for a cancelled meeting.

    Its uid is never used again (RFC 5546 §3.2.5, interop S8).
    """
    if event.is_cancelled:
        message = "This meeting was cancelled, which is final: send a new one under a new uid."
        raise Conflict("uid", message)


def meant_occurrence(series: Event, moment: Moment) -> datetime:
    """Return the wall-clock start that the rule gives the occurrence at ``moment``.

    Raises InvalidProperty where there is none, OccurrenceCancelled where it was cancelled.
    """
    when = find_occurrence(series, moment)
    require_occurrence(series, when)
    return when
