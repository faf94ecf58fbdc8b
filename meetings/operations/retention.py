"""Drop the bytes of old mails. Who got what, when, and the mail server's replies stay."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from meetings.models import Delivery, Mail
from meetings.models.delivery import LIVE

BATCH = 500


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


def _drop_batch(age: timedelta) -> int:
    live = Delivery.objects.filter(mail=OuterRef("pk"), state__in=LIVE)
    old = Mail.objects.filter(~Exists(live), raw__isnull=False, created_at__lt=Now() - age)
    return Mail.objects.filter(
        pk__in=list(old.order_by("created_at").values_list("pk", flat=True)[:BATCH])
    ).update(raw=None)
