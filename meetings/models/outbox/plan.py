"""What one STORE writes, as a value: decided outside any transaction, from one look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from meetings.itip.event import Event
from meetings.itip.message import Changes
from meetings.itip.readers import Planned
from meetings.itip.told import Person
from meetings.models.client import Client
from meetings.models.outbox.look import Stored
from meetings.models.outbox.rows import OpenDelivery, PersonRow


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeeting:
    """Whose a new meeting is, and what it is called.

    ``continues`` is the primary key of the series that it continues, from its occurrence at the
    wall-clock time ``continues_from``.
    """

    client: Client
    uid: str
    continues: int | None = None
    continues_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """The meeting from now on, what is new in it, and who asked. ``language`` is that of mails."""

    event: Event
    changes: Changes
    comment: str
    asked_by: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonWrite:
    """A person's row as STORE leaves it.

    ``row`` has the person as they are to be, with what is possible since a sender died. ``asks``
    begins the time within which they are to be told anew. ``stamp`` is the DTSTAMP of the newest
    mail that is stored for them.
    """

    row: PersonRow
    asks: bool = False
    stamp: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMail:
    """A mail that was made: what it tells, its octets and its envelope."""

    planned: Planned
    raw: bytes
    message_id: str
    subject: str
    envelope_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When the meeting is due next: in so many ``seconds``, or ``at`` a time; never if neither."""

    seconds: float | None = None
    at: datetime | None = None


NOW = Due(seconds=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one STORE writes.

    ``stored`` is what was looked at; None for a ``new`` meeting. ``version`` is None where only
    people are brought up to date. ``again`` are open deliveries whose mail goes out once more,
    ``closed`` those whose mail is planned anew. ``unsure`` are the people with a delivery of a dead
    sender: their told occurrences are written as they are here. ``cut`` are the address keys of
    those whose later messages are left for another plan. A plan that ``is_for_some`` people only
    leaves to the others what is due for them.
    """

    stored: Stored | None
    new: NewMeeting | None = None
    version: NewVersion | None = None
    people: Sequence[PersonWrite] = ()
    mails: Sequence[NewMail] = ()
    again: Sequence[tuple[Person, OpenDelivery]] = ()
    closed: Sequence[tuple[Person, OpenDelivery]] = ()
    unsure: Sequence[PersonRow] = ()
    cut: frozenset[str] = frozenset()
    due: Due = Due()
    is_for_some: bool = False
    passed_over: bool = False

    @property
    def sends(self) -> bool:
        """Whether a sender is needed, because something goes out."""
        return bool(self.mails or self.again)

    @property
    def concerns_occurrences(self) -> bool:
        """Whether a mail may change what somebody was told of single occurrences.

        It is about one, leaves some out, or goes to somebody who was told of some.
        """
        tells = [mail.planned.step for mail in self.mails] + [each.mail for _, each in self.again]
        readers = [reader for mail in self.mails for reader in mail.planned.readers]
        readers += [person for person, _ in self.again]
        return any(each.recurrence_id or each.excluded for each in tells) or any(
            reader.occurrences for reader in readers
        )
