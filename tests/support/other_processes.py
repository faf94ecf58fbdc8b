"""Other processes that send, as their rows have them."""

from datetime import timedelta

from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from meetings.models import Sender


def _ago(seconds: float | None) -> CombinedExpression | None:
    return None if seconds is None else Now() - timedelta(seconds=seconds)


def another_process(
    *, served_ago: float | None = None, replied_ago: float | None = None, alive: bool = True
) -> Sender:
    """One that last had a connection, or a reply, so many seconds ago; None for never."""
    return Sender.objects.create(
        kind="web",
        host="b",
        alive_until=Now() + timedelta(seconds=60 if alive else -60),
        served_at=_ago(served_ago),
        replied_at=_ago(replied_ago),
    )
