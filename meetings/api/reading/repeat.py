"""What people write under ``repeat``, as JSON, read into a Rule.

RFC 5545 §3.3.10 as far as Outlook holds it (interop R3-R5, R8). Every refusal names the part at
fault and says how to mend it. Nothing that JSON can carry raises anything but InvalidRule.
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime, time
from typing import Final

from meetings.api.reading.rule_values import items_of, read_moment, text_of, whole_number
from meetings.itip.errors import InvalidRule
from meetings.itip.recurrence.rule import MAX_OCCURRENCES, WEEKDAYS, Frequency, Rule

_PARTS: Final = (
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST", "EXDATE"
)  # fmt: skip
_FOREIGN_PARTS: Final = (
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYYEARDAY",
    "BYWEEKNO",
    "RDATE",
    "RSCALE",
    "SKIP",
)

_BY_PARTS: Final = ("BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS")
_FITTING: Final[dict[Frequency, frozenset[str]]] = {
    Frequency.DAILY: frozenset(),
    Frequency.WEEKLY: frozenset({"BYDAY"}),
    Frequency.MONTHLY: frozenset({"BYDAY", "BYSETPOS", "BYMONTHDAY"}),
    Frequency.YEARLY: frozenset({"BYDAY", "BYSETPOS", "BYMONTHDAY", "BYMONTH"}),
}
"""The BY parts of Outlook's templates (interop R4)."""

_MAX_INTERVAL: Final = {
    Frequency.DAILY: 999,
    Frequency.WEEKLY: 99,
    Frequency.MONTHLY: 99,
    Frequency.YEARLY: 99,
}
"""The largest numbers that Outlook's own dialog takes."""

_SET_POSITIONS: Final = (1, 2, 3, 4, -1)
_DAY_SETS: Final = (("SA", "SU"), WEEKDAYS[:5], WEEKDAYS)
"""What may stand beside a single day under BYDAY when BYSETPOS counts (interop R4)."""

_DAY: Final = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NAME: Final = re.compile(r"[A-Z][A-Z-]{0,19}")

_END_OF_DAY: Final = time(23, 59, 59)

_LAST: Final = -1
_MONTHS: Final = 12
_LONGEST_MONTH: Final = 31
_SHORTEST_MONTH: Final = 28
_COMMON_YEAR: Final = 2001
_LEAP_YEAR: Final = 2000

_Parts = dict[str, object]


def read_rule(
    value: object, *, start: datetime, tzid: str, all_day: bool = False
) -> tuple[Rule | None, tuple[str, ...]]:
    """Return the Rule that ``value``, the JSON under ``repeat``, means, and warnings as English
    sentences.

    ``start`` is the requested start, wall-clock in ``tzid``; a day that the rule leaves open is
    written out from it. None, ``{}`` and an object of nothing but nulls mean no recurrence: the
    Rule is None. EXDATE is left to ``exdates``; whether the rule matches any day, to
    ``first_match``. InvalidRule for everything else.
    """
    parts = _parts(value)
    parts.pop("EXDATE", None)
    if not parts:
        return None, ()
    freq = _frequency(parts)
    misplaced = [name for name in _BY_PARTS if name in parts and name not in _FITTING[freq]]
    if misplaced:
        raise InvalidRule(misplaced[0], _misplaced(misplaced[0], freq))
    count, until = _count_or_until(parts, tzid=tzid, all_day=all_day)
    by_day, by_set_pos = _days(parts, freq, start)
    by_month = _month(parts, freq, start)
    rule = Rule(
        freq=freq,
        interval=_number(parts, "INTERVAL", 1, _MAX_INTERVAL[freq]) or 1,
        count=count,
        until=until,
        by_day=by_day,
        by_month_day=_month_day(parts, freq, start, by_month),
        by_month=by_month,
        by_set_pos=by_set_pos,
        wkst=_week_start(parts),
    )
    return rule, _warnings(rule)


def rule_part(value: object, name: str) -> object:
    """Return the part ``name`` (upper case) of the JSON under ``repeat``, whatever its case; None
    when absent or null.

    InvalidRule as ``read_rule`` gives it, for an object whose parts cannot be told apart.
    """
    return _parts(value).get(name)


