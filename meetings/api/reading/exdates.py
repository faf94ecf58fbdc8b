"""EXDATE: the occurrences of a series that are left out (RFC 5545 §3.8.5.1, interop R11)."""

from collections.abc import Mapping
from datetime import date, datetime

from meetings.api.reading.rule_values import items_of, read_moment
from meetings.itip.errors import InvalidRule
from meetings.itip.recurrence.rule import Rule, occurrences


def read_exdates(
    value: object, *, rule: Rule | None, start: datetime, tzid: str, all_day: bool
) -> tuple[datetime, ...]:
    """Return the wall-clock starts, oldest first, of the occurrences that ``value``, the JSON under
    EXDATE, leaves out.

    ``value`` is a list of dates or of times, local in ``tzid`` or with an offset; a date means that
    day's occurrence. ``start`` is the series' start, requested or moved. None and an empty list
    leave out nothing. InvalidRule on EXDATE for what hits no occurrence, and when no occurrence
    would be left (interop R11).
    """
    if value is None or value in ("", [], ()):
        return ()
    if rule is None:
        raise InvalidRule(
            "EXDATE", "A meeting that is not repeated has no days to leave out; drop EXDATE."
        )
    series = occurrences(rule, start)
    by_day = {occurrence.date(): occurrence for occurrence in series}
    excluded = {
        _excluded(item, by_day, tzid=tzid, all_day=all_day) for item in items_of("EXDATE", value)
    }
    if len(excluded) == len(series):
        raise InvalidRule(
            "EXDATE", "Every occurrence is left out; leave one, or do not send the meeting."
        )
    return tuple(sorted(excluded))


def _excluded(
    item: object, by_day: Mapping[date, datetime], *, tzid: str, all_day: bool
) -> datetime:
    moment = read_moment(item, tzid)
    if moment is None:
        raise InvalidRule(
            "EXDATE",
            'EXDATE must hold dates such as "2027-05-01", or times such as "2027-05-01 10:00".',
        )
    occurrence = by_day.get(moment.wall_clock.date())
    if occurrence is None or not (moment.is_date or all_day or moment.wall_clock == occurrence):
        shown = (
            f"{moment.wall_clock:%Y-%m-%d}"
            if moment.is_date
            else f"{moment.wall_clock:%Y-%m-%d %H:%M:%S}"
        )
        raise InvalidRule(
            "EXDATE", f"The series has no occurrence on {shown}; leave it out, or correct it."
        )
    return occurrence
