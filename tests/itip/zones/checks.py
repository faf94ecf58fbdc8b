"""What several tests check of a VTIMEZONE: its form, and the offsets that a reader gets from it."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from meetings.itip.recurrence.expansion import occurrences
from meetings.itip.recurrence.rule import Rule
from meetings.itip.zones.offsets import gap
from meetings.itip.zones.vtimezone import Kind, Observance
from tests.support.readers.vtimezone_reader import day_of, offset_read

MONDAY = datetime(2026, 1, 5, 10)
HOUR = timedelta(hours=1)
RULE = r"FREQ=YEARLY;BYMONTH=\d+;(BYDAY=([1-4]|-1)(MO|TU|WE|TH|FR|SA|SU)|BYMONTHDAY=\d+)"


def series(rule: str, start: datetime) -> list[datetime]:
    """The starts of a series, and its ends an hour later."""
    starts = occurrences(Rule.from_text(rule), start)
    return [*starts, *(start + HOUR for start in starts)]


def wrong_times(
    parts: Sequence[Observance], tzid: str, times: Sequence[datetime]
) -> list[datetime]:
    """The times that a reader of RFC 5545 puts at another offset than zoneinfo."""
    zone = ZoneInfo(tzid)
    return [
        moment
        for moment in times
        if offset_read(parts, moment) != moment.replace(tzinfo=zone).utcoffset()
        and not gap(moment, tzid)
    ]


def check_form(parts: Sequence[Observance]) -> None:
    """What interop Z2 says about the components, whatever the zone."""
    assert [part.kind for part in parts] in ([Kind.STANDARD], [Kind.STANDARD, Kind.DAYLIGHT])
    for part in parts:
        assert part.onset.year == 1970
        assert part.name
        if part.rule is None:
            assert len(parts) == 1
            assert part.offset_from == part.offset_to
        else:
            assert re.fullmatch(RULE, part.rule)
            assert day_of(part.rule, 1970) == part.onset.date()
    if len(parts) == 2:
        standard, daylight = parts
        assert daylight.offset_to > standard.offset_to
        assert daylight.offset_from == standard.offset_to
        assert daylight.offset_to == standard.offset_from