def _parts(value: object) -> _Parts:
    """The parts that say something, by upper-case name."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidRule(
            "", 'A recurrence is an object such as {"FREQ": "WEEKLY", "COUNT": 3}, or null.'
        )
    parts: _Parts = {}
    for key, content in value.items():
        name = _part_name(key)
        if name in parts:
            raise InvalidRule(
                name, f"{name} is given twice, in different case; leave one of them out."
            )
        parts[name] = content
    return {name: content for name, content in parts.items() if content is not None}


def _part_name(key: object) -> str:
    name = text_of(key)
    if name in _PARTS:
        return name
    if name in _FOREIGN_PARTS:
        raise InvalidRule(
            name, f"Outlook cannot hold {name}; leave it out, or send separate meetings."
        )
    raise InvalidRule(
        name if _NAME.fullmatch(name) else "",
        f"This is no part of a recurrence; the parts are {', '.join(_PARTS)}.",
    )


def _frequency(parts: _Parts) -> Frequency:
    text = text_of(parts.get("FREQ"))
    if text in list(Frequency):
        return Frequency(text)
    if text in {"SECONDLY", "MINUTELY", "HOURLY"}:
        raise InvalidRule(
            "FREQ", f"A meeting cannot be repeated {text}; the shortest frequency is DAILY."
        )
    raise InvalidRule("FREQ", "FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY.")


def _misplaced(name: str, freq: Frequency) -> str:
    if freq is Frequency.DAILY and name == "BYDAY":
        return "Outlook cannot hold DAILY with BYDAY; say WEEKLY with these days."
    if freq is Frequency.MONTHLY and name == "BYMONTH":
        return "Outlook cannot hold MONTHLY with BYMONTH; say YEARLY for one month, or leave BYMONTH out."
    return f"Outlook cannot hold {freq} with {name}; leave {name} out, or say MONTHLY or YEARLY."


def _count_or_until(
    parts: _Parts, *, tzid: str, all_day: bool
) -> tuple[int | None, datetime | None]:
    if "COUNT" in parts and "UNTIL" in parts:
        raise InvalidRule("COUNT", "COUNT and UNTIL exclude each other; leave one of them out.")
    if "COUNT" in parts:
        return _number(parts, "COUNT", 1, MAX_OCCURRENCES), None
    if "UNTIL" in parts:
        return None, _until(parts["UNTIL"], tzid=tzid, all_day=all_day)
    raise InvalidRule(
        "COUNT", "The series would never end; add COUNT (a number) or UNTIL (a date)."
    )


def _until(value: object, *, tzid: str, all_day: bool) -> datetime:
    """The last wall-clock time at which an occurrence may start, in ``tzid``; a date means that
    whole day.
    """
    moment = read_moment(value, tzid)
    if moment is None:
        raise InvalidRule(
            "UNTIL",
            'UNTIL must be a date such as "2027-05-01", or a time such as "2027-05-01 10:00".',
        )
    if all_day:
        return datetime.combine(moment.wall_clock.date(), time())
    return (
        datetime.combine(moment.wall_clock.date(), _END_OF_DAY)
        if moment.is_date
        else moment.wall_clock
    )


def _number(parts: _Parts, name: str, lowest: int, highest: int) -> int | None:
    """The whole number under ``name``, None when the part is absent."""
    if name not in parts:
        return None
    number = whole_number(parts[name])
    if number is None or not lowest <= number <= highest:
        raise InvalidRule(name, f"{name} must be a whole number from {lowest} to {highest}.")
    return number


def _single(parts: _Parts, name: str) -> int | None:
    """The one number under a BY part, None when absent; Outlook holds no lists there (interop R4)."""
    if name not in parts:
        return None
    items = items_of(name, parts[name])
    if len(items) > 1:
        raise InvalidRule(
            name, f"Outlook holds one {name} only; send a meeting of its own for each."
        )
    number = whole_number(items[0])
    if number is None:
        raise InvalidRule(name, f"{name} must be a whole number.")
    return number


def _days(parts: _Parts, freq: Frequency, start: datetime) -> tuple[tuple[str, ...], int | None]:
    """BYDAY, Monday first, and BYSETPOS; of a numbered day the number becomes BYSETPOS."""
    position = _single(parts, "BYSETPOS")
    if "BYDAY" not in parts:
        if position is not None:
            raise InvalidRule("BYSETPOS", "BYSETPOS needs BYDAY: which day should be counted?")
        return (WEEKDAYS[start.weekday()],) if freq is Frequency.WEEKLY else (), None
    numbered = [_numbered_day(item) for item in items_of("BYDAY", parts["BYDAY"])]
    days = tuple(sorted({day for _, day in numbered}, key=WEEKDAYS.index))
    if any(number for number, _ in numbered):
        position = _position_of(numbered, freq, position)
    if freq is not Frequency.WEEKLY:
        _check_nth(days, position, freq)
    return days, position


def _numbered_day(item: object) -> tuple[str, str]:
    match = _DAY.fullmatch(text_of(item))
    if match is None:
        raise InvalidRule(
            "BYDAY", f"BYDAY must hold days out of {', '.join(WEEKDAYS)}, such as MO,WE."
        )
    return match[1] or "", match[2]


def _position_of(numbered: list[tuple[str, str]], freq: Frequency, position: int | None) -> int:
    """The BYSETPOS that means the same as one numbered day (``2WE``)."""
    if freq is Frequency.WEEKLY:
        raise InvalidRule(
            "BYDAY",
            "WEEKLY takes days without numbers; say MONTHLY for the nth weekday of a month.",
        )
    if len(numbered) > 1:
        raise InvalidRule(
            "BYDAY", "Outlook holds one numbered day only; send a meeting of its own for each."
        )
    if position is not None:
        raise InvalidRule(
            "BYSETPOS", "A numbered day in BYDAY and BYSETPOS say the same; leave one of them out."
        )
    return int(numbered[0][0])


def _check_nth(days: tuple[str, ...], position: int | None, freq: Frequency) -> None:
    """Refuse what is none of Outlook's templates MonthlyNth and YearlyNth (interop R4)."""
    if position is None:
        raise InvalidRule(
            "BYDAY",
            f"Outlook cannot hold every such day of {freq}; add BYSETPOS (1-4, or -1 for the last), or say WEEKLY.",
        )
    if position not in _SET_POSITIONS:
        raise InvalidRule(
            "BYSETPOS", "Outlook counts 1, 2, 3 and 4, and -1 for the last one; choose one of them."
        )
    if len(days) > 1 and days not in _DAY_SETS:
        raise InvalidRule(
            "BYDAY",
            "With BYSETPOS Outlook holds one day, SA,SU, MO,TU,WE,TH,FR, or all seven; choose one of them.",
        )


