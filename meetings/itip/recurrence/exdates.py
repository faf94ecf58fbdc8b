"""EXDATE: the occurrences that a series leaves out (RFC 5545 §3.8.5.1, interop R11)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from meetings.itip.errors import InvalidRule
from meetings.itip.moment import Moment


def excluded(
    moments: Sequence[Moment], series: Sequence[datetime], *, tzid: str, all_day: bool
) -> tuple[datetime, ...]:
    """Return the wall-clock starts, oldest first, of the occurrences that ``moments`` leave out.

    ``series`` are the wall-clock starts of all occurrences. A date means that day's occurrence.
    Raises InvalidRule on EXDATE for what hits no occurrence, and where none would be left.
    """
    by_day = {start.date(): start for start in series}
    found = {_hit(moment, by_day, tzid, all_day=all_day) for moment in moments}
    if len(found) == len(series):
        message = "Every occurrence is left out; leave one, or do not send the meeting."
        raise InvalidRule("EXDATE", message)
    return tuple(sorted(found))


def _hit(moment: Moment, by_day: Mapping[date, datetime], tzid: str, *, all_day: bool) -> datetime:
    wall_clock = moment.wall_clock(tzid)
    occurrence = by_day.get(wall_clock.date())
    is_whole_day = moment.is_date or all_day
    if occurrence is None or not (is_whole_day or wall_clock == occurrence):
        shown = f"{wall_clock:%Y-%m-%d}" if moment.is_date else f"{wall_clock:%Y-%m-%d %H:%M:%S}"
        message = f"The series has no occurrence on {shown}; leave it out, or correct it."
        raise InvalidRule("EXDATE", message)
    return occurrence
