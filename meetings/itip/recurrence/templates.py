"""The rule that a caller's parts mean, in one of Outlook's templates (interop R3–R5).

A day that the parts leave open is written out from the requested start. What fits no template is
refused with a sentence that says how to put it.
"""

from calendar import monthrange
from datetime import datetime, time
from typing import Final

from meetings.itip.errors import InvalidRule
from meetings.itip.moment import Moment
from meetings.itip.recurrence.expansion import MAX_OCCURRENCES
from meetings.itip.recurrence.parts import NumberedDay, RuleParts
from meetings.itip.recurrence.rule import WEEKDAYS, Frequency, Rule

_FITTING: Final[dict[Frequency, frozenset[str]]] = {
    Frequency.DAILY: frozenset(),
    Frequency.WEEKLY: frozenset({"BYDAY"}),
    Frequency.MONTHLY: frozenset({"BYDAY", "BYSETPOS", "BYMONTHDAY"}),
    Frequency.YEARLY: frozenset({"BYDAY", "BYSETPOS", "BYMONTHDAY", "BYMONTH"}),
}
"""The BY parts of Outlook's templates (interop R4)."""

_SET_POSITIONS: Final = (1, 2, 3, 4, -1)
_DAY_SETS: Final = (("SA", "SU"), WEEKDAYS[:5], WEEKDAYS)
"""What may stand instead of a single day under BYDAY where BYSETPOS counts (interop R4)."""

_END_OF_DAY: Final = time(23, 59, 59)
_LAST: Final = -1
_MONTHS: Final = 12
_LONGEST_MONTH: Final = 31
_SHORTEST_MONTH: Final = 28
_COMMON_YEAR: Final = 2001
_LEAP_YEAR: Final = 2000


def rule_of(parts: RuleParts, *, start: datetime, tzid: str, all_day: bool) -> Rule:
    """Return the rule that ``parts`` mean.

    ``start`` is the requested start, a wall-clock time in ``tzid``. Raises InvalidRule for what
    Outlook cannot represent. Whether the rule has an occurrence is decided in ``expansion``.
    """
    _check_place(parts)
    _check_limit(parts)
    position = _position(parts)
    by_day = _days(parts, position, start)
    month = _month(parts, start)
    return Rule(
        freq=parts.freq,
        interval=_interval(parts),
        count=parts.count,
        until=None if parts.until is None else _until(parts.until, tzid, all_day=all_day),
        by_day=by_day,
        by_month_day=_month_day(parts, start, month),
        by_month=month,
        by_set_pos=position,
        wkst=parts.wkst or "MO",
    )


def longest_interval(freq: Frequency) -> int:
    """Return the largest INTERVAL that Outlook's own dialog takes."""
    return 999 if freq is Frequency.DAILY else 99


def lacks_day_in_some_month(rule: Rule) -> bool:
    """Whether some month has no such day. Outlook shows that month's last day (interop R8)."""
    day = rule.by_month_day or 0
    if day <= _SHORTEST_MONTH:
        return False
    return rule.by_month is None or day > monthrange(_COMMON_YEAR, rule.by_month)[1]


def _check_place(parts: RuleParts) -> None:
    given = {
        "BYDAY": bool(parts.by_day),
        "BYMONTHDAY": parts.by_month_day is not None,
        "BYMONTH": parts.by_month is not None,
        "BYSETPOS": parts.by_set_pos is not None,
    }
    for name, is_given in given.items():
        if is_given and name not in _FITTING[parts.freq]:
            raise InvalidRule(name, _misplaced(name, parts.freq))


def _misplaced(name: str, freq: Frequency) -> str:
    refusal = f"Outlook cannot represent {freq} with {name}"
    if freq is Frequency.DAILY and name == "BYDAY":
        return f"{refusal}; say WEEKLY with these days."
    if freq is Frequency.MONTHLY and name == "BYMONTH":
        return f"{refusal}; say YEARLY for one month, or leave BYMONTH out."
    return f"{refusal}; leave {name} out, or say MONTHLY or YEARLY."


def _check_limit(parts: RuleParts) -> None:
    if parts.count is not None and parts.until is not None:
        raise InvalidRule("COUNT", "COUNT and UNTIL exclude each other; leave one of them out.")
    if parts.count is None and parts.until is None:
        message = "The series would never end; add COUNT (a number) or UNTIL (a date)."
        raise InvalidRule("COUNT", message)
    if parts.count is not None:
        _check_number("COUNT", parts.count, MAX_OCCURRENCES)


def _check_number(part: str, number: int, highest: int) -> None:
    if not 1 <= number <= highest:
        raise InvalidRule(part, f"{part} must be a whole number from 1 to {highest}.")


