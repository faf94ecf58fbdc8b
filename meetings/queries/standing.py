"""What a call is told: where the current version stands with each person."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from meetings.itip.event import Event
from meetings.itip.message import Note
from meetings.models import Delivery, DeliveryState, Meeting

# A person may get several mails of one version: the series, and an occurrence that differs. The
# worst counts.
_WORST_FIRST = (
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.SUPERSEDED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What became of a call. ``recipients`` maps each address to its delivery's state.

    ``sent``: a mail server accepted the mail for at least one person. ``error`` is one sentence.
    ``occurrences`` are the wall-clock starts of the meeting as it is now. ``new_uid`` is that of
    the series that goes on, where the call made one. ``notes`` are what the caller should know.
    """

    uid: str
    sequence: int
    recipients: dict[str, DeliveryState]
    sent: bool
    occurrences: tuple[datetime, ...] = ()
    all_day: bool = False
    error: str = ""
    new_uid: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether something is still to be sent in the background."""
        pending = (DeliveryState.QUEUED, DeliveryState.SENDING)
        return any(state in pending for state in self.recipients.values())


def standing_of(
    meeting: Meeting,
    event: Event,
    continuation: Meeting | None = None,
    *,
    notes: tuple[Note, ...] = (),
) -> Standing:
    """Return how the meeting's current version, ``event``, stands, and its continuation's.

    One query for each meeting.
    """
    deliveries = newest_deliveries(meeting)
    if continuation:
        deliveries += newest_deliveries(continuation)
    return Standing(
        uid=meeting.uid,
        sequence=meeting.sequence,
        recipients=_worst(deliveries),
        sent=any(delivery.state == DeliveryState.SENT for delivery in deliveries),
        occurrences=event.occurrences,
        all_day=event.all_day,
        error=_error(deliveries),
        new_uid=continuation.uid if continuation else "",
        notes=notes,
    )


def _error(deliveries: list[Delivery]) -> str:
    failed = (each for each in deliveries if each.state == DeliveryState.FAILED)
    first = next(failed, None)
    if first is None:
        return ""
    reply = first.last_reply or "the mail server gave no reason"
    return f"The mail server accepted the mail for no recipient: {reply}"


def newest_deliveries(meeting: Meeting) -> list[Delivery]:
    """Return each person's deliveries of the newest mails of the current version, in order.

    One query.
    """
    current = meeting.deliveries.filter(mail__version__sequence=meeting.sequence)
    rows = list(current.select_related("mail").defer("mail__raw").order_by("address_key", "pk"))
    newest: list[Delivery] = []
    for _, group in groupby(rows, key=lambda row: row.address_key):
        own = list(group)
        last = max(row.mail.dtstamp for row in own)
        newest.extend(row for row in own if row.mail.dtstamp == last)
    return sorted(newest, key=lambda row: row.pk)


def _worst(deliveries: list[Delivery]) -> dict[str, DeliveryState]:
    states: dict[str, DeliveryState] = {}
    for delivery in deliveries:
        state = DeliveryState(delivery.state)
        states[delivery.address] = min(
            state, states.get(delivery.address, state), key=_WORST_FIRST.index
        )
    return states
