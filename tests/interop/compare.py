"""What an engine reads beside what is expected: right, wrong for a known reason, or just wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from tests.interop.calendars import Emitted
from tests.interop.expected import Moment
from tests.interop.readings import FLOATING, Reading

_OFFSET: Final = re.compile(r"TZOFFSETTO:(\S+)")
_SYSTEM: Final = Path("/usr/share/zoneinfo")


class Reason(StrEnum):
    """Why a reading differs; ``report`` explains each."""

    SECOND_PASS = "second pass"
    EXACT_LENGTH = "exact length"
    SHORT_MONTH = "short month"
    AFTER_A_GAP = "after a skipped time"
    OTHER_LAW = "another zone database"
    SAME_AS_UTC = "a zone that is the same as UTC"
    UNEXPLAINED = "UNEXPLAINED"


@dataclass(frozen=True, slots=True)
class Difference:
    """One start or end (``edge``) that an engine reads differently."""

    edge: str
    reason: Reason
    expected: Moment | None
    read: Moment | None


def differences(
    emitted: Emitted, reading: Reading, *, clamps: bool = False, by_name: bool = False
) -> list[Difference]:
    """Compare every start and end.

    ``clamps``: the reader moves the days 29 to 31 into shorter months. ``by_name``: it reads no
    VTIMEZONE, but looks the zone up in the database of the system.
    """
    expected = emitted.expected
    if reading.starts == expected.starts and reading.ends == expected.ends:
        return []
    if reading.error or len(reading.starts) != len(expected.starts):
        found = _of_another_number(emitted, reading)
    elif clamps and emitted.case.kind == "month end, days 29 to 31":
        found = list(_in_short_months(emitted, reading))
    else:
        found = list(_by_occurrence(emitted, reading))
    if by_name and _has_another_law(emitted, reading):
        return [_explained_by_law(difference, emitted) for difference in found]
    return found


def _explained_by_law(difference: Difference, emitted: Emitted) -> Difference:
    if difference.reason is Reason.UNEXPLAINED and _is_by_other_law(difference, emitted):
        return replace(difference, reason=Reason.OTHER_LAW)
    return difference


def _is_by_other_law(difference: Difference, emitted: Emitted) -> bool:
    """Whether the reader shows the right wall-clock time by the law that it knows.

    An UNTIL may also give another number of occurrences, so one of the two can be missing.
    """
    if difference.expected is None or difference.read is None:
        return True
    there = _zone_of_the_system(emitted.case.tzid)
    shown = datetime.fromtimestamp(int(difference.read), there).replace(tzinfo=None)
    return shown == _local(difference.expected, emitted).replace(tzinfo=None)


def _has_another_law(emitted: Emitted, reading: Reading) -> bool:
    """Whether the system's zone database has another offset for a time of the meeting."""
    here, there = ZoneInfo(emitted.case.tzid), _zone_of_the_system(emitted.case.tzid)
    shown = (*emitted.expected.starts, *emitted.expected.ends, *reading.starts, *reading.ends)
    moments = [moment for moment in shown if isinstance(moment, int)]
    return any(
        datetime.fromtimestamp(moment, here).utcoffset()
        != datetime.fromtimestamp(moment, there).utcoffset()
        for moment in moments
    )


@lru_cache(maxsize=1024)
def _zone_of_the_system(tzid: str) -> ZoneInfo:
    path = _SYSTEM / tzid
    if not path.is_file():
        return ZoneInfo(tzid)
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, tzid)


def _of_another_number(emitted: Emitted, reading: Reading) -> list[Difference]:
    """The reading has another number of occurrences, or is an error."""
    starts = emitted.expected.starts
    if FLOATING in reading.error and set(_OFFSET.findall(emitted.renamed)) == {"+0000"}:
        return [Difference("start", Reason.SAME_AS_UTC, starts[0], None)]
    missing = [start for start in starts if start not in set(reading.starts)]
    surplus = [start for start in reading.starts if start not in set(starts)]
    return [
        Difference("start", Reason.UNEXPLAINED, expected, read)
        for expected, read in zip_longest(missing or starts[:1], surplus)
    ]


def _in_short_months(emitted: Emitted, reading: Reading) -> Iterator[Difference]:
    """A surplus start is explained if it falls on a day of the month that the rule never gives."""
    expected = set(emitted.expected.starts)
    days = {_local(start, emitted).day for start in expected}
    for read in reading.starts:
        if read not in expected:
            is_moved = _local(read, emitted).day not in days
            reason = Reason.SHORT_MONTH if is_moved else Reason.UNEXPLAINED
            yield Difference("start", reason, None, read)


def _local(moment: Moment, emitted: Emitted) -> datetime:
    return datetime.fromtimestamp(int(moment), ZoneInfo(emitted.case.tzid))


def _by_occurrence(emitted: Emitted, reading: Reading) -> Iterator[Difference]:
    expected = zip(emitted.expected.starts, emitted.expected.ends, strict=True)
    read = zip(reading.starts, reading.ends, strict=True)
    for (right_start, right_end), (start, end) in zip(expected, read, strict=True):
        why_start = _reason(emitted, right_start, start)
        why_end = _reason(emitted, right_end, end)
        is_exact = _length(start, end) == emitted.expected.exact_length
        # A start on the second pass moves an exact end too.
        if why_end is Reason.UNEXPLAINED and why_start in (None, Reason.SECOND_PASS) and is_exact:
            why_end = Reason.EXACT_LENGTH
        if why_start:
            yield Difference("start", why_start, right_start, start)
        if why_end:
            yield Difference("end", why_end, right_end, end)


def _reason(emitted: Emitted, expected: Moment, read: Moment) -> Reason | None:
    if read == expected:
        return None
    if read == _second_pass(expected, emitted.case.tzid):
        return Reason.SECOND_PASS
    if _is_moved_by_a_gap(emitted, expected, read):
        return Reason.AFTER_A_GAP
    return Reason.UNEXPLAINED


def _is_moved_by_a_gap(emitted: Emitted, expected: Moment, read: Moment) -> bool:
    """Whether ``read`` is late by what the clocks jumped over an earlier, excluded occurrence."""
    if not isinstance(expected, int) or not isinstance(read, int):
        return False
    zone = ZoneInfo(emitted.case.tzid)
    wall, shown = (
        datetime.fromtimestamp(moment, zone).replace(tzinfo=None) for moment in (expected, read)
    )
    jumps = (_jump(start, zone) for start in emitted.expected.left_out if start < wall)
    return shown - wall in {jump for jump in jumps if jump}


def _jump(wall: datetime, zone: ZoneInfo) -> timedelta:
    """By how much a reader is late if it moves a time that does not exist; zero if it exists."""
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) - wall


def _length(start: Moment, end: Moment) -> int | None:
    return end - start if isinstance(start, int) and isinstance(end, int) else None


def _second_pass(moment: Moment, tzid: str) -> int | None:
    """The second of the two instants of a local time that occurs twice; None if it does not."""
    if not isinstance(moment, int):
        return None
    second = int(datetime.fromtimestamp(moment, ZoneInfo(tzid)).replace(fold=1).timestamp())
    return second if second > moment else None
