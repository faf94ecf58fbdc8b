"""How much waits to be told, for monitoring. All by small indexes: nothing counts a big table."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import Case, Count, F, Min, Q, Sum, When
from django.db.models.functions import Coalesce, Extract, Now

from meetings.models import Attendee, Delivery, DeliveryState, MailServer, Meeting, Pause, Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """``due`` meetings, and for how many seconds the oldest has been ``overdue``.

    ``waiting`` are the meetings of which somebody is to be told something, now or later. Together
    with ``sending`` it is 0 only where nothing is left.

    ``sending`` deliveries are in the hands of a sender, living or dead. ``senders`` are the living
    ones. A process becomes one with its first mail and stays one while it renews its lease, so a
    mail loop that had nothing to send yet is none. ``in_back_off`` and ``outstanding`` count
    people: those who are tried again later, and those who were given up. ``connections`` to the
    mail server were in use when the senders last said that they live. It is left alone until
    ``server_paused_until`` (ISO 8601, UTC); ``server_hangs`` counts the transactions in which it
    fell silent, since it last replied.
    """

    waiting: int
    due: int
    overdue: float | None
    sending: int
    in_back_off: int
    outstanding: int
    senders: int
    is_paused: bool
    connections: int
    server_paused_until: str | None
    server_hangs: int


def backlog() -> Backlog:
    """Count what waits, as of one moment. Seven queries."""
    if connection.in_atomic_block:
        return _backlog()
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Else what moves on between two queries could be in none of them.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return _backlog()


def _backlog() -> Backlog:
    due = Meeting.objects.filter(due_at__lte=Now()).aggregate(
        count=Count("pk"), overdue=Extract(Now() - Min("due_at"), "epoch")
    )
    people = Attendee.objects.filter(
        Q(retry_at__isnull=False) | Q(failed_sequence__isnull=False)
    ).aggregate(in_back_off=Count("retry_at"), outstanding=Count("failed_sequence"))
    overdue = due["overdue"]
    senders = Sender.objects.filter(alive_until__gt=Now()).aggregate(
        count=Count("pk"), connections=Coalesce(Sum("connections"), 0)
    )
    hangs, paused_until = _mail_server()
    return Backlog(
        waiting=Meeting.objects.filter(due_at__isnull=False).count(),
        due=due["count"],
        overdue=None if overdue is None else float(overdue),
        sending=Delivery.objects.filter(state=DeliveryState.SENDING).count(),
        in_back_off=people["in_back_off"],
        outstanding=people["outstanding"],
        senders=senders["count"],
        is_paused=Pause.objects.exists(),
        connections=senders["connections"],
        server_paused_until=_utc(paused_until),
        server_hangs=hangs,
    )


def _mail_server() -> tuple[int, datetime | None]:
    """How often it hung, and until when it is left alone: by PostgreSQL's clock."""
    paused_until = Case(When(paused_until__gt=Now(), then=F("paused_until")))
    return MailServer.objects.values_list("hangs", paused_until).first() or (0, None)


def _utc(time: datetime | None) -> str | None:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if time else None
