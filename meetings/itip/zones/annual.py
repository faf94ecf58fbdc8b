"""Annual rules: the only form in which Outlook reads a change of the clocks from a VTIMEZONE.

An annual rule is one nth weekday of a month, or one day of a month, at one local time, in every
year. Outlook ignores anything else, such as RDATE (interop Z2).
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
_FULL_WEEKS: Final = 4  # every month has four of each weekday, and not always a fifth
_LEAP_DAY: Final = (2, 29)

# A search for a law that does not exist asks for the same months tens of thousands of times.
_month: Final = lru_cache(maxsize=2048)(monthrange)


@dataclass(frozen=True, slots=True)
class AnnualRule:
    """The local time ``at`` on one day of every year.

    With a ``weekday`` (0 is Monday), ``position`` is its number in the month: 1 to 4, or -1 for the
    last one. Without, ``position`` is a day of the month that exists in every year.
    """

    month: int
    position: int
    weekday: int | None
    at: time

    def onset(self, year: int) -> datetime:
        """Return the time of the change in ``year``, on the clock that is valid just before it."""
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
        """Return the RRULE (RFC 5545 §3.6.5) in a form that Outlook reads (MS-OXCICAL 9b81b753)."""
        day = f"BYMONTHDAY={self.position}"
        if self.weekday is not None:
            day = f"BYDAY={self.position}{_WEEKDAYS[self.weekday]}"
        return f"FREQ=YEARLY;BYMONTH={self.month};{day}"


def annual_rules(onset: datetime) -> tuple[AnnualRule, ...]:
    """Return the annual rules that may describe a change at the local time ``onset``.

    The rules for ``onset`` itself come first. Some laws count from another day than the change
    falls on, such as "the last Thursday at 24:00" or "Saturday at 22:00 before the last Sunday".
    They have no exact annual rule. Rules for the last second of the day before, and for the
    midnight after, stand in for them. Such a rule can be hours off, so the caller must check it
    against each time of the meeting.
    """
    midnight = datetime.combine(onset.date(), time())
    day_before, day_after = midnight - timedelta(seconds=1), midnight + timedelta(days=1)
    return tuple(
        rule for moment in (onset, day_before, day_after) for rule in _rules_of_day(moment)
    )


def _rules_of_day(onset: datetime) -> Iterator[AnnualRule]:
    position = (onset.day + 6) // 7
    is_last = onset.day + 7 > monthrange(onset.year, onset.month)[1]
    if position <= _FULL_WEEKS:
        yield AnnualRule(onset.month, position, onset.weekday(), onset.time())
    if is_last:
        yield AnnualRule(onset.month, _LAST, onset.weekday(), onset.time())
    yield day_rule(onset)


def day_rule(onset: datetime) -> AnnualRule:
    """Return the rule for the day of the month of ``onset``; the 28th replaces a leap day."""
    day = onset.day - 1 if (onset.month, onset.day) == _LEAP_DAY else onset.day
    return AnnualRule(onset.month, day, None, onset.time())


def rules_by_frequency(onsets: Iterable[datetime]) -> tuple[AnnualRule, ...]:
    """Return the annual rules of all ``onsets``; rules that fit most of the onsets come first."""
    fits = Counter(rule for onset in onsets for rule in annual_rules(onset))
    return tuple(rule for rule, _ in fits.most_common())


def common_rule(onsets: Iterable[datetime]) -> AnnualRule | None:
    """Return the first annual rule that fits all ``onsets`` (at least one); None if none does."""
    first, *others = [annual_rules(onset) for onset in onsets]
    return next((rule for rule in first if all(rule in rules for rules in others)), None)
