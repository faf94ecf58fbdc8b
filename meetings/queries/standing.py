"""What a call is told: where the current version stands with each person."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from meetings.itip.event import Event
from meetings.models import Delivery, DeliveryState, Meeting

# A person may get several messages of one version (the series, and an occurrence that differs): the
# worst counts.
_WORST_FIRST = (
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.SUPERSEDED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The outcome of a call. ``recipients`` maps each address to its delivery's state; ``error`` is
    one sentence.

    ``sent``: a mail server accepted some mail for at least one person. ``occurrences`` are the
    wall-clock starts of the meeting as it is now; ``new_uid`` is that of the series that goes on,
    when the call made one.
    """

    uid: str
    sequence: int
    recipients: dict[str, DeliveryState]
    sent: bool
    occurrences: tuple[datetime, ...] = ()
    all_day: bool = False
    error: str = ""
    new_uid: str = ""

    @property
    def pending(self) -> bool:
        """Whether something is still to be sent in the background."""
        return any(
            state in (DeliveryState.QUEUED, DeliveryState.SENDING)
            for state in self.recipients.values()
        )


def receipt_for(meeting: Meeting, event: Event, continued: Meeting | None = None) -> Receipt:
    """The receipt of the meeting's current version, ``event``, and of the series that goes on. One
    query for each.
    """
    deliveries = newest_deliveries(meeting) + (newest_deliveries(continued) if continued else [])
    replies = [
        delivery.last_reply for delivery in deliveries if delivery.state == DeliveryState.FAILED
    ]
    return Receipt(
        uid=meeting.uid,
        sequence=meeting.sequence,
        recipients=_worst(deliveries),
        sent=any(delivery.state == DeliveryState.SENT for delivery in deliveries),
        occurrences=event.occurrences,
        all_day=event.all_day,
        error=f"Nobody's mail was accepted: {replies[0] or 'the mail server gave no reason'}"
        if replies
        else "",
        new_uid=continued.uid if continued else "",
    )


def newest_deliveries(meeting: Meeting) -> list[Delivery]:
    """For each person the deliveries of the newest messages of the current version, in order. One
    query.
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
