"""The background, and time, which passes in tests only by moving columns back."""

from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now

from meetings.models import Attendee, MailServer, Meeting, Sender
from meetings.operations.work import adopt_orphans, work


def deliver() -> None:
    """Work off what is due, as ``manage.py deliver_mail --once`` does."""
    adopt_orphans()
    while work():
        pass


def deliver_later() -> None:
    """Let the time of the next try come, and deliver."""
    Attendee.objects.filter(retry_at__isnull=False).update(retry_at=Now())
    Meeting.objects.filter(due_at__isnull=False).update(due_at=Now())
    MailServer.objects.update(paused_until=None)
    deliver()


def pass_time(**period: float) -> None:
    """Let this much time have passed since people were to be told, and since their last tries."""
    gone = timedelta(**period)
    Attendee.objects.update(asked_at=F("asked_at") - gone, retry_at=F("retry_at") - gone)
    Meeting.objects.update(due_at=F("due_at") - gone)
    MailServer.objects.update(
        paused_until=F("paused_until") - gone, next_slot=F("next_slot") - gone
    )


def end_leases() -> None:
    """Let the leases of all senders have ended."""
    Sender.objects.update(alive_until=Now() - timedelta(seconds=1))
