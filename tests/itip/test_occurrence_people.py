"""The people of one occurrence are differences from those of its series."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from meetings.itip import organizer
from meetings.itip.edit import Edit
from meetings.itip.event import Attendee, Event, Role
from meetings.itip.message import Message, Method, Version
from meetings.itip.occurrence import occurrence_of
from tests.support.cast import BOB, CAROL, DAN, MONDAYS, NOW, meeting, messages

SECOND, THIRD = datetime(2027, 3, 8, 10), datetime(2027, 3, 15, 10)
ERIN = Attendee(address="erin@example.org", name="Erin")
SERIES = meeting(rule=MONDAYS)


def with_people(stored: Event, *people: Attendee) -> Version:
    edit = Edit(attendees=people)
    return organizer.update_occurrence(stored, SECOND, edit, now=NOW, most=100)


def update(stored: Event, **changes: Any) -> Version:
    return organizer.update(stored, replace(stored, **changes), now=NOW)


def people_of(event: Event) -> list[str]:
    return [person.name for person in occurrence_of(event, SECOND).attendees]


Told = list[tuple[Method, datetime | None, list[str]]]


def told(made: tuple[Message, ...]) -> Told:
    """METHOD, RECURRENCE-ID and readers of each message."""
    return [
        (each.method, each.event.recurrence_id, [person.name for person in each.recipients])
        for each in made
    ]


def test_who_is_added_or_taken_off_is_stored_as_a_difference() -> None:
    [override] = with_people(SERIES, BOB, DAN).event.overrides
    assert (override.added, override.removed) == ((DAN,), (CAROL.address,))


def test_another_role_is_a_difference() -> None:
    optional = replace(BOB, role=Role.OPTIONAL)
    stored = with_people(SERIES, optional, CAROL).event
    assert stored.overrides[0].added == (optional,)
    assert optional in occurrence_of(stored, SECOND).attendees


def test_who_leaves_the_series_leaves_its_occurrences() -> None:
    stored = with_people(SERIES, BOB, CAROL, DAN).event
    assert people_of(update(stored, attendees=(BOB,)).event) == ["Bob", "Dan"]


def test_who_leaves_the_series_leaves_occurrences_that_they_were_added_to() -> None:
    optional = replace(CAROL, role=Role.REQUIRED)
    stored = with_people(SERIES, BOB, optional).event
    assert people_of(update(stored, attendees=(BOB,)).event) == ["Bob"]


def test_who_joins_the_series_joins_its_changed_occurrences() -> None:
    stored = with_people(SERIES, BOB).event
    assert people_of(update(stored, attendees=(BOB, CAROL, DAN)).event) == ["Bob", "Dan"]


def test_who_was_taken_off_stays_off_after_leaving_and_joining_the_series() -> None:
    stored = with_people(SERIES, BOB).event
    left = update(stored, attendees=(BOB,)).event
    changed_again = with_people(left, BOB, DAN).event
    back = update(changed_again, attendees=(BOB, CAROL)).event
    assert people_of(back) == ["Bob", "Dan"]


def test_who_was_taken_off_may_be_asked_back() -> None:
    stored = with_people(SERIES, BOB).event
    assert people_of(with_people(stored, BOB, CAROL).event) == ["Bob", "Carol"]


# What is mailed of it


def test_guest_of_one_occurrence_gets_only_that_one() -> None:
    version = with_people(SERIES, BOB, CAROL, DAN)
    assert told(messages(version, SERIES)) == [
        (Method.REQUEST, SECOND, ["Dan"]),
        (Method.REQUEST, SECOND, ["Bob", "Carol"]),
    ]
    renamed = update(version.event, summary="New")
    assert told(messages(renamed, version.event)) == [
        (Method.REQUEST, None, ["Bob", "Carol"]),
        (Method.REQUEST, SECOND, ["Bob", "Carol"]),
        (Method.REQUEST, SECOND, ["Dan"]),
    ]


def test_guest_removed_from_one_gets_its_cancel() -> None:
    cancel, request = messages(with_people(SERIES, BOB), SERIES)
    assert told((cancel, request)) == [
        (Method.CANCEL, SECOND, ["Carol"]),
        (Method.REQUEST, SECOND, ["Bob"]),
    ]
    assert cancel.uninvites


def test_cancel_of_series_reaches_guest_of_one() -> None:
    stored = with_people(SERIES, BOB, CAROL, DAN).event
    assert told(messages(organizer.cancel(stored), stored)) == [
        (Method.CANCEL, None, ["Bob"]),
        (Method.CANCEL, None, ["Carol"]),
        (Method.CANCEL, SECOND, ["Dan"]),
    ]


def test_who_leaves_the_series_is_asked_to_no_occurrence() -> None:
    stored = with_people(SERIES, BOB, CAROL, DAN).event
    made = messages(update(stored, attendees=(BOB, ERIN)), stored)
    assert [each for each in told(made) if "Carol" in each[2]] == [(Method.CANCEL, None, ["Carol"])]
    assert [each for each in told(made) if "Erin" in each[2]] == [
        (Method.REQUEST, None, ["Erin"]),
        (Method.REQUEST, SECOND, ["Erin"]),
    ]
