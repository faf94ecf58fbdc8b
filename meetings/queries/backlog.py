"""How many deliveries are in which state, for monitoring."""

from dataclasses import dataclass

from django.db.models import Count, Min
from django.db.models.functions import Extract, Now

from meetings.models import Delivery, DeliveryState


@dataclass(frozen=True, slots=True)
class Backlog:
    """The number of deliveries in each state, and the age of the oldest queued one in seconds."""

    counts: dict[DeliveryState, int]
    oldest_queued: float | None


def backlog() -> Backlog:
    """Count all deliveries. One query that reads the whole table, so not for every call."""
    rows = (
        Delivery.objects.order_by()
        .values("state")
        .annotate(count=Count("pk"), age=Extract(Now() - Min("created_at"), "epoch"))
    )
    found = {row["state"]: row for row in rows}
    queued = found.get(DeliveryState.QUEUED)
    return Backlog(
        counts={state: found[state]["count"] if state in found else 0 for state in DeliveryState},
        oldest_queued=float(queued["age"]) if queued else None,
    )
