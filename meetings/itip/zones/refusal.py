"""Series that no single VTIMEZONE describes: they are refused with the day to end before."""

from collections.abc import Iterable
from datetime import datetime

from meetings.itip.errors import ZoneNotExpressible
from meetings.itip.zones.vtimezone import first_not_expressible


def first_not_exact(
    tzid: str, spans: Iterable[tuple[datetime, datetime]]
) -> tuple[datetime, datetime] | None:
    """Return the start of the first occurrence that cannot be part of the series, and its time.

    The time may be the end of an occurrence that began on an earlier day. Then the series must end
    before that day. ``spans`` are as in ``require_exact``. None if one pair of rules is right for
    all of them.
    """
    starts = {end: start for start, end in spans}
    wrong = first_not_expressible(tzid, sorted({*starts, *starts.values()}))
    return None if wrong is None else (starts.get(wrong, wrong), wrong)


def require_exact(tzid: str, spans: Iterable[tuple[datetime, datetime]]) -> None:
    """Raise ZoneNotExpressible unless one pair of annual rules is right for every start and end.

    ``spans`` are the naive wall-clock start and end of each occurrence in the IANA zone ``tzid``,
    in any order, at least one. The error names the day of the first occurrence that cannot be part
    of the series.
    """
    found = first_not_exact(tzid, spans)
    if found is None:
        return
    began, wrong = found
    raise ZoneNotExpressible(
        f"The clocks of {tzid} change in {wrong.year} in a way that a calendar cannot represent"
        " together with the earlier occurrences of the series. End the series before"
        f" {began:%Y-%m-%d} and start a new one on that day.",
    )
