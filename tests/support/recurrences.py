"""The JSON under ``repeat``, read as a call reads it."""

from datetime import datetime

from meetings.api.reading.repeat import read_repeat
from meetings.itip.recurrence.exdates import excluded
from meetings.itip.recurrence.expansion import occurrences
from meetings.itip.recurrence.rule import Rule
from meetings.itip.recurrence.templates import rule_of

ZONE = "Asia/Shanghai"


def rule_in(
    value: object, start: datetime, *, tzid: str = ZONE, all_day: bool = False
) -> Rule | None:
    """The rule that ``value`` means for a meeting with the requested ``start``."""
    parts = read_repeat(value)
    return rule_of(parts, start=start, tzid=tzid, all_day=all_day) if parts else None


def exdates_in(
    value: object, start: datetime, *, tzid: str = ZONE, all_day: bool = False
) -> tuple[datetime, ...]:
    """The starts that the EXDATE in ``value`` leaves out."""
    parts = read_repeat(value)
    assert parts is not None
    if not parts.exdates:
        return ()
    rule = rule_of(parts, start=start, tzid=tzid, all_day=all_day)
    return excluded(parts.exdates, occurrences(rule, start), tzid=tzid, all_day=all_day)
