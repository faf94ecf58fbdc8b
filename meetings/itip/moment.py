"""A time as a caller gives it, before it is known on which clocks it is read."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from meetings.itip.errors import InvalidProperty

FIRST_YEAR: Final = 1970
"""A VTIMEZONE written here begins in 1970 and says nothing about earlier times (interop Z2)."""

HORIZON: Final = date(2099, 12, 31)
"""The last day that a series may touch. Every search needs an end, and nobody knows later laws."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall-clock time (naive) or an instant (aware). With ``is_date`` it is a whole day."""

    value: datetime
    is_date: bool = False

    def wall_clock(self, tzid: str) -> datetime:
        """Return the wall-clock time in the IANA zone ``tzid``."""
        if self.value.tzinfo is None:
            return self.value
        return self.value.astimezone(ZoneInfo(tzid)).replace(tzinfo=None, fold=0)

    def exact_wall_clock(self, tzid: str, property: str) -> datetime:  # noqa: A002
        """Return the wall-clock time in ``tzid``, which must mean the same instant.

        Raises InvalidProperty on ``property`` for a time outside 1970 to 2099, and for the second
        pass of an hour that the clocks show twice: a calendar would read the first (interop R16).
        """
        local = self.wall_clock(tzid)
        if self.value.tzinfo is None:
            return local
        if not FIRST_YEAR <= local.year <= HORIZON.year:
            message = f"The time must lie between {FIRST_YEAR} and {HORIZON.year} in {tzid}."
            raise InvalidProperty(property, message)
        if local.replace(tzinfo=ZoneInfo(tzid)).astimezone(UTC) != self.value.astimezone(UTC):
            message = (
                f"{local:%Y-%m-%d %H:%M} happens twice in {tzid}, and this is the second time."
            )
            raise InvalidProperty(property, message)
        return local
