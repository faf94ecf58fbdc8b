"""An engine's answer beside the truth: each occurrence right, wrong for a known reason, or wrong
without one.
"""

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

from tests.interop.answers import FLOATING, Answer
from tests.interop.calendars import Emitted
from tests.interop.truth import Moment

_OFFSET: Final = re.compile(r"TZOFFSETTO:(\S+)")
_SYSTEM: Final = Path("/usr/share/zoneinfo")


class Reason(StrEnum):
    """Why an engine's answer differs; each is analysed in ``report``."""

    SECOND_PASS = "second pass"
    EXACT_LENGTH = "exact length"
    SHORT_MONTH = "short month"
    AFTER_A_GAP = "after a skipped time"
    OTHER_LAW = "another zone database"
    SAME_AS_UTC = "a zone that is the same as UTC"
    UNEXPLAINED = "UNEXPLAINED"


@dataclass(frozen=True, slots=True)
class Difference:
    """One occurrence that an engine sees otherwise; ``edge`` is start or end."""

    edge: str
    reason: Reason
    true: Moment | None
    found: Moment | None


def differences(
    emitted: Emitted, answer: Answer, *, clamps: bool = False, by_name: bool = False
) -> list[Difference]:
    """Compare every start and end.

    ``clamps`` is said of a reader that moves days 29 to 31 into shorter months, ``by_name`` of one
    that reads no VTIMEZONE, but looks the zone up in the system's database.
    """
    truth = emitted.truth
    if answer.starts == truth.starts and answer.ends == truth.ends:
        return []
    if answer.error or len(answer.starts) != len(truth.starts):
        found = _unlike(emitted, answer)
    elif clamps and emitted.case.kind == "month end, days 29 to 31":
        found = list(_short_months(emitted, answer))
    else:
        found = list(_occurrence_by_occurrence(emitted, answer))
    if by_name and _has_another_law(emitted, answer):
        return [
            replace(one, reason=Reason.OTHER_LAW) if _is_other_law(one, emitted) else one
            for one in found
        ]
    return found


def _is_other_law(difference: Difference, emitted: Emitted) -> bool:
    """Whether the reader shows the right time of the clock by its own law, or for UNTIL sees
    another number of them.
    """
    if (
        difference.reason is not Reason.UNEXPLAINED
        or difference.true is None
        or difference.found is None
    ):
        return difference.reason is Reason.UNEXPLAINED
    there = _zone_of_the_system(emitted.case.tzid)
    shown = datetime.fromtimestamp(int(difference.found), there).replace(tzinfo=None)
    return shown == _local(difference.true, emitted).replace(tzinfo=None)


def _has_another_law(emitted: Emitted, answer: Answer) -> bool:
    """Whether the system's zone database gives a time of the meeting another offset than the one in
    use here.
    """
    here, there = ZoneInfo(emitted.case.tzid), _zone_of_the_system(emitted.case.tzid)
    shown = (*emitted.truth.starts, *emitted.truth.ends, *answer.starts, *answer.ends)
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


def _unlike(emitted: Emitted, answer: Answer) -> list[Difference]:
    """Another number of occurrences, or none at all."""
    if FLOATING in answer.error and set(_OFFSET.findall(emitted.renamed)) == {"+0000"}:
        return [Difference("start", Reason.SAME_AS_UTC, emitted.truth.starts[0], None)]
    missing = [start for start in emitted.truth.starts if start not in set(answer.starts)]
    surplus = [start for start in answer.starts if start not in set(emitted.truth.starts)]
    return [
        Difference("start", Reason.UNEXPLAINED, true, found)
        for true, found in zip_longest(missing or emitted.truth.starts[:1], surplus)
    ]


def _short_months(emitted: Emitted, answer: Answer) -> Iterator[Difference]:
    """A start that is not meant is explained if its day is none that the rule can mean."""
    wanted = {_local(start, emitted).day for start in emitted.truth.starts}
    for found in answer.starts:
        if found not in set(emitted.truth.starts):
            is_moved = _local(found, emitted).day not in wanted
            yield Difference(
                "start", Reason.SHORT_MONTH if is_moved else Reason.UNEXPLAINED, None, found
            )


def _local(moment: Moment, emitted: Emitted) -> datetime:
    return datetime.fromtimestamp(int(moment), ZoneInfo(emitted.case.tzid))


def _occurrence_by_occurrence(emitted: Emitted, answer: Answer) -> Iterator[Difference]:
    truth = zip(emitted.truth.starts, emitted.truth.ends, strict=True)
    for (true_start, true_end), start, end in zip(truth, answer.starts, answer.ends, strict=True):
        why_start, why_end = _reason(emitted, true_start, start), _reason(emitted, true_end, end)
        if why_end is Reason.UNEXPLAINED and why_start in (None, Reason.SECOND_PASS):
            why_end = (
                Reason.EXACT_LENGTH
                if _length(start, end) == emitted.truth.exact_length
                else why_end
            )
        if why_start:
            yield Difference("start", why_start, true_start, start)
        if why_end:
            yield Difference("end", why_end, true_end, end)


def _reason(emitted: Emitted, true: Moment, found: Moment) -> Reason | None:
    if found == true:
        return None
    if found == _second_pass(true, emitted.case.tzid):
        return Reason.SECOND_PASS
    if _is_moved_by_a_gap(emitted, true, found):
        return Reason.AFTER_A_GAP
    return Reason.UNEXPLAINED


def _is_moved_by_a_gap(emitted: Emitted, true: Moment, found: Moment) -> bool:
    """Whether ``found`` is as much late as the clocks jumped over an excluded occurrence before
    ``true``.
    """
    if not isinstance(true, int) or not isinstance(found, int):
        return False
    zone = ZoneInfo(emitted.case.tzid)
    wall, shown = (
        datetime.fromtimestamp(moment, zone).replace(tzinfo=None) for moment in (true, found)
    )
    jumps = (_jump(start, zone) for start in emitted.truth.left_out if start < wall)
    return shown - wall in {jump for jump in jumps if jump}


def _jump(wall: datetime, zone: ZoneInfo) -> timedelta:
    """By how much a reader that goes on from a time that does not exist goes wrong; zero for one
    that exists.
    """
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) - wall


def _length(start: Moment, end: Moment) -> int | None:
    return end - start if isinstance(start, int) and isinstance(end, int) else None


def _second_pass(moment: Moment, tzid: str) -> int | None:
    """The later of the two instants of a local time that comes twice; None for one that does not."""
    if not isinstance(moment, int):
        return None
    second = int(datetime.fromtimestamp(moment, ZoneInfo(tzid)).replace(fold=1).timestamp())
    return second if second > moment else None
