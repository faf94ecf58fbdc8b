"""vobject: Radicale, and many a script."""

from collections.abc import Sequence
from datetime import date, datetime
from importlib.metadata import version

import vobject

from tests.interop.answers import Answer, answer, each, moment


class VObject:
    """Evaluates the first VTIMEZONE of a TZID that its process has seen; the ends are start plus
    length here.
    """

    name = "vobject"
    knows_zones = needs_names = False

    def version(self) -> str:
        """Return its version."""
        return version("vobject")

    def read(self, calendars: Sequence[str]) -> list[Answer]:
        """Expand each calendar."""
        return each(_read, calendars)


def _read(calendar: str) -> Answer:
    event = vobject.readOne(calendar).vevent
    start, end = event.dtstart.value, event.dtend.value
    if event.rruleset is None:
        return answer([(moment(start), moment(end))])
    lasting = end - start
    starts = [_like(start, found) for found in event.rruleset]
    return answer((moment(found), moment(found + lasting)) for found in starts)


def _like(start: date, found: datetime) -> date:
    """``found`` as the kind of value that ``start`` is: vobject gives times for all-day meetings."""
    return found if isinstance(start, datetime) else found.date()
