"""The parts of a recurrence as a caller gives them."""

from dataclasses import dataclass

from meetings.itip.moment import Moment
from meetings.itip.recurrence.rule import Frequency

NumberedDay = tuple[int | None, str]
"""``(2, "WE")`` is the second Wednesday, ``(None, "WE")`` each Wednesday (RFC 5545 §3.3.10, BYDAY).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleParts:
    """The rule parts of RFC 5545 §3.3.10, and EXDATE. None, or an empty tuple, means not given.

    Each has the right type. Whether they fit together is decided in ``templates``.
    """

    freq: Frequency
    interval: int | None = None
    count: int | None = None
    until: Moment | None = None
    by_day: tuple[NumberedDay, ...] = ()
    by_month_day: int | None = None
    by_month: int | None = None
    by_set_pos: int | None = None
    wkst: str | None = None
    exdates: tuple[Moment, ...] = ()
