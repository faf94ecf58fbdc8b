"""Values inside a recurrence as JSON carries them: numbers, words, lists, dates and times, in
several forms each.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from meetings.itip.errors import InvalidRule

_LONGEST_TEXT: Final = 40_000
"""Room for 999 excluded times with their offsets."""

_MOST_ITEMS: Final = 999

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}")

_MOMENT: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})"
    r"(?:[T ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?|[0-9]{4}(?:[0-9]{2})?)(?:\.[0-9]{1,9})?"
    r" ?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
"""ISO 8601 and RFC 5545 §3.3.4 and §3.3.5, in upper case; fractions of a second mean nothing in a
calendar.
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall-clock time, or, with ``is_date``, a whole day (its midnight)."""

    wall_clock: datetime
    is_date: bool


def text_of(value: object) -> str:
    """Return a word in upper case without blanks around it; an empty one for what is no text, or
    endless.
    """
    return (
        value.strip(" ").upper() if isinstance(value, str) and len(value) <= _LONGEST_TEXT else ""
    )


def whole_number(value: object) -> int | None:
    """Return a number or a digit string as int; None for anything else, booleans and fractions
    included.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = text_of(value)
    return int(text) if _NUMBER.fullmatch(text) else None


def items_of(part: str, value: object) -> list[object]:
    """Return the items of a JSON list, of ``"MO,TU"`` or of ``"[MO,TU]"``; a single value is a list
    of one.

    InvalidRule on ``part`` for a list of none, or of more than 999.
    """
    if isinstance(value, str):
        text = text_of(value)
        value = text.removeprefix("[").removesuffix("]").split(",") if text else []
    items: list[object] = [*value] if isinstance(value, list | tuple) else [value]
    if not 1 <= len(items) <= _MOST_ITEMS:
        raise InvalidRule(
            part, f"{part} must hold between 1 and {_MOST_ITEMS} values; or leave it out."
        )
    return items


def read_moment(value: object, tzid: str) -> Moment | None:
    """Return a date or a time as wall-clock time in ``tzid``; None for what is neither.

    A time with ``Z`` or an offset is converted; one without is a wall-clock time already. A date
    may be a number (``20270501``).
    """
    number = whole_number(value)
    match = _MOMENT.fullmatch(
        text_of(value) if number is None else f"{number:08d}" if 0 <= number < 10**8 else ""
    )
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(
            " ".join(filter(None, match.group("day", "time"))) + (match["zone"] or "")
        )
        wall_clock = (
            moment.astimezone(ZoneInfo(tzid)).replace(tzinfo=None) if moment.tzinfo else moment
        )
    except (ValueError, OverflowError):
        return None
    return Moment(wall_clock, is_date=match["time"] is None)
