"""The rules by which the tests' calendar program takes messages (RFC 5546 §2.1.5, §3.2)."""

from itertools import permutations

import pytest

from tests.support.readers.calendar_client import CalendarClient
from tests.support.readers.itip_reader import NotAnInvitation, read_calendar
from tests.support.readers.itip_writer import NEW_YORK, SHANGHAI, calendar

THREE = ":FREQ=DAILY;COUNT=3"
FIRST, SECOND = (f";TZID=Asia/Shanghai:2032030{day}T100000" for day in (1, 2))
MOVED = {
    "RECURRENCE_ID": SECOND,
    "DTSTART": ";TZID=Asia/Shanghai:20320302T150000",
    "DTEND": ";TZID=Asia/Shanghai:20320302T160000",
}
NOT_NEWER = "it is not newer than what the calendar has"


class Bob:
    """Bob's calendar, and short ways to write to it and to read it."""

    def __init__(self) -> None:
        self.calendar = CalendarClient("Bob@example.org")

    def gets(self, method: str, zone: str = SHANGHAI, /, **properties: str | None) -> str:
        return self.calendar.apply(read_calendar(calendar(method, zone=zone, **properties)))

    def request(self, sequence: int = 0, second: int = 0, /, **properties: str | None) -> str:
        return self.gets("REQUEST", **_version(sequence, second), **properties)

    def cancel(self, sequence: int = 0, second: int = 0, /, **properties: str | None) -> str:
        return self.gets("CANCEL", **_version(sequence, second), **properties)

    def sees(self) -> list[str]:
        """Each entry: day, hour in UTC, title."""
        return [f"{entry.start:%d %H} {entry.summary}" for entry in self.calendar.entries()]


def _version(sequence: int, second: int) -> dict[str, str]:
    return {"SEQUENCE": f":{sequence}", "DTSTAMP": f":20320201T0000{second:02}Z"}


@pytest.fixture
def bob() -> Bob:
    return Bob()


def test_request_is_shown(bob: Bob) -> None:
    assert bob.request(LOCATION=":Room 7", DESCRIPTION=":Bring numbers.") == ""
    [entry] = bob.calendar.entries()
    assert (entry.uid, entry.recurrence_id, entry.zone) == ("meeting", None, "Asia/Shanghai")
    assert (entry.start.isoformat(), entry.end.isoformat()) == (
        "2032-03-01T02:00:00+00:00",
        "2032-03-01T03:00:00+00:00",
    )
    assert (entry.summary, entry.location, entry.description, entry.people) == (
        "Review",
        "Room 7",
        "Bring numbers.",
        ("bob@example.org",),
    )


def test_meetings_with_other_uids_are_others(bob: Bob) -> None:
    bob.request()
    bob.request(UID=":other", DTSTART=f"{FIRST[:-6]}090000", SUMMARY=":Other")
    bob.cancel(1, UID=":third")
    assert bob.sees() == ["01 01 Other", "01 02 Review"]


def test_higher_sequence_is_newer_whatever_its_dtstamp(bob: Bob) -> None:
    bob.request(1, 5)
    assert bob.request(2, 1, SUMMARY=":New") == ""
    assert bob.request(1, 9, SUMMARY=":Old") == NOT_NEWER
    assert bob.sees() == ["01 02 New"]


def test_sequence_is_a_number(bob: Bob) -> None:
    bob.request(9)
    assert bob.request(10, SUMMARY=":New") == ""


def test_later_dtstamp_decides_between_equal_sequences(bob: Bob) -> None:
    bob.request(1, 5)
    assert bob.request(1, 4, SUMMARY=":Old") == NOT_NEWER
    assert bob.request(1, 5, SUMMARY=":Same") == NOT_NEWER
    assert bob.request(1, 6, SUMMARY=":New") == ""
    assert bob.sees() == ["01 02 New"]


def test_cancel_removes_the_meeting(bob: Bob) -> None:
    bob.request()
    assert bob.cancel(1) == ""
    assert bob.sees() == []


def test_older_cancel_is_ignored(bob: Bob) -> None:
    bob.request(1)
    assert bob.cancel(0) == NOT_NEWER
    assert bob.sees() == ["01 02 Review"]


def test_request_that_a_cancel_has_overtaken_is_ignored(bob: Bob) -> None:
    assert bob.cancel(1) == ""
    assert bob.request(0, 9) == NOT_NEWER
    assert bob.sees() == []


