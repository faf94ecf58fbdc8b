"""Where the mails of a meeting's current version stand: for each person the deliveries of the
newest messages.
"""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Count, Exists, F, OuterRef
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from meetings.models import Delivery, DeliveryState, Meeting
from meetings.models.delivery import DeliveryQuerySet

Standing = Counter[DeliveryState]

# Worst first: that is what an operator looks for.
_ORDER = (
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.SUPERSEDED,
)


def current_deliveries() -> DeliveryQuerySet:
    """For each person of each meeting the deliveries of the current version's newest messages."""
    current = Delivery.objects.filter(mail__version__sequence=F("meeting__sequence"))
    newer = current.filter(
        meeting=OuterRef("meeting"),
        address_key=OuterRef("address_key"),
        mail__dtstamp__gt=OuterRef("mail__dtstamp"),
    )
    return current.filter(~Exists(newer)).order_by()


def standings(meetings: Iterable[Meeting]) -> dict[int, Standing]:
    """By meeting, how many of its people's mails are in which state. One query."""
    found: dict[int, Standing] = {meeting.pk: Counter() for meeting in meetings}
    rows = (
        current_deliveries()
        .filter(meeting__in=found)
        .values_list("meeting", "state")
        .annotate(count=Count("pk"))
    )
    for meeting, state, count in rows:
        found[meeting][DeliveryState(state)] += count
    return found


def chip(state: str, text: str = "") -> SafeString:
    """``text``, or the state's own name, coloured as the state."""
    return format_html('<span class="chip {}">{}</span>', state, text or state)


def standing_chips(standing: Standing) -> SafeString:
    """``2 failed`` ``7 sent``."""
    shown = [
        (state.value, f"{standing[state]} {state.label}") for state in _ORDER if standing[state]
    ]
    return format_html_join(" ", '<span class="chip {}">{}</span>', shown) or SafeString("–")
