"""recurring-ical-events on icalendar: Home Assistant, Open Web Calendar."""

from collections.abc import Sequence
from datetime import date
from importlib.metadata import version

import recurring_ical_events
from icalendar import Calendar

from tests.interop.answers import Answer, answer, each, moment


class RecurringIcalEvents:
    """Prefers zoneinfo to the message where it knows the TZID; evaluates the VTIMEZONE where not."""

    name = "recurring-ical-events"
    knows_zones = True
    needs_names = False

    def version(self) -> str:
        """Return both versions."""
        return f"{version('recurring-ical-events')}, icalendar {version('icalendar')}"

    def read(self, calendars: Sequence[str]) -> list[Answer]:
        """Expand each calendar."""
        return each(_read, calendars)


def _read(calendar: str) -> Answer:
    found = recurring_ical_events.of(Calendar.from_ical(calendar)).between(
        date(1970, 1, 1), date(2100, 1, 1)
    )
    return answer((moment(event.start), moment(event.end)) for event in found)
