"""How much waits to be told, for monitoring. All by small indexes: nothing counts a big table."""

from dataclasses import dataclass

from django.db.models import Count, Min, Q
from django.db.models.functions import Extract, Now

from meetings.models import Attendee, Delivery, DeliveryState, Meeting, Pause, Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """``due`` meetings, and for how many seconds the oldest has been ``overdue``.

    ``sending`` deliveries are in the hands of a sender, living or dead. ``senders`` are the living
    ones. A process becomes one with its first mail and stays one while it renews its lease, so a
    mail loop that had nothing to send yet is none. ``in_back_off`` and ``outstanding`` count
    people: those who are tried again later, and those who were given up.
    """

    due: int
    overdue: float | None
    sending: int
    in_back_off: int
    outstanding: int
    senders: int
    is_paused: bool


def backlog() -> Backlog:
    """Count what waits. Four queries."""
    due = Meeting.objects.filter(due_at__lte=Now()).aggregate(
        count=Count("pk"), overdue=Extract(Now() - Min("due_at"), "epoch")
    )
    people = Attendee.objects.filter(
        Q(retry_at__isnull=False) | Q(failed_sequence__isnull=False)
    ).aggregate(in_back_off=Count("retry_at"), outstanding=Count("failed_sequence"))
    overdue = due["overdue"]
    return Backlog(
        due=due["count"],
        overdue=None if overdue is None else float(overdue),
        sending=Delivery.objects.filter(state=DeliveryState.SENDING).count(),
        in_back_off=people["in_back_off"],
        outstanding=people["outstanding"],
        senders=Sender.objects.filter(alive_until__gt=Now()).count(),
        is_paused=Pause.objects.exists(),
    )
