"""Deliveries of the current version. Of the mails to one recipient, the newest counts."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Count, Exists, F, OuterRef

from meetings.models import Delivery, DeliveryState, Meeting
from meetings.models.delivery import DeliveryQuerySet
from meetings.queries.standing import newest_deliveries

StateCounts = Counter[DeliveryState]


def current_deliveries() -> DeliveryQuerySet:
    """The deliveries of each recipient's newest mail of the current version, for all meetings."""
    current = Delivery.objects.filter(mail__version__sequence=F("meeting__sequence"))
    newer = current.filter(
        meeting=OuterRef("meeting"),
        address_key=OuterRef("address_key"),
        mail__dtstamp__gt=OuterRef("mail__dtstamp"),
    )
    return current.filter(~Exists(newer)).order_by()


def count_states(meetings: Iterable[Meeting]) -> dict[int, StateCounts]:
    """Count the current deliveries by state, for each meeting's primary key. One query."""
    counts: dict[int, StateCounts] = {meeting.pk: Counter() for meeting in meetings}
    rows = (
        current_deliveries()
        .filter(meeting__in=counts)
        .values_list("meeting", "state")
        .annotate(count=Count("pk"))
    )
    for meeting, state, count in rows:
        counts[meeting][DeliveryState(state)] += count
    return counts


def last_deliveries(meeting: Meeting) -> list[Delivery]:
    """The deliveries that the last cancel or resend of the meeting made."""
    meeting = Meeting.objects.get(pk=meeting.pk)  # as that operation left it
    # A resend may go to some recipients only. The newest mail of the others has an older DTSTAMP.
    return [
        delivery
        for delivery in newest_deliveries(meeting)
        if delivery.mail.dtstamp == meeting.dtstamp
    ]
