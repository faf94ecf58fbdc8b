"""Every occurrence of a rule, and its first one."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import count, islice, takewhile
from typing import Final

from meetings.itip.errors import InvalidRule
from meetings.itip.moment import FIRST_YEAR, HORIZON
from meetings.itip.recurrence.rule import WEEKDAYS, Frequency, Rule

MAX_OCCURRENCES: Final = 999
"""COUNT has at most three digits in Outlook's templates (interop R5)."""


def first_match(rule: Rule, start: datetime) -> datetime:
    """Return the first wall-clock time at or after ``start`` that satisfies ``rule`` (interop R1).

    The interval counts from the period that contains the requested ``start``. RFC 5545 leaves
    a DTSTART that does not satisfy the rule undefined. Raises InvalidRule as ``occurrences`` does.
    """
    return _series(rule, start)[0]


def occurrences(
    rule: Rule, start: datetime, *, exdates: Sequence[datetime] = ()
) -> tuple[datetime, ...]:
    """Return the wall-clock start of every occurrence, oldest first, without ``exdates``.

    ``start`` is the first match. The requested start gives the same series (interop R2), so COUNT
    counts from the first match. Raises InvalidRule for a series without occurrences, with more than
    999, or past HORIZON.
    """
    series = _series(rule, start)
    if not exdates:
        return series
    excluded = frozenset(exdates)
    return tuple(start for start in series if start not in excluded)


# One call asks for the same series several times: to check it, to store it, to write it.
@lru_cache(maxsize=256)
def _series(rule: Rule, start: datetime) -> tuple[datetime, ...]:
    if not FIRST_YEAR <= start.year <= HORIZON.year:
        years = f"{FIRST_YEAR} and {HORIZON.year}"
        raise InvalidRule("", f"A series must lie between {years}; move its start.")
    days = _matching_days(rule, start.date())
    starts = (datetime.combine(day, start.time()) for day in days)
    if rule.until is not None:
        return _series_until(rule.until, starts)
    return _series_of(rule, starts)


def _series_of(rule: Rule, starts: Iterator[datetime]) -> tuple[datetime, ...]:
    found = tuple(islice(starts, rule.count))
    if not found:
        raise _no_match(rule)
    if rule.count is not None and len(found) < rule.count:
        raise InvalidRule(
            "COUNT",
            f"The series would reach past {HORIZON.year}; only {len(found)} occurrences fit"
            " before. Lower COUNT.",
        )
    return found


def _series_until(until: datetime, starts: Iterator[datetime]) -> tuple[datetime, ...]:
    if until.date() > HORIZON:
        message = f"A series may not reach past {HORIZON.year}; choose an earlier UNTIL."
        raise InvalidRule("UNTIL", message)
    in_time = takewhile(lambda start: start <= until, starts)
    found = tuple(islice(in_time, MAX_OCCURRENCES + 1))
    if not found:
        message = "The series ends before its first occurrence; choose a later UNTIL."
        raise InvalidRule("UNTIL", message)
    if len(found) > MAX_OCCURRENCES:
        raise InvalidRule(
            "UNTIL",
            f"The series has more than {MAX_OCCURRENCES} occurrences; choose a UNTIL before"
            f" {found[-1]:%Y-%m-%d}.",
        )
    return found


def _no_match(rule: Rule) -> InvalidRule:
    part = "BYMONTHDAY" if rule.by_month_day else "INTERVAL"
    message = f"No day from the start to the end of {HORIZON.year} satisfies this rule"
    return InvalidRule(part, f"{message}; change {part}.")


def _matching_days(rule: Rule, anchor: date) -> Iterator[date]:
    """Every day from ``anchor`` to HORIZON that satisfies ``rule``.

    The interval counts from the period that contains ``anchor``.
    """
    match rule.freq:
        case Frequency.DAILY:
            days = _every(rule.interval, anchor)
        case Frequency.WEEKLY:
            days = _days_of_weeks(rule, anchor)
        case _:
            days = _days_of_months(rule, anchor)
    return (day for day in takewhile(lambda day: day <= HORIZON, days) if day >= anchor)


def _every(step: int, anchor: date) -> Iterator[date]:
    return (anchor + timedelta(days=number) for number in count(0, step))


def _days_of_weeks(rule: Rule, anchor: date) -> Iterator[date]:
    first_weekday = WEEKDAYS.index(rule.wkst)
    week = anchor - timedelta(days=(anchor.weekday() - first_weekday) % 7)
    offsets = sorted((WEEKDAYS.index(name) - first_weekday) % 7 for name in rule.by_day)
    for first_day in _every(7 * rule.interval, week):
        for offset in offsets:
            yield first_day + timedelta(days=offset)


def _days_of_months(rule: Rule, anchor: date) -> Iterator[date]:
    """At most one day a month: all of Outlook's monthly and yearly templates are like that."""
    first_month, step = anchor.month, rule.interval
    if rule.freq is Frequency.YEARLY:
        first_month, step = rule.by_month or anchor.month, 12 * rule.interval
    first = anchor.year * 12 + first_month - 1
    for month_number in range(first, (HORIZON.year + 1) * 12, step):
        year, month = divmod(month_number, 12)
        day = _day_of_month(rule, year, month + 1)
        if day:
            yield date(year, month + 1, day)


def _day_of_month(rule: Rule, year: int, month: int) -> int | None:
    """The day of this month that ``rule`` means.

    None in a month too short for it (RFC 5545 §3.3.10): the rule skips that month.
    """
    weekday, length = monthrange(year, month)
    if rule.by_set_pos is None:
        wanted = rule.by_month_day or 0
        day = length + 1 + wanted if wanted < 0 else wanted
        return day if 1 <= day <= length else None
    wanted_days = {WEEKDAYS.index(name) for name in rule.by_day}
    matching = [day for day in range(1, length + 1) if (weekday + day - 1) % 7 in wanted_days]
    return matching[rule.by_set_pos - 1 if rule.by_set_pos > 0 else rule.by_set_pos]
