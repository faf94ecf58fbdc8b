"""The meetings that are tried: in every zone, with rules that people use, in different years."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import available_timezones

from meetings.itip.zones.names import zone_name
from meetings.itip.zones.offsets import transitions

_NOT_A_ZONE: Final = {"Factory", "localtime", "posixrules"}
ZONES: Final = sorted({zone_name(name) for name in available_timezones() - _NOT_A_ZONE})
"""Every zone of the installed tzdata. All names of UTC are one, as they are for the service."""

CHANGED_LAW: Final = frozenset(
    [
        "Africa/Cairo", "Africa/Casablanca", "Africa/El_Aaiun", "Africa/Juba",
        "Africa/Sao_Tome", "America/Asuncion", "America/Chihuahua", "America/Dawson",
        "America/Edmonton", "America/Godthab", "America/Mexico_City", "America/Nuuk",
        "America/Ojinaga", "America/Santiago", "America/Sao_Paulo", "America/Scoresbysund",
        "America/St_Johns", "America/Vancouver", "America/Whitehorse", "America/Winnipeg",
        "Antarctica/Casey", "Antarctica/Troll", "Asia/Almaty", "Asia/Amman",
        "Asia/Beirut", "Asia/Damascus", "Asia/Gaza", "Asia/Hebron",
        "Asia/Jerusalem", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Qyzylorda",
        "Asia/Tehran", "Australia/Adelaide", "Australia/Lord_Howe", "Europe/Chisinau",
        "Europe/Dublin", "Europe/Volgograd", "Pacific/Apia", "Pacific/Chatham",
        "Pacific/Easter", "Pacific/Fiji", "Pacific/Norfolk",
    ]
)  # fmt: skip
"""Zones that changed their law since 2019, follow the moon, or have a shift of less than an hour.

