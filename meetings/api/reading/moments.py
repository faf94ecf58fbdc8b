"""Times as callers write them, in every field that takes one."""

import re
from datetime import date, datetime, time
from typing import Any, Final

from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from meetings.api.reading.numbers import text_of, whole_number
from meetings.itip.moment import FIRST_YEAR, HORIZON, Moment

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME: Final = re.compile(r"\d{4}-?\d{2}-?\d{2}[T ]\d", re.IGNORECASE)

_RULE_MOMENT: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})"
    r"(?:[T ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?|[0-9]{4}(?:[0-9]{2})?)(?:\.[0-9]{1,9})?"
    r" ?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
"""ISO 8601, and RFC 5545 §3.3.4 and §3.3.5. A calendar has no fractions of a second."""

_MIDNIGHT: Final = time()
_LARGEST_DATE: Final = 10**8
# A day must be left on both sides, for the change to another zone.
_CONVERTIBLE_YEARS: Final = range(2, 9999)


class MomentField(serializers.Field[Moment, Any, Any, Any]):
    """``YYYY-MM-DD HH:MM[:SS]``, ISO 8601 with or without an offset, or ``YYYY-MM-DD``."""

    default_error_messages = {
        "invalid": (
            'Must be a time such as "2027-05-01 10:00", "2027-05-01T10:00:00+08:00", or a date'
            ' "2027-05-01".'
        ),
        "range": f"Must lie between the years {FIRST_YEAR} and {HORIZON.year}.",
    }

    def to_internal_value(self, data: Any) -> Moment:
        """Return the moment, to the second."""
        text = data.strip() if isinstance(data, str) and data.isascii() else ""
        moment = _moment(text)
        if moment is None:
            self.fail("invalid")
        if not FIRST_YEAR <= moment.value.year <= HORIZON.year:
            self.fail("range")
        return moment


def _moment(text: str) -> Moment | None:
    try:
        if _DATE.fullmatch(text):
            return Moment(datetime.combine(date.fromisoformat(text), _MIDNIGHT), is_date=True)
        moment = parse_datetime(text) if _TIME.match(text) else None
    except (ValueError, OverflowError):
        return None
    return None if moment is None else Moment(moment.replace(microsecond=0))


def rule_moment(value: object) -> Moment | None:
    """Return a date or a time of UNTIL or EXDATE; None for what is neither.

    A date may be a number (``20270501``).
    """
    number = whole_number(value)
    match = _RULE_MOMENT.fullmatch(text_of(value) if number is None else _digits(number))
    return None if match is None else _from_match(match)


def _digits(number: int) -> str:
    return f"{number:08d}" if 0 <= number < _LARGEST_DATE else ""


def _from_match(match: re.Match[str]) -> Moment | None:
    written = " ".join(filter(None, match.group("day", "time"))) + (match["zone"] or "")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    if moment.tzinfo is not None and moment.year not in _CONVERTIBLE_YEARS:
        return None
    return Moment(moment, is_date=match["time"] is None)