def _until(until: Moment, tzid: str, *, all_day: bool) -> datetime:
    """The last wall-clock time at which an occurrence may start. A date means that whole day."""
    wall_clock = until.wall_clock(tzid)
    if all_day:
        return datetime.combine(wall_clock.date(), time())
    if until.is_date:
        return datetime.combine(wall_clock.date(), _END_OF_DAY)
    return wall_clock


def _interval(parts: RuleParts) -> int:
    if parts.interval is None:
        return 1
    _check_number("INTERVAL", parts.interval, longest_interval(parts.freq))
    return parts.interval


def _position(parts: RuleParts) -> int | None:
    """BYSETPOS, or the number of a numbered day (``2WE``), which means the same."""
    if not parts.by_day:
        if parts.by_set_pos is not None:
            raise InvalidRule("BYSETPOS", "BYSETPOS needs BYDAY: which day should be counted?")
        return None
    numbers = [number for number, _ in parts.by_day if number is not None]
    if numbers:
        _check_numbered_day(parts)
        return numbers[0]
    return parts.by_set_pos


def _check_numbered_day(parts: RuleParts) -> None:
    if parts.freq is Frequency.WEEKLY:
        message = "WEEKLY takes days without numbers; say MONTHLY for the nth weekday of a month."
        raise InvalidRule("BYDAY", message)
    if len(parts.by_day) > 1:
        message = "Outlook represents one numbered day only; send a separate meeting for each."
        raise InvalidRule("BYDAY", message)
    if parts.by_set_pos is not None:
        message = "A numbered day in BYDAY and BYSETPOS say the same; leave one of them out."
        raise InvalidRule("BYSETPOS", message)


def _days(parts: RuleParts, position: int | None, start: datetime) -> tuple[str, ...]:
    """BYDAY without numbers, Monday first."""
    if not parts.by_day:
        return (WEEKDAYS[start.weekday()],) if parts.freq is Frequency.WEEKLY else ()
    days = _in_order(parts.by_day)
    if parts.freq is not Frequency.WEEKLY:
        _check_nth(days, position, parts.freq)
    return days


def _in_order(numbered: tuple[NumberedDay, ...]) -> tuple[str, ...]:
    return tuple(sorted({day for _, day in numbered}, key=WEEKDAYS.index))


def _check_nth(days: tuple[str, ...], position: int | None, freq: Frequency) -> None:
    """Refuse what is neither of Outlook's templates MonthlyNth and YearlyNth (interop R4)."""
    if position is None:
        raise InvalidRule(
            "BYDAY",
            f"Outlook cannot represent every such day of {freq}; add BYSETPOS (1-4, or -1 for the"
            " last), or say WEEKLY.",
        )
    if position not in _SET_POSITIONS:
        message = "Outlook counts 1, 2, 3 and 4, and -1 for the last one; choose one of them."
        raise InvalidRule("BYSETPOS", message)
    if len(days) > 1 and days not in _DAY_SETS:
        raise InvalidRule(
            "BYDAY",
            "With BYSETPOS Outlook represents one day, SA,SU, MO,TU,WE,TH,FR, or all seven; choose"
            " one of them.",
        )


def _month(parts: RuleParts, start: datetime) -> int | None:
    """BYMONTH of a yearly rule: the start's month where the rule leaves month and day open."""
    if parts.freq is not Frequency.YEARLY:
        return None
    if parts.by_month is None:
        if parts.by_day or parts.by_month_day is not None:
            raise InvalidRule(
                "BYMONTH",
                "Without BYMONTH the day would come in every month; add BYMONTH, or say MONTHLY.",
            )
        return start.month
    _check_number("BYMONTH", parts.by_month, _MONTHS)
    return parts.by_month


def _month_day(parts: RuleParts, start: datetime, month: int | None) -> int | None:
    """BYMONTHDAY: the start's day where the rule leaves it open, None where weekdays decide."""
    day = parts.by_month_day
    if parts.freq in {Frequency.DAILY, Frequency.WEEKLY} or (day is None and parts.by_day):
        return None
    if parts.by_day:
        message = "Outlook cannot represent BYMONTHDAY with BYDAY; leave one of them out."
        raise InvalidRule("BYMONTHDAY", message)
    day = start.day if day is None else day
    if day != _LAST and not 1 <= day <= _LONGEST_MONTH:
        message = "BYMONTHDAY must be a whole number from 1 to 31, or -1 for the last day."
        raise InvalidRule("BYMONTHDAY", message)
    if month and day > monthrange(_LEAP_YEAR, month)[1]:
        message = f"Month {month} never has a day {day}; choose another BYMONTHDAY or BYMONTH."
        raise InvalidRule("BYMONTHDAY", message)
    return day
