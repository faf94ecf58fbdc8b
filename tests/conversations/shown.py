"""A calendar as a conversation shows it: a line for each occurrence."""

from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from tests.support.readers.calendar_client import Entry


class Calendar(Protocol):
    """One person's calendar."""

    def receive(self, mail: bytes) -> str:
        """Take a mail. Returns why the calendar ignores it, or ""."""

    def entries(self) -> list[Entry]:
        """Everything that the calendar shows, in order of time."""


def shown(calendar: Calendar, zone: str = "") -> list[str]:
    """Each entry as a line, times in ``zone`` or else in that of the meeting."""
    return [_line(entry, zone or entry.zone) for entry in calendar.entries()]


def _line(entry: Entry, zone: str) -> str:
    times = _times(entry, zone)
    return " | ".join(part for part in (times, entry.summary, entry.location) if part)


def _times(entry: Entry, zone: str) -> str:
    if not isinstance(entry.start, datetime) or not isinstance(entry.end, datetime):
        last = entry.end - timedelta(days=1)
        days = f"{entry.start:%a %Y-%m-%d}"
        return f"{days} all day" if last == entry.start else f"{days} to {last:%a %Y-%m-%d}"
    start, end = (when.astimezone(ZoneInfo(zone)) for when in (entry.start, entry.end))
    until = f"-{end:%H:%M}" if end.date() == start.date() else f" to {end:%a %Y-%m-%d %H:%M}"
    return f"{start:%a %Y-%m-%d %H:%M}{until}"