def test_newer_request_after_a_cancel_invites_again(bob: Bob) -> None:
    bob.request()
    bob.cancel(1)
    assert bob.request(2) == ""
    assert bob.sees() == ["01 02 Review"]


def test_cancel_must_name_its_reader_first(bob: Bob) -> None:
    bob.request()
    assert bob.cancel(1, ATTENDEE=":mailto:carol@example.net") == "it cancels for somebody else"
    carol_first = ":mailto:carol@example.net\r\nATTENDEE:mailto:bob@example.org"
    assert bob.cancel(1, ATTENDEE=carol_first) == "it cancels for somebody else"
    assert bob.sees() == ["01 02 Review"]
    assert bob.cancel(1, ATTENDEE=":MAILTO:BOB@example.org") == ""


def test_organizer_of_a_meeting_stays(bob: Bob) -> None:
    bob.request()
    ignored = "the organizer of this meeting is alice@example.com"
    assert bob.cancel(1, ORGANIZER=":mailto:mallory@example.com") == ignored
    assert bob.request(1, ORGANIZER=":mailto:ALICE@example.com") == ""


def test_series_shows_each_occurrence(bob: Bob) -> None:
    bob.request(RRULE=THREE)
    assert bob.sees() == ["01 02 Review", "02 02 Review", "03 02 Review"]
    first = bob.calendar.entries()[0]
    assert first.recurrence_id == first.start


def test_changed_occurrence_takes_the_place_of_the_one_that_it_names(bob: Bob) -> None:
    bob.request(RRULE=THREE)
    assert bob.request(1, **MOVED) == ""
    assert bob.sees() == ["01 02 Review", "02 07 Review", "03 02 Review"]


def test_occurrence_is_found_by_its_instant(bob: Bob) -> None:
    bob.request(RRULE=THREE)
    assert bob.cancel(1, RECURRENCE_ID=":20320302T020000Z") == ""
    assert bob.sees() == ["01 02 Review", "03 02 Review"]


def test_occurrence_is_compared_with_its_own_version(bob: Bob) -> None:
    bob.request(RRULE=THREE)
    bob.request(2, RECURRENCE_ID=FIRST, SUMMARY=":New")
    assert bob.request(1, RECURRENCE_ID=FIRST, SUMMARY=":Old") == NOT_NEWER
    assert bob.request(1, **MOVED) == ""
    assert bob.sees() == ["01 02 New", "02 07 Review", "03 02 Review"]


def test_occurrence_must_be_newer_than_the_whole(bob: Bob) -> None:
    bob.request(1, 5, RRULE=THREE)
    assert bob.request(0, 9, **MOVED) == NOT_NEWER
    assert bob.request(1, 5, **MOVED) == NOT_NEWER
    assert bob.cancel(1, 5, RECURRENCE_ID=SECOND) == NOT_NEWER
    assert bob.request(1, 6, **MOVED) == ""


def test_newer_whole_resets_single_occurrences(bob: Bob) -> None:
    bob.request(RRULE=THREE)
    bob.request(1, **MOVED)
    bob.cancel(1, RECURRENCE_ID=FIRST)
    assert bob.sees() == ["02 07 Review", "03 02 Review"]
    bob.request(2, RRULE=THREE, SUMMARY=":New")
    assert bob.sees() == ["01 02 New", "02 02 New", "03 02 New"]


def test_cancelled_occurrence_comes_back_by_a_newer_request(bob: Bob) -> None:
    bob.request(RRULE=THREE)
    bob.cancel(1, RECURRENCE_ID=SECOND)
    assert bob.request(2, **MOVED) == ""
    assert bob.sees() == ["01 02 Review", "02 07 Review", "03 02 Review"]


def test_messages_may_arrive_in_any_order() -> None:
    for order in permutations(range(4)):
        bob = Bob()
        messages = [
            lambda bob=bob: bob.request(0, RRULE=THREE),
            lambda bob=bob: bob.request(1, RRULE=THREE, SUMMARY=":New"),
            lambda bob=bob: bob.request(2, **MOVED),
            lambda bob=bob: bob.cancel(3, RECURRENCE_ID=FIRST),
        ]
        for number in order:
            messages[number]()
        assert bob.sees() == ["02 07 Review", "03 02 New"], order


