"""vobject, which is in Radicale and in many scripts."""

from collections.abc import Sequence
from datetime import date, datetime
from importlib.metadata import version

import vobject

from tests.interop.readings import Reading, moment, read_each, reading


class VObject:
    """Evaluates the first VTIMEZONE of a TZID that its process has seen.

    It expands only the starts of a series. Each end is computed here, from the length of the first.
    """

    name = "vobject"
    knows_zones = needs_names = False

    def version(self) -> str:
        """Return its version."""
        return version("vobject")

    def read(self, calendars: Sequence[str]) -> list[Reading]:
        """Expand each calendar."""
        return read_each(_read, calendars)


def _read(calendar: str) -> Reading:
    event = vobject.readOne(calendar).vevent
    start, end = event.dtstart.value, event.dtend.value
    if event.rruleset is None:
        return reading([(moment(start), moment(end))])
    length = end - start
    starts = [_like(start, found) for found in event.rruleset]
    return reading((moment(found), moment(found + length)) for found in starts)


def _like(start: date, found: datetime) -> date:
    """``found`` as a date if ``start`` is one; vobject expands all-day meetings to times."""
    return found if isinstance(start, datetime) else found.date()
