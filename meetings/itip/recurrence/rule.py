"""Recurrence: the rule as a value, the first match, every occurrence, and whether a calendar can
hold the series.

RFC 5545 §3.3.10 and §3.8.5.3, cut down to what Outlook holds (interop R4). All times are naive
wall-clock times in the event's zone. What people write is read in ``rule_reader``; how it leaves
(UNTIL in UTC, R6) is decided in ``ical``.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import count, islice, pairwise, takewhile
from typing import Final

from meetings.itip.errors import InvalidProperty, InvalidRule
from meetings.itip.zones.offsets import gap, is_skipped

WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""The two-letter days in the order of ``date.weekday()``."""

MAX_OCCURRENCES: Final = 999
"""COUNT has at most three digits in Outlook's templates (interop R5)."""

FIRST_YEAR: Final = 1970
"""A VTIMEZONE written here begins in 1970 and says nothing about earlier times (interop Z2)."""

HORIZON: Final = date(2099, 12, 31)
"""The last day a series may touch: nobody knows a zone's law for the next century, and every search
needs an end.
"""

_END_OF_TIME: Final = datetime.combine(HORIZON + timedelta(days=1), time())
_UNTIL_FORMAT: Final = "%Y%m%dT%H%M%S"


class Frequency(StrEnum):
    """FREQ, as far as Outlook holds it (interop R4)."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An RRULE that fits one of Outlook's templates, with the day always written out (interop R4).

    ``until`` is a naive wall-clock time in the event's zone, inclusive; exactly one of ``count``
    and ``until`` is set. ``by_day`` holds two-letter days without numbers, Monday first. ``str()``
    gives the RFC 5545 text with UNTIL in local form, and ``from_text`` reads exactly that text
    back.
    """

    freq: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    by_day: tuple[str, ...] = ()
    by_month_day: int | None = None
    by_month: int | None = None
    by_set_pos: int | None = None
    wkst: str = "MO"

    def __str__(self) -> str:
        return ";".join(f"{name}={value}" for name, value in self._parts() if value)

    def _parts(self) -> tuple[tuple[str, str | int | None], ...]:
        skips_weeks = self.freq is Frequency.WEEKLY and self.interval > 1
        return (
            ("FREQ", self.freq.value),
            ("INTERVAL", self.interval if self.interval > 1 else None),
            ("COUNT", self.count),
            ("UNTIL", self.until.strftime(_UNTIL_FORMAT) if self.until else None),
            ("BYDAY", ",".join(self.by_day)),
            ("BYMONTHDAY", self.by_month_day),
            ("BYMONTH", self.by_month),
            ("BYSETPOS", self.by_set_pos),
            # interop R7: with an interval the first day of the week decides which weeks are meant.
            ("WKST", self.wkst if skips_weeks or self.wkst != "MO" else None),
        )

    @classmethod
    def from_text(cls, text: str) -> "Rule":
        """Read back what ``str(rule)`` wrote; ValueError or KeyError for text that it cannot have
        written.
        """
        parts = dict(part.split("=", 1) for part in text.split(";"))

        def number(name: str) -> int | None:
            return int(parts[name]) if name in parts else None

        until = parts.get("UNTIL")
        return cls(
            freq=Frequency(parts["FREQ"]),
            interval=number("INTERVAL") or 1,
            count=number("COUNT"),
            until=datetime.strptime(until, _UNTIL_FORMAT) if until else None,  # noqa: DTZ007 — a wall-clock time
            by_day=tuple(filter(None, parts.get("BYDAY", "").split(","))),
            by_month_day=number("BYMONTHDAY"),
            by_month=number("BYMONTH"),
            by_set_pos=number("BYSETPOS"),
            wkst=parts.get("WKST", "MO"),
        )


def first_match(rule: Rule, start: datetime) -> datetime:
    """Return the first wall-clock time at or after ``start`` that satisfies ``rule`` (interop R1).

    The interval counts from the period that holds ``start``, the requested start; RFC 5545 leaves
    an unsynchronised DTSTART undefined. InvalidRule when the series has no occurrence, or cannot be
    held (see ``occurrences``).
    """
    return _series(rule, start)[0]


def occurrences(
    rule: Rule, start: datetime, *, exdates: Sequence[datetime] = ()
) -> tuple[datetime, ...]:
    """Return the wall-clock start of every occurrence, oldest first, without ``exdates``.

    ``start`` is the first match; the requested start gives the same series (interop R2), so COUNT
    counts from the first match. InvalidRule for a series without occurrences, with more than 999,
    or reaching past ``HORIZON``.
    """
    series = _series(rule, start)
    if not exdates:
        return series
    excluded = frozenset(exdates)
    return tuple(start for start in series if start not in excluded)


