"""States as coloured chips; ``admin.css`` has the colours."""

from django.db.models import TextChoices
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from meetings.models import DeliveryState
from meetings.queries.current import StateCounts

# An operator looks for failures first.
_ORDER = (
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.SUPERSEDED,
)


def chip(state: TextChoices) -> SafeString:
    """The state's label in the state's colour."""
    return format_html('<span class="chip {}">{}</span>', state.value.lower(), state.label)


def state_chips(counts: StateCounts) -> SafeString:
    """``2 failed`` ``7 sent``."""
    shown = [(state.value, f"{counts[state]} {state.label}") for state in _ORDER if counts[state]]
    return format_html_join(" ", '<span class="chip {}">{}</span>', shown) or SafeString("–")
