"""A recurrence rule: as a caller gives its parts, and written out in full."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""The two-letter days in the order of ``date.weekday()``."""

_UNTIL_FORMAT: Final = "%Y%m%dT%H%M%S"


class Frequency(StrEnum):
    """FREQ, as far as Outlook can represent it (interop R4)."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An RRULE that fits one of Outlook's templates, with its day always written out (interop R4).

    ``until`` is a wall-clock time in the event's zone, inclusive. Exactly one of ``count`` and
    ``until`` is set. ``by_day`` has two-letter days without numbers, Monday first. ``str()`` gives
    the text of RFC 5545 with UNTIL in local form, and ``from_text`` reads exactly that text.
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
            # With an interval, the first day of the week decides which weeks are meant (interop
            # R7).
            ("WKST", self.wkst if skips_weeks or self.wkst != "MO" else None),
        )

    @classmethod
    def from_text(cls, text: str) -> "Rule":
        """Read what ``str(rule)`` wrote. Raises ValueError or KeyError for any other text."""
        parts = dict(part.split("=", 1) for part in text.split(";"))

        def number(name: str) -> int | None:
            return int(parts[name]) if name in parts else None

        until = parts.get("UNTIL")
        return cls(
            freq=Frequency(parts["FREQ"]),
            interval=number("INTERVAL") or 1,
            count=number("COUNT"),
            until=datetime.strptime(until, _UNTIL_FORMAT) if until else None,  # noqa: DTZ007
            by_day=tuple(filter(None, parts.get("BYDAY", "").split(","))),
            by_month_day=number("BYMONTHDAY"),
            by_month=number("BYMONTH"),
            by_set_pos=number("BYSETPOS"),
            wkst=parts.get("WKST", "MO"),
        )
