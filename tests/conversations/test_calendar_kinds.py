"""Calendars that do not reset single occurrences as RFC 5546 wants it (interop R13)."""

from tests.support.readers.calendar_client import CalendarClient
from tests.support.readers.calendar_kinds import Cyrus, Thunderbird
from tests.support.readers.itip_reader import read_calendar
from tests.support.readers.itip_writer import calendar

DAYS = [f";TZID=Asia/Shanghai:2032030{day}T100000" for day in (1, 2, 3)]
SECOND = {
    "RECURRENCE_ID": DAYS[1],
    "DTSTART": DAYS[1],
    "DTEND": DAYS[1].replace("T10", "T11"),
    "SUMMARY": ":Other",
}


class Bob:
    """Bob's calendar of one kind, with three days of a series."""

    def __init__(self, kind: type[CalendarClient]) -> None:
        self._calendar = kind("bob@example.org")
        self._second = 0
        self.gets_the_whole()

    def gets_the_whole(self, method: str = "REQUEST") -> None:
        self._gets(method, RRULE=":FREQ=DAILY;COUNT=3")

    def gets_the_second(self, method: str = "REQUEST") -> None:
        self._gets(method, **SECOND)

    def _gets(self, method: str, **properties: str) -> None:
        self._second += 1
        stamp = f":20320201T0000{self._second:02}Z"
        message = read_calendar(calendar(method, DTSTAMP=stamp, **properties))
        assert self._calendar.apply(message) == ""

    def sees(self) -> list[str]:
        """Each entry: the day and the title."""
        return [f"{entry.start.day} {entry.summary}" for entry in self._calendar.entries()]


ALL, HIDDEN = ["1 Review", "2 Review", "3 Review"], ["1 Review", "3 Review"]


def test_cyrus_keeps_a_single_day_through_the_whole() -> None:
    bob = Bob(Cyrus)
    bob.gets_the_second()
    bob.gets_the_whole()
    assert bob.sees() == ["1 Review", "2 Other", "3 Review"]


def test_cyrus_hides_a_day_until_it_comes_alone_again() -> None:
    bob = Bob(Cyrus)
    bob.gets_the_second()
    bob.gets_the_second("CANCEL")
    bob.gets_the_whole()
    assert bob.sees() == HIDDEN
    bob.gets_the_second()
    assert bob.sees() == ["1 Review", "2 Other", "3 Review"]


def test_cyrus_hides_it_after_a_cancel_of_the_whole_too() -> None:
    bob = Bob(Cyrus)
    bob.gets_the_second()
    bob.gets_the_whole("CANCEL")
    assert bob.sees() == []
    bob.gets_the_whole()
    assert bob.sees() == HIDDEN


def test_cyrus_takes_back_a_day_that_never_came_alone() -> None:
    bob = Bob(Cyrus)
    bob.gets_the_second("CANCEL")
    assert bob.sees() == HIDDEN
    bob.gets_the_whole()
    assert bob.sees() == ALL


def test_thunderbird_ignores_a_day_that_it_has_hidden() -> None:
    bob = Bob(Thunderbird)
    bob.gets_the_second("CANCEL")
    bob.gets_the_second()
    assert bob.sees() == HIDDEN
    bob.gets_the_whole()
    bob.gets_the_second()
    assert bob.sees() == ["1 Review", "2 Other", "3 Review"]
