"""Series that Outlook cannot represent, and times that the clocks skip."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Final

from meetings.itip.errors import InvalidProperty, InvalidRule
from meetings.itip.moment import HORIZON
from meetings.itip.zones.offsets import gap, is_skipped

_END_OF_TIME: Final = datetime.combine(HORIZON + timedelta(days=1), time())


def check_series(
    starts: Sequence[datetime], *, duration: timedelta, tzid: str, all_day: bool
) -> None:
    """Refuse, with InvalidRule, a series that Outlook or the clocks cannot represent.

    ``starts`` are wall-clock times in ``tzid``, oldest first. ``duration`` is wall-clock too. Two
    occurrences may touch, but not overlap or share a day (interop R10). Each start and end must
    exist on the clocks (interop R16); an all-day meeting has no time of day.
    """
    _check_distances(starts, duration)
    if duration > _END_OF_TIME - starts[-1]:
        message = f"The last occurrence ends after {HORIZON.year}; end the series earlier."
        raise InvalidRule("", message)
    if not all_day:
        _check_clocks(starts, duration, tzid)


def _check_distances(starts: Sequence[datetime], duration: timedelta) -> None:
    for start, following in pairwise(starts):
        if following - start < duration or following.date() == start.date():
            raise InvalidRule(
                "",
                f"The occurrence of {start:%Y-%m-%d %H:%M} lasts into the next one of"
                f" {following:%Y-%m-%d %H:%M}. Shorten the meeting, or repeat it less often.",
            )


def _check_clocks(starts: Sequence[datetime], duration: timedelta, tzid: str) -> None:
    for start in starts:
        for moment in (start, start + duration):
            if is_skipped(moment, tzid):
                advice = "Choose another time of day, or exclude that day with EXDATE."
                raise InvalidRule("", f"{_skipped(moment, tzid)} {advice}")


def check_wall_clock(property: str, value: datetime, tzid: str) -> None:  # noqa: A002
    """Refuse a wall-clock time that the clocks of ``tzid`` skip (interop R16).

    Raises InvalidProperty on ``property``.
    """
    skipped = gap(value, tzid)
    if skipped:
        advice = f"Choose {value + skipped:%Y-%m-%d %H:%M}, for example."
        raise InvalidProperty(property, f"{_skipped(value, tzid)} {advice}")


def _skipped(moment: datetime, tzid: str) -> str:
    time_of_day = f"{moment:%Y-%m-%d %H:%M}"
    return f"{time_of_day} does not exist in {tzid}: the clocks are put forward over it."
