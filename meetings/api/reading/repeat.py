"""What callers write under ``repeat``: the parts of a recurrence, each with its right type.

Refusals name the part at fault and say how to fix it. Whether the parts fit together is decided in
``itip/recurrence/templates``.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers

from meetings.api.reading.moments import rule_moment
from meetings.api.reading.numbers import items_of, text_of, whole_number
from meetings.itip.errors import InvalidRule
from meetings.itip.moment import Moment
from meetings.itip.recurrence.expansion import MAX_OCCURRENCES
from meetings.itip.recurrence.parts import NumberedDay, RuleParts
from meetings.itip.recurrence.rule import WEEKDAYS, Frequency
from meetings.itip.recurrence.templates import longest_interval

_PARTS: Final = (
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST",
    "EXDATE",
)  # fmt: skip
_FOREIGN_PARTS: Final = frozenset(
    {"BYSECOND", "BYMINUTE", "BYHOUR", "BYYEARDAY", "BYWEEKNO", "RDATE", "RSCALE", "SKIP"}
)
_TOO_FREQUENT: Final = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})

_DAY: Final = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NAME: Final = re.compile(r"[A-Z][A-Z-]{0,19}")

_UNTIL: Final = 'UNTIL must be a date such as "2027-05-01", or a time such as "2027-05-01 10:00".'
_EXDATE: Final = 'EXDATE must hold dates such as "2027-05-01", or times such as "2027-05-01 10:00".'

_Given = dict[str, object]


class RepeatField(serializers.Field[RuleParts | None, Any, Any, Any]):
    """The object under ``repeat``. Old clients send "" or [] for a meeting that does not repeat."""

    def to_internal_value(self, data: Any) -> RuleParts | None:
        """Return the parts; None for no recurrence."""
        try:
            return None if data in ("", []) else read_repeat(data)
        except InvalidRule as error:
            messages: Any = {error.part: [error.message]} if error.part else [error.message]
            raise serializers.ValidationError(messages) from error


def read_repeat(value: object) -> RuleParts | None:
    """Return the parts in ``value``, the JSON under ``repeat``.

    None for ``null``, ``{}``, and an object of nothing but nulls. Raises InvalidRule for all else
    that is no recurrence, whatever JSON can carry.
    """
    given = _given(value)
    exdates = given.pop("EXDATE", None)
    if not given:
        return None
    freq = _frequency(given)
    return RuleParts(
        freq=freq,
        interval=_number(given, "INTERVAL", longest_interval(freq)),
        count=_number(given, "COUNT", MAX_OCCURRENCES),
        until=_until(given),
        by_day=_days(given),
        by_month_day=_single(given, "BYMONTHDAY"),
        by_month=_single(given, "BYMONTH"),
        by_set_pos=_single(given, "BYSETPOS"),
        wkst=_week_start(given),
        exdates=_exdates(exdates),
    )


def _given(value: object) -> _Given:
    """The parts that say something, by upper-case name."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        message = 'A recurrence is an object such as {"FREQ": "WEEKLY", "COUNT": 3}, or null.'
        raise InvalidRule("", message)
    given: _Given = {}
    for key, content in value.items():
        name = _part_name(key)
        if name in given:
            message = f"{name} is given twice, in different case; leave one of them out."
            raise InvalidRule(name, message)
        given[name] = content
    return {name: content for name, content in given.items() if content is not None}


def _part_name(key: object) -> str:
    name = text_of(key)
    if name in _PARTS:
        return name
    if name in _FOREIGN_PARTS:
        message = f"Outlook cannot represent {name}; leave it out, or send separate meetings."
        raise InvalidRule(name, message)
    message = f"This is no part of a recurrence; the parts are {', '.join(_PARTS)}."
    raise InvalidRule(name if _NAME.fullmatch(name) else "", message)


def _frequency(given: _Given) -> Frequency:
    text = text_of(given.get("FREQ"))
    if text in list(Frequency):
        return Frequency(text)
    if text in _TOO_FREQUENT:
        message = f"A meeting cannot be repeated {text}; the shortest frequency is DAILY."
        raise InvalidRule("FREQ", message)
    raise InvalidRule("FREQ", "FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY.")


def _number(given: _Given, name: str, highest: int) -> int | None:
    """The whole number under ``name``; its range is checked later. None where it is absent."""
    if name not in given:
        return None
    number = whole_number(given[name])
    if number is None:
        raise InvalidRule(name, f"{name} must be a whole number from 1 to {highest}.")
    return number


def _single(given: _Given, name: str) -> int | None:
    """The one number under a BY part; Outlook represents no lists there (interop R4)."""
    if name not in given:
        return None
    items = items_of(name, given[name])
    if len(items) > 1:
        message = f"Outlook represents one {name} only; send a separate meeting for each."
        raise InvalidRule(name, message)
    number = whole_number(items[0])
    if number is None:
        raise InvalidRule(name, f"{name} must be a whole number.")
    return number


def _until(given: _Given) -> Moment | None:
    return _moment("UNTIL", given["UNTIL"], _UNTIL) if "UNTIL" in given else None


def _exdates(value: object) -> tuple[Moment, ...]:
    if value is None or value in ("", [], ()):
        return ()
    return tuple(_moment("EXDATE", item, _EXDATE) for item in items_of("EXDATE", value))


def _moment(part: str, value: object, refusal: str) -> Moment:
    moment = rule_moment(value)
    if moment is None:
        raise InvalidRule(part, refusal)
    return moment


def _days(given: _Given) -> tuple[NumberedDay, ...]:
    if "BYDAY" not in given:
        return ()
    return tuple(_numbered_day(item) for item in items_of("BYDAY", given["BYDAY"]))


def _numbered_day(item: object) -> NumberedDay:
    match = _DAY.fullmatch(text_of(item))
    if match is None:
        message = f"BYDAY must hold days out of {', '.join(WEEKDAYS)}, such as MO,WE."
        raise InvalidRule("BYDAY", message)
    return int(match[1]) if match[1] else None, match[2]


def _week_start(given: _Given) -> str | None:
    if "WKST" not in given:
        return None
    day = text_of(given["WKST"])
    if day not in WEEKDAYS:
        raise InvalidRule("WKST", f"WKST must be one of {', '.join(WEEKDAYS)}.")
    return day
