"""What LOOK reads of each person: their row, their open deliveries and the mails of these."""

from dataclasses import dataclass
from datetime import datetime

from meetings.itip.message import Method
from meetings.itip.told import Person, RecurrenceId
from meetings.models.delivery import DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMail:
    """What a mail tells. ``recurrence_id`` is None for a mail about the whole."""

    id: int
    sequence: int
    method: Method
    recurrence_id: RecurrenceId | None
    excluded: tuple[datetime, ...]
    plain: bool
    compared_with: int | None
    stamp: datetime
    ends_at: datetime
    envelope_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDelivery:
    """A delivery that may still become a mail. ``is_alive``: its sender lives and is at it.

    ``free_ends`` are the attempts that said nothing of this mail.
    """

    id: int
    state: DeliveryState
    attempt: int
    unknown_ends: int
    free_ends: int
    is_alive: bool
    mail: StoredMail

    @property
    def is_orphan(self) -> bool:
        """Whether its sender died with it in hand."""
        return self.state is DeliveryState.SENDING and not self.is_alive


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """A person's row. ``id`` is None for one who is new. Times are aware."""

    id: int | None
    person: Person
    position: int
    listed: bool
    asked_at: datetime | None = None
    told_at: datetime | None = None
    failed_sequence: int | None = None
    retry_at: datetime | None = None
    last_reply: str = ""
    open: tuple[OpenDelivery, ...] = ()

    @property
    def is_being_sent(self) -> bool:
        """Whether a living sender is at a mail to this person."""
        return any(delivery.is_alive for delivery in self.open)

    @property
    def has_dead_sender(self) -> bool:
        """Whether a sender died with a mail to this person in hand."""
        return any(delivery.is_orphan for delivery in self.open)

    def is_sent_before(self, sequence: int) -> bool:
        """Whether a mail that is leaving is of an older version than ``sequence``."""
        return any(each.is_alive and each.mail.sequence < sequence for each in self.open)
