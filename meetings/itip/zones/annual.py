"""Annual rules: the only way in which Outlook reads a change of the clocks out of a VTIMEZONE.

One nth weekday of a month, or one day of a month, at one local time, every year (interop Z2); RDATE
is ignored there.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LAST: Final = -1
_MOST_WEEKS: Final = 4  # every month has four of each weekday
_LEAP_DAY: Final = (2, 29)
_month: Final = lru_cache(maxsize=2048)(
    monthrange
)  # asked for tens of thousands of times in a search that fails


@dataclass(frozen=True, slots=True)
class AnnualRule:
    """The local time ``at`` on one day of every year.

    With a ``weekday`` (0 = Monday) ``position`` is its number in the month, 1 to 4, or -1 for the
    last one; without, ``position`` is the day of the month, which every year has.
    """

    month: int
    position: int
    weekday: int | None
    at: time

    def onset(self, year: int) -> datetime:
        """Return the naive local time of this rule in ``year``, on the clock that was valid just
        before it.
        """
        return datetime.combine(date(year, self.month, self._day(year)), self.at)

    def _day(self, year: int) -> int:
        if self.weekday is None:
            return self.position
        first_weekday, length = _month(year, self.month)
        first = 1 + (self.weekday - first_weekday) % 7
        if self.position == _LAST:
            return first + (length - first) // 7 * 7
        return first + 7 * (self.position - 1)

    def __str__(self) -> str:
        """Return the RRULE text (RFC 5545 §3.6.5, as Outlook reads it: OXCICAL 9b81b753)."""
        day = f"BYMONTHDAY={self.position}"
        if self.weekday is not None:
            day = f"BYDAY={self.position}{_WEEKDAYS[self.weekday]}"
        return f"FREQ=YEARLY;BYMONTH={self.month};{day}"


def annual_rules(onset: datetime) -> tuple[AnnualRule, ...]:
    """Return every annual rule that puts a change at ``onset`` in its year, or so near that no
    meeting notices.

    The change itself comes first. Laws such as "the last Thursday at 24:00" or "Saturday at 22:00
    before the last Sunday" have no exact annual rule where the day is counted from another one than
    the change falls on; there the last second of the day before, or the midnight after, stands for
    the change. Whoever uses such a rule must check it against every time that matters.
    """
    midnight = datetime.combine(onset.date(), time())
    neighbours = (onset, midnight - timedelta(seconds=1), midnight + timedelta(days=1))
    return tuple(rule for neighbour in neighbours for rule in _rules_of_day(neighbour))


def _rules_of_day(onset: datetime) -> Iterator[AnnualRule]:
    position = (onset.day + 6) // 7
    is_last = onset.day + 7 > monthrange(onset.year, onset.month)[1]
    if position <= _MOST_WEEKS:
        yield AnnualRule(onset.month, position, onset.weekday(), onset.time())
    if is_last:
        yield AnnualRule(onset.month, _LAST, onset.weekday(), onset.time())
    yield day_rule(onset)


def day_rule(onset: datetime) -> AnnualRule:
    """Return the rule for this day of the month every year; the 28th stands for a leap day."""
    day = onset.day - 1 if (onset.month, onset.day) == _LEAP_DAY else onset.day
    return AnnualRule(onset.month, day, None, onset.time())


def shared_rules(onsets: Iterable[datetime]) -> tuple[AnnualRule, ...]:
    """Return the annual rules of all ``onsets``, those that explain most of them first."""
    explained = Counter(rule for onset in onsets for rule in annual_rules(onset))
    return tuple(rule for rule, _ in explained.most_common())


def law_of(onsets: Iterable[datetime]) -> AnnualRule | None:
    """Return an annual rule that explains every one of ``onsets``; None when there is none."""
    of_each = [annual_rules(onset) for onset in onsets]
    common = (
        (rule for rule in of_each[0] if all(rule in rules for rules in of_each))
        if of_each
        else iter(())
    )
    return next(common, None)