def test_cancel_of_the_whole_removes_changed_occurrences(bob: Bob) -> None:
    bob.request(RRULE=THREE)
    bob.request(1, **MOVED)
    bob.cancel(2)
    assert bob.sees() == []


def test_guest_of_one_occurrence_sees_that_one(bob: Bob) -> None:
    assert bob.request(1, **MOVED) == ""
    assert bob.sees() == ["02 07 Review"]
    assert bob.cancel(2, RECURRENCE_ID=SECOND) == ""
    assert bob.sees() == []


def test_guest_of_the_whole_may_keep_one_occurrence(bob: Bob) -> None:
    bob.request(RRULE=THREE)
    bob.cancel(1, 1)
    assert bob.request(1, 2, **MOVED) == ""
    assert bob.sees() == ["02 07 Review"]


def test_occurrence_that_the_rule_does_not_have_is_shown(bob: Bob) -> None:
    bob.request(RRULE=THREE)
    ghost = MOVED | {"RECURRENCE_ID": ";TZID=Asia/Shanghai:20320309T100000"}
    bob.request(1, SUMMARY=":Ghost", **ghost)
    assert bob.sees() == ["01 02 Review", "02 02 Review", "02 07 Ghost", "03 02 Review"]


def test_excluded_occurrence_is_not_shown(bob: Bob) -> None:
    bob.request(RRULE=THREE, EXDATE=f"{FIRST},20320303T100000")
    assert bob.sees() == ["02 02 Review"]


def test_until_is_an_instant_and_included(bob: Bob) -> None:
    bob.request(RRULE=":FREQ=DAILY;UNTIL=20320302T020000Z")
    assert bob.sees() == ["01 02 Review", "02 02 Review"]
    bob.request(1, RRULE=":FREQ=DAILY;UNTIL=20320302T015959Z")
    assert bob.sees() == ["01 02 Review"]


def test_series_keeps_its_local_time_over_a_change_of_the_clock(bob: Bob) -> None:
    bob.gets(
        "REQUEST",
        NEW_YORK,
        DTSTART=";TZID=America/New_York:20320313T100000",
        DTEND=";TZID=America/New_York:20320313T110000",
        RRULE=":FREQ=DAILY;COUNT=2",
    )
    assert bob.sees() == ["13 15 Review", "14 14 Review"]


def test_all_day_series_has_days(bob: Bob) -> None:
    days = {"DTSTART": ";VALUE=DATE:20320301", "DTEND": ";VALUE=DATE:20320303"}
    bob.request(RRULE=":FREQ=WEEKLY;UNTIL=20320315", EXDATE=";VALUE=DATE:20320308", **days)
    bob.cancel(1, RECURRENCE_ID=";VALUE=DATE:20320301", **days)
    assert [(str(entry.start), str(entry.end)) for entry in bob.calendar.entries()] == [
        ("2032-03-15", "2032-03-17")
    ]


def test_time_in_utc_is_read(bob: Bob) -> None:
    utc = {"DTSTART": ":20320301T020000Z", "DTEND": ":20320301T033000Z"}
    bob.request(RRULE=":FREQ=DAILY;COUNT=2", **utc)
    assert bob.sees() == ["01 02 Review", "02 02 Review"]
    assert bob.calendar.entries()[0].zone == "UTC"


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (":FREQ=DAILY", "COUNT or UNTIL"),
        (":FREQ=DAILY;COUNT=2;UNTIL=20320302T020000Z", "COUNT or UNTIL"),
        (":FREQ=DAILY;UNTIL=20320302T100000", "neither in UTC nor a day"),
        (":FREQ=DAILY;UNTIL=20320302", "neither in UTC nor a day"),
        (":FREQ=WEEKLY;BYDAY=TU;COUNT=3", "DTSTART is not the first occurrence"),
    ],
)
def test_rule_that_programs_read_differently_is_refused(bob: Bob, rule: str, why: str) -> None:
    with pytest.raises(NotAnInvitation, match=why):
        bob.request(RRULE=rule)
    assert bob.sees() == []


def test_until_of_all_day_series_must_be_a_day(bob: Bob) -> None:
    days = {"DTSTART": ";VALUE=DATE:20320301", "DTEND": ";VALUE=DATE:20320302"}
    with pytest.raises(NotAnInvitation, match="neither in UTC nor a day"):
        bob.request(RRULE=":FREQ=DAILY;UNTIL=20320302T000000Z", **days)