@lru_cache(maxsize=256)
def _series(rule: Rule, start: datetime) -> tuple[datetime, ...]:
    if not FIRST_YEAR <= start.year <= HORIZON.year:
        raise InvalidRule(
            "", f"A series must lie between {FIRST_YEAR} and {HORIZON.year}; move its start."
        )
    days = _matching_days(rule, start.date())
    starts = (datetime.combine(day, start.time()) for day in days)
    if rule.until is not None:
        return _series_until(rule.until, starts)
    found = tuple(islice(starts, rule.count))
    if not found:
        raise _no_match(rule)
    if rule.count is not None and len(found) < rule.count:
        raise InvalidRule(
            "COUNT",
            f"The series would reach past {HORIZON.year}; only {len(found)} occurrences fit before. Lower COUNT.",
        )
    return found


def _series_until(until: datetime, starts: Iterator[datetime]) -> tuple[datetime, ...]:
    if until.date() > HORIZON:
        raise InvalidRule(
            "UNTIL", f"A series may not reach past {HORIZON.year}; choose an earlier UNTIL."
        )
    found = tuple(islice(takewhile(lambda start: start <= until, starts), MAX_OCCURRENCES + 1))
    if not found:
        raise InvalidRule(
            "UNTIL", "The series ends before its first occurrence; choose a later UNTIL."
        )
    if len(found) > MAX_OCCURRENCES:
        raise InvalidRule(
            "UNTIL",
            f"The series has more than {MAX_OCCURRENCES} occurrences; choose a UNTIL before {found[-1]:%Y-%m-%d}.",
        )
    return found


def _no_match(rule: Rule) -> InvalidRule:
    part = "BYMONTHDAY" if rule.by_month_day else "INTERVAL"
    return InvalidRule(
        part,
        f"No day from the start to the end of {HORIZON.year} satisfies this rule; change {part}.",
    )


def _matching_days(rule: Rule, anchor: date) -> Iterator[date]:
    """Every day from ``anchor`` to HORIZON that satisfies ``rule``, its interval counted from the
    anchor's period.
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
    if rule.freq is Frequency.YEARLY:
        first_month, step = rule.by_month or anchor.month, 12 * rule.interval
    else:
        first_month, step = anchor.month, rule.interval
    for month_number in range(anchor.year * 12 + first_month - 1, (HORIZON.year + 1) * 12, step):
        year, month = divmod(month_number, 12)
        day = _day_of_month(rule, year, month + 1)
        if day:
            yield date(year, month + 1, day)


def _day_of_month(rule: Rule, year: int, month: int) -> int | None:
    """Return the day of this month that ``rule`` means; None in a month too short for it (RFC 5545
    §3.3.10).
    """
    weekday, length = monthrange(year, month)
    if rule.by_set_pos is None:
        wanted = rule.by_month_day or 0
        day = length + 1 + wanted if wanted < 0 else wanted
        return day if 1 <= day <= length else None
    wanted_days = {WEEKDAYS.index(name) for name in rule.by_day}
    matching = [day for day in range(1, length + 1) if (weekday + day - 1) % 7 in wanted_days]
    return matching[rule.by_set_pos - 1 if rule.by_set_pos > 0 else rule.by_set_pos]


def check_series(
    starts: Sequence[datetime], *, duration: timedelta, tzid: str, all_day: bool
) -> None:
    """Refuse, with InvalidRule, a series that Outlook or the clock cannot hold.

    ``starts`` are wall-clock times in ``tzid``, oldest first; ``duration`` is wall-clock too.
    Occurrences may neither overlap nor share a day (interop R10); touching is allowed. The start
    and the end of each must exist on the clock (interop R16); an all-day meeting has no clock.
    """
    for start, following in pairwise(starts):
        if following - start < duration or following.date() == start.date():
            raise _overlap(start, following)
    if duration > _END_OF_TIME - starts[-1]:
        raise InvalidRule(
            "", f"The last occurrence ends after {HORIZON.year}; end the series earlier."
        )
    if all_day:
        return
    for start in starts:
        for moment in (start, start + duration):
            if is_skipped(moment, tzid):
                raise InvalidRule(
                    "",
                    f"{_skipped(moment, tzid)} Choose another time of day, or exclude that day with EXDATE.",
                )


def _overlap(start: datetime, following: datetime) -> InvalidRule:
    return InvalidRule(
        "",
        f"The occurrence of {start:%Y-%m-%d %H:%M} lasts into the next one of {following:%Y-%m-%d %H:%M}."
        " Shorten the meeting, or repeat it less often.",
    )


def check_wall_clock(field: str, value: datetime, tzid: str) -> None:
    """Refuse, with InvalidProperty on ``field``, a wall-clock time that the clocks of ``tzid`` skip
    (interop R16).
    """
    skipped = gap(value, tzid)
    if skipped:
        raise InvalidProperty(
            field, f"{_skipped(value, tzid)} Choose {value + skipped:%Y-%m-%d %H:%M}, for example."
        )


def _skipped(moment: datetime, tzid: str) -> str:
    return f"{moment:%Y-%m-%d %H:%M} does not exist in {tzid}: the clocks are put forward over it."
