"""Drop what is needed no longer: the bytes of old mails, and old counts of calls.

Who got what, when, and the mail server's replies stay.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from meetings.models import CallCount, Delivery, MailBytes
from meetings.models.delivery import OPEN
from meetings.rate import Rate

BATCH = 500
_HOUR = timedelta(hours=1)


def drop_old() -> None:
    """Drop all that is old."""
    drop_old_bytes()
    drop_old_counts()


def drop_old_bytes() -> int:
    """Drop the bytes of finished mails older than MEETINGS_KEEP_BYTES_DAYS; 0 keeps all.

    Return of how many mails.
    """
    if not settings.MEETINGS_KEEP_BYTES_DAYS:
        return 0
    dropped = 0
    while batch := _drop_batch(timedelta(days=settings.MEETINGS_KEEP_BYTES_DAYS)):
        dropped += batch
    return dropped


def drop_old_counts() -> int:
    """Drop the counts of windows that began more than an hour ago and are over.

    Return how many. One query.
    """
    window = timedelta(seconds=Rate.read(settings.MEETINGS_RATE).seconds)
    old = CallCount.objects.filter(window_start__lt=Now() - max(window, _HOUR))
    return old.delete()[0]


def _drop_batch(age: timedelta) -> int:
    is_open = Delivery.objects.filter(mail=OuterRef("mail"), state__in=OPEN)
    old = MailBytes.objects.filter(~Exists(is_open), mail__created_at__lt=Now() - age)
    ids = list(old.order_by("mail_id").values_list("mail_id", flat=True)[:BATCH])
    return MailBytes.objects.filter(mail_id__in=ids).delete()[0]