def _month(parts: _Parts, freq: Frequency, start: datetime) -> int | None:
    """BYMONTH of a yearly rule, the start's month when the rule leaves month and day open."""
    if freq is not Frequency.YEARLY:
        return None
    month = _single(parts, "BYMONTH")
    if month is None and parts.keys() & {"BYDAY", "BYMONTHDAY"}:
        raise InvalidRule(
            "BYMONTH",
            "Without BYMONTH the day would come in every month; add BYMONTH, or say MONTHLY.",
        )
    if month is not None and not 1 <= month <= _MONTHS:
        raise InvalidRule("BYMONTH", "BYMONTH must be a whole number from 1 to 12.")
    return start.month if month is None else month


def _month_day(parts: _Parts, freq: Frequency, start: datetime, month: int | None) -> int | None:
    """BYMONTHDAY, the start's day when the rule leaves it open; None where days of the week decide."""
    day = _single(parts, "BYMONTHDAY")
    if freq not in {Frequency.MONTHLY, Frequency.YEARLY} or (day is None and "BYDAY" in parts):
        return None
    if "BYDAY" in parts:
        raise InvalidRule(
            "BYMONTHDAY", "Outlook cannot hold BYMONTHDAY with BYDAY; leave one of them out."
        )
    day = start.day if day is None else day
    if day != _LAST and not 1 <= day <= _LONGEST_MONTH:
        raise InvalidRule(
            "BYMONTHDAY", "BYMONTHDAY must be a whole number from 1 to 31, or -1 for the last day."
        )
    if month and day > monthrange(_LEAP_YEAR, month)[1]:
        raise InvalidRule(
            "BYMONTHDAY",
            f"Month {month} never has a day {day}; choose another BYMONTHDAY or BYMONTH.",
        )
    return day


def _week_start(parts: _Parts) -> str:
    if "WKST" not in parts:
        return "MO"
    day = text_of(parts["WKST"])
    if day not in WEEKDAYS:
        raise InvalidRule("WKST", f"WKST must be one of {', '.join(WEEKDAYS)}.")
    return day


def _warnings(rule: Rule) -> tuple[str, ...]:
    """What Outlook shows differently: it moves a day that a month lacks to the month's last
    (interop R8).
    """
    day = rule.by_month_day or 0
    always_there = rule.by_month is not None and day <= monthrange(_COMMON_YEAR, rule.by_month)[1]
    if day <= _SHORTEST_MONTH or always_there:
        return ()
    return (
        f"repeat.BYMONTHDAY: a month without a day {day} has no occurrence here, while Outlook shows one on its last"
        " day; a day up to 28, or -1 for the last day, is the same everywhere.",
    )
