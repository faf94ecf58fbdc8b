"""recurring-ical-events on icalendar, as in Home Assistant and Open Web Calendar."""

from collections.abc import Sequence
from datetime import date
from importlib.metadata import version

import recurring_ical_events
from icalendar import Calendar

from tests.interop.readings import Reading, moment, read_each, reading


class RecurringIcalEvents:
    """Uses zoneinfo if that knows the TZID, and evaluates the VTIMEZONE if not."""

    name = "recurring-ical-events"
    knows_zones = True
    needs_names = False

    def version(self) -> str:
        """Return both versions."""
        return f"{version('recurring-ical-events')}, icalendar {version('icalendar')}"

    def read(self, calendars: Sequence[str]) -> list[Reading]:
        """Expand each calendar."""
        return read_each(_read, calendars)


def _read(calendar: str) -> Reading:
    found = recurring_ical_events.of(Calendar.from_ical(calendar)).between(
        date(1970, 1, 1), date(2100, 1, 1)
    )
    return reading((moment(event.start), moment(event.end)) for event in found)
