"""What is stored: Alice's meeting of the cast after a story, its people and its deliveries."""

from typing import Any

from django.conf import settings

from meetings.models import Attendee, Delivery, Meeting
from tests.support import stories


def sent(**changes: Any) -> Meeting:
    """The meeting with ``changes``, sent."""
    standing = stories.send(language=settings.MEETINGS_LANGUAGE, **changes)
    return Meeting.objects.get(uid=standing.uid)


def updated(stored: Meeting, **changes: Any) -> Meeting:
    """``stored`` after an update."""
    stories.update(stored.uid, **changes)
    return Meeting.objects.get(pk=stored.pk)


def cancelled(stored: Meeting) -> Meeting:
    """``stored`` after its cancellation."""
    stories.cancel(stored.uid)
    return Meeting.objects.get(pk=stored.pk)


def states() -> list[str]:
    """The states of all deliveries, in order."""
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def states_by_person() -> dict[str, list[str]]:
    """The states of each person's deliveries, oldest first, by address."""
    found: dict[str, list[str]] = {}
    rows = Delivery.objects.order_by("pk").values_list("attendee__address", "state")
    for address, state in rows:
        found.setdefault(address, []).append(state)
    return found


def row_of(address: str) -> Attendee:
    """The person's row."""
    return Attendee.objects.get(address=address)
