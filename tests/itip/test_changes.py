"""The record of what differs can be undone, and says when nothing differs."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.addresses import address_key
from meetings.itip.changes import changes, same_content, undo
from meetings.itip.event import Attendee, Event, Override, PartStat, Role, Status
from meetings.itip.recurrence.rule import Frequency, Rule
from tests.support.cast import ALICE, BOB, CAROL, DAN, MONDAYS, ROOM, meeting

SECOND = datetime(2027, 3, 8, 10)

# undo


def day(number: int, hour: int = 10) -> datetime:
    return datetime(2027, 3, number, hour)


texts = st.text(max_size=8)
names = st.sampled_from(["bob", "Bob", "carol", "dan", "erin"])
attendees = st.builds(
    Attendee,
    address=names.map(lambda name: f"{name}@example.org"),
    name=texts,
    role=st.sampled_from(Role),
)
people = st.lists(attendees, max_size=4, unique_by=lambda person: address_key(person.address))
rules = st.none() | st.builds(
    Rule,
    freq=st.sampled_from([Frequency.DAILY, Frequency.WEEKLY]),
    interval=st.integers(1, 3),
    until=st.integers(10, 28).map(day),
    by_day=st.just(("MO",)),
)
timed = st.builds(
    meeting,
    start=st.integers(1, 9).map(day),
    end=st.integers(10, 20).map(day),
    tzid=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "UTC"]),
)
all_day = st.builds(
    meeting,
    start=st.integers(1, 9).map(lambda number: day(number, 0)),
    end=st.integers(10, 20).map(lambda number: day(number, 0)),
    all_day=st.just(True),
)
events = st.builds(
    replace,
    timed | all_day,
    summary=texts,
    location=texts,
    description=texts,
    reminder=st.none() | st.integers(0, 60),
    rule=rules,
    exdates=st.lists(st.integers(1, 28).map(day), max_size=2, unique=True).map(tuple),
    attendees=people.map(tuple),
)


def contents(event: Event) -> tuple[object, ...]:
    """All that a record tells. An all-day meeting has no zone."""
    listed = {(address_key(each.address), each.name, each.role) for each in event.attendees}
    plain = replace(event, attendees=(), tzid="" if event.all_day else event.tzid)
    return plain, listed


@given(old=events, new=events)
def test_undo_is_the_inverse_of_changes(old: Event, new: Event) -> None:
    record = json.loads(json.dumps(changes(old, new)))
    assert contents(undo(new, record)) == contents(old)


@given(event=events)
def test_nothing_changed_is_an_empty_record(event: Event) -> None:
    assert changes(event, event) == {}
    assert undo(event, {}) == event


def test_people_are_recorded_as_added_removed_and_changed() -> None:
    optional = replace(BOB, role=Role.OPTIONAL)
    record = changes(meeting(attendees=(BOB, CAROL)), meeting(attendees=(optional, DAN)))
    bob, carol, dan = (
        {"address": each.address, "name": each.name, "role": each.role.value}
        for each in (BOB, CAROL, DAN)
    )
    assert record == {"ATTENDEE": {"added": [dan], "removed": [carol], "changed": [bob]}}


def test_what_became_of_single_occurrences_is_not_undone() -> None:
    override = Override(recurrence_id=SECOND, is_cancelled=True)
    old, new = meeting(rule=MONDAYS), meeting(rule=MONDAYS, summary="New", overrides=(override,))
    assert undo(new, changes(old, new)).overrides == (override,)


# same_content


def test_replies_sequence_status_and_occurrences_are_not_content() -> None:
    replied = tuple(replace(each, partstat=PartStat.ACCEPTED) for each in (BOB, CAROL))
    override = Override(recurrence_id=SECOND, is_cancelled=True)
    stored = meeting(
        attendees=replied,
        sequence=3,
        whole_sequence=2,
        status=Status.CANCELLED,
        comment="No room",
        overrides=(override,),
    )
    assert same_content(stored, meeting(uid="another"))


@pytest.mark.parametrize(
    "wanted",
    [
        {"attendees": (ROOM, CAROL, BOB)},
        {"attendees": (replace(BOB, address="BOB@Example.org"), CAROL, ROOM)},
        {"attendees": (BOB, BOB, CAROL, ROOM)},
        {"attendees": (BOB, CAROL, ROOM, Attendee(address=ALICE.address))},
        {"attendees": (replace(BOB, name="Robert"), CAROL, ROOM)},
        {"organizer": replace(ALICE, address="ALICE@example.com")},
    ],
    ids=["order", "case", "listed twice", "the organizer too", "a name", "case of the organizer"],
)
def test_people_in_another_order_or_case_are_the_same_content(wanted: dict[str, Any]) -> None:
    stored = meeting(attendees=(BOB, CAROL, ROOM))
    assert same_content(stored, replace(stored, **wanted))


@pytest.mark.parametrize(
    "wanted",
    [
        {"summary": "New"},
        {"location": "Elsewhere"},
        {"start": day(1, 9)},
        {"end": day(1, 12)},
        {"tzid": "Europe/Berlin"},
        {"reminder": 5},
        {"rule": MONDAYS},
        {"exdates": (SECOND,)},
        {"attendees": (BOB,)},
        {"attendees": (BOB, CAROL, DAN)},
        {"attendees": (replace(BOB, role=Role.OPTIONAL), CAROL)},
        {"organizer": replace(ALICE, address="eve@example.com")},
    ],
    ids=str,
)
def test_anything_else_is_other_content(wanted: dict[str, Any]) -> None:
    assert not same_content(meeting(), replace(meeting(), **wanted))


def test_long_meeting_is_recorded_to_the_second() -> None:
    old = meeting(end=day(1, 11) + timedelta(seconds=30))
    assert undo(meeting(), changes(old, meeting())).end == old.end