Their meetings begin in each year.
"""

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
_EDGE_YEARS: Final = range(2019, 2038, 3)


@dataclass(frozen=True, slots=True)
class Case:
    """A meeting as a caller asks for it, with naive wall-clock times in ``tzid``.

    Every ``left_out``-th occurrence is excluded; 0 excludes none.
    """

    kind: str
    tzid: str
    start: datetime
    duration: timedelta
    rule: str | None = None
    all_day: bool = False
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Pattern:
    kind: str
    rule: str | None
    starts: tuple[str, ...]
    duration: timedelta = HOUR
    all_day: bool = False
    left_out: int = 0

    def cases(self, tzid: str) -> Iterator[Case]:
        for start in self.starts:
            when = datetime.fromisoformat(start)
            yield Case(self.kind, tzid, when, self.duration, self.rule, self.all_day, self.left_out)


_PATTERNS: Final = (
    _Pattern(
        "single",
        None,
        ("2019-01-15 10:00", "2024-07-03 14:30", "2031-10-30 09:00", "2037-03-31 18:00"),
    ),
    _Pattern(
        "weekly",
        "FREQ=WEEKLY;COUNT=52;BYDAY=MO",
        ("2019-06-01 10:00", "2027-01-01 08:00", "2037-01-05 16:00"),
    ),
    _Pattern("weekly", "FREQ=WEEKLY;COUNT=260;BYDAY=TU", ("2026-01-06 10:00", "2032-02-29 10:00")),
    _Pattern("weekly", "FREQ=WEEKLY;COUNT=156;BYDAY=MO,WE,FR", ("2029-05-02 17:15",)),
    _Pattern(
        "bi-weekly, WKST",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=78;BYDAY=SU,TU;WKST=SU",
        ("2021-02-03 10:00",),
    ),
    _Pattern(
        "bi-weekly, WKST",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=78;BYDAY=SU,TU;WKST=MO",
        ("2021-02-03 10:00",),
    ),
    _Pattern(
        "bi-weekly, WKST", "FREQ=WEEKLY;INTERVAL=3;COUNT=30;BYDAY=TH;WKST=SU", ("2035-12-31 12:00",)
    ),
    _Pattern("daily", "FREQ=DAILY;COUNT=260", ("2020-02-28 09:30", "2028-09-01 20:00")),
    _Pattern("daily", "FREQ=DAILY;INTERVAL=3;COUNT=120", ("2036-08-01 07:45",)),
    _Pattern(
        "monthly by day",
        "FREQ=MONTHLY;COUNT=24;BYMONTHDAY=15",
        ("2019-03-20 10:00", "2034-01-01 10:00"),
    ),
    _Pattern(
        "monthly by day", "FREQ=MONTHLY;INTERVAL=3;COUNT=12;BYMONTHDAY=3", ("2026-11-30 10:00",)
    ),
    _Pattern(
        "monthly nth",
        "FREQ=MONTHLY;COUNT=36;BYDAY=WE;BYSETPOS=2",
        ("2025-04-01 10:00", "2033-07-31 10:00"),
    ),
    _Pattern("monthly nth", "FREQ=MONTHLY;COUNT=24;BYDAY=FR;BYSETPOS=-1", ("2022-01-01 15:00",)),
    _Pattern("monthly nth", "FREQ=MONTHLY;COUNT=10;BYDAY=SA,SU;BYSETPOS=1", ("2030-05-05 11:00",)),
    _Pattern("month end", "FREQ=MONTHLY;COUNT=36;BYMONTHDAY=-1", ("2023-11-30 10:00",)),
    _Pattern(
        "month end", "FREQ=MONTHLY;COUNT=24;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ("2027-12-31 10:00",)
    ),
    _Pattern(
        "month end, days 29 to 31", "FREQ=MONTHLY;COUNT=14;BYMONTHDAY=31", ("2026-01-31 10:00",)
    ),
    _Pattern(
        "month end, days 29 to 31",
        "FREQ=YEARLY;COUNT=4;BYMONTHDAY=29;BYMONTH=2",
        ("2019-01-01 10:00",),
    ),
    _Pattern("yearly", "FREQ=YEARLY;COUNT=10;BYMONTHDAY=12;BYMONTH=8", ("2021-01-01 10:00",)),
    _Pattern("yearly", "FREQ=YEARLY;COUNT=10;BYDAY=WE;BYMONTH=4;BYSETPOS=1", ("2027-01-01 10:00",)),
    _Pattern("UNTIL", "FREQ=WEEKLY;UNTIL=20280331T235959;BYDAY=TH", ("2027-03-01 10:00",)),
    _Pattern("UNTIL", "FREQ=DAILY;UNTIL=20241110T230000", ("2024-10-20 23:00",)),
    _Pattern("UNTIL", "FREQ=MONTHLY;UNTIL=20370601T060000;BYMONTHDAY=1", ("2035-09-01 06:00",)),
    _Pattern("EXDATE", "FREQ=WEEKLY;COUNT=52;BYDAY=MO", ("2027-01-01 10:00",), left_out=5),
    _Pattern("EXDATE", "FREQ=DAILY;UNTIL=20320430T120000", ("2032-02-01 09:00",), left_out=7),
    _Pattern(
        "over midnight",
        "FREQ=WEEKLY;COUNT=60;BYDAY=SA",
        ("2022-01-01 23:30", "2029-06-01 22:00"),
        5 * HOUR,
    ),
    _Pattern("over midnight", "FREQ=DAILY;COUNT=200", ("2025-02-01 20:00",), 12 * HOUR),
    _Pattern("multi-day", "FREQ=WEEKLY;COUNT=52;BYDAY=FR", ("2027-01-01 09:00",), 56 * HOUR),
    _Pattern("multi-day", "FREQ=MONTHLY;COUNT=12;BYMONTHDAY=-1", ("2033-01-15 13:00",), 3 * DAY),
    _Pattern(
        "night hours",
        "FREQ=DAILY;COUNT=260",
        ("2024-01-10 01:30", "2027-06-01 02:30", "2031-01-01 00:15"),
    ),
    _Pattern("all-day", None, ("2027-05-01",), 3 * DAY, all_day=True),
    _Pattern("all-day", "FREQ=WEEKLY;COUNT=60;BYDAY=SU", ("2026-01-01",), DAY, all_day=True),
    _Pattern(
        "all-day",
        "FREQ=MONTHLY;UNTIL=20310430T000000;BYMONTHDAY=-1",
        ("2029-10-31",),
        2 * DAY,
        all_day=True,
    ),
    _Pattern("all-day", "FREQ=DAILY;COUNT=30", ("2030-03-01",), DAY, all_day=True, left_out=6),
)


def cases_of(tzid: str) -> Iterator[Case]:
    """Return every meeting that is tried in ``tzid``."""
    for pattern in _PATTERNS:
        yield from pattern.cases(tzid)
    yield from _next_to_changes(tzid)
    if tzid in CHANGED_LAW:
        yield from _from_every_year(tzid)


def _from_every_year(tzid: str) -> Iterator[Case]:
    rules: Sequence[tuple[str, int]] = (
        ("FREQ=WEEKLY;COUNT=52;BYDAY=MO", 10),
        ("FREQ=DAILY;INTERVAL=2;COUNT=150", 18),
        ("FREQ=MONTHLY;COUNT=10;BYDAY=TU;BYSETPOS=2", 8),
        ("FREQ=WEEKLY;COUNT=260;BYDAY=SU", 12),
    )
    for year in range(2019, 2038):
        for rule, hour in rules:
            yield Case("zones that changed law", tzid, datetime(year, 1, 1, hour), HOUR, rule)


def _next_to_changes(tzid: str) -> Iterator[Case]:
    """Single meetings before, after and during each change of the clocks."""
    for year in _EDGE_YEARS:
        for change in transitions(tzid, year, year):
            # The local times of the change, on the clock before it and on the clock after it.
            old, new = change.utc + change.before, change.utc + change.after
            yield Case("next to a change", tzid, old - HOUR, HOUR / 2)
            yield Case("next to a change", tzid, max(old, new), HOUR)
            yield Case("next to a change", tzid, old - 2 * HOUR, 6 * HOUR)
            if new < old:
                yield Case("hour that comes twice", tzid, new, (old - new) / 2)
