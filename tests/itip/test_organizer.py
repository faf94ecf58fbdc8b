"""Each version has the event and the SEQUENCE of RFC 5546, and says what is new (interop S1–S8)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from meetings.itip import organizer
from meetings.itip.edit import Edit
from meetings.itip.errors import InvalidRule, NoAttendees, OrganizerMismatch
from meetings.itip.event import Attendee, Event, Organizer, PartStat, Role, Status
from meetings.itip.guests import invited, lists_only_the_organizer
from meetings.itip.message import Note, NoteKind, Version
from tests.support.cast import ALICE, BOB, CAROL, DAN, MONDAYS, NOW, ROOM, meeting

FIRST, SECOND, THIRD = (datetime(2027, 3, day, 10) for day in (1, 8, 15))
REPLIED = (replace(BOB, partstat=PartStat.ACCEPTED), replace(CAROL, partstat=PartStat.DECLINED))
ORGANIZER = Attendee(address=ALICE.address)


def changed(stored: Event, **changes: Any) -> Version:
    return organizer.update(stored, replace(stored, **changes), now=NOW)


def removed(version: Version) -> list[tuple[Attendee, ...]]:
    return [note.people for note in version.notes if note.kind is NoteKind.PEOPLE_REMOVED]


# SEQUENCE


def test_new_meeting_has_sequence_0() -> None:
    event = organizer.invite(meeting(sequence=3, whole_sequence=3), now=NOW).event
    assert (event.sequence, event.whole_sequence) == (0, 0)


def test_every_update_raises_the_sequence_by_one() -> None:
    stored = meeting(sequence=4, whole_sequence=2)
    earlier = {"start": datetime(2027, 3, 1, 9)}
    for changes in ({"summary": "New"}, earlier, {"description": ""}, {}):
        event = changed(stored, **changes).event
        assert (event.sequence, event.whole_sequence) == (5, 5)


def test_change_of_one_occurrence_leaves_the_sequence_of_the_whole() -> None:
    stored = meeting(rule=MONDAYS, sequence=4, whole_sequence=2)
    edit = Edit(summary="New")
    for version in (
        organizer.update_occurrence(stored, SECOND, edit, now=NOW, most=1),
        organizer.cancel_occurrence(stored, SECOND),
    ):
        assert (version.event.sequence, version.event.whole_sequence) == (5, 2)
        assert [override.sequence for override in version.event.overrides] == [5]


def test_cut_and_split_change_the_whole() -> None:
    stored = meeting(rule=MONDAYS, sequence=4, whole_sequence=2)
    split = organizer.split_off(stored, SECOND, Edit(summary="New"), uid="2", now=NOW)
    for ended in (organizer.cut(stored, SECOND).ended, split.ended):
        assert (ended.event.sequence, ended.event.whole_sequence) == (5, 5)
    assert split.rest
    assert (split.rest.event.sequence, split.rest.event.whole_sequence) == (0, 0)


def test_cancel_raises_the_sequence_and_keeps_the_reason() -> None:
    version = organizer.cancel(meeting(sequence=2), comment="No room")
    assert (version.event.sequence, version.event.status) == (3, Status.CANCELLED)
    assert (version.event.comment, version.comment) == ("No room", "No room")


# Replies that still stand


@pytest.mark.parametrize(
    "changes",
    [
        {"start": datetime(2027, 3, 1, 9)},
        {"end": datetime(2027, 3, 1, 12)},
        {"tzid": "Europe/Berlin"},
        {"location": "Elsewhere"},
        {"exdates": (SECOND,)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_new_time_or_place_asks_all_guests_again(changes: dict[str, Any]) -> None:
    version = changed(meeting(attendees=REPLIED, rule=MONDAYS), **changes)
    assert {person.partstat for person in version.event.attendees} == {PartStat.NEEDS_ACTION}


def test_new_title_or_guest_keeps_earlier_replies() -> None:
    version = changed(meeting(attendees=REPLIED), summary="New", attendees=(*REPLIED, DAN))
    replies = {person.address: person.partstat for person in version.event.attendees}
    assert replies == {
        BOB.address: PartStat.ACCEPTED,
        CAROL.address: PartStat.DECLINED,
        DAN.address: PartStat.NEEDS_ACTION,
    }


# Who may change, and who is invited


def test_only_stored_organizer_may_change_meeting() -> None:
    with pytest.raises(OrganizerMismatch):
        changed(meeting(), organizer=Organizer(address="mallory@evil.example"))


def test_organizer_keeps_stored_name_and_spelling() -> None:
    version = changed(meeting(), organizer=Organizer(address="ALICE@EXAMPLE.COM", name="Somebody"))
    assert version.event.organizer == ALICE


def test_address_listed_twice_has_stronger_role() -> None:
    as_optional = replace(BOB, address="bob@EXAMPLE.org", role=Role.OPTIONAL)
    assert invited(meeting(attendees=(as_optional, CAROL, BOB))) == (BOB, CAROL)


def test_required_come_first_and_rooms_last() -> None:
    assert invited(meeting(attendees=(ROOM, CAROL, BOB))) == (BOB, CAROL, ROOM)


def test_organizer_is_not_invited_to_own_meeting() -> None:
    organizer_too = Attendee(address="Alice@Example.com")
    assert invited(meeting(attendees=(organizer_too, BOB))) == (BOB,)
    assert invited(meeting(attendees=(organizer_too, ROOM))) == (ROOM,)


def test_organizer_alone_on_the_list_is_invited() -> None:
    organizer_only = (ORGANIZER, replace(ORGANIZER, role=Role.OPTIONAL))
    version = organizer.invite(meeting(attendees=organizer_only), now=NOW)
    assert version.event.attendees == (ORGANIZER,)
    assert lists_only_the_organizer(version.event)
    assert Note(NoteKind.ONLY_THE_ORGANIZER) in version.notes


def test_organizer_who_was_invited_alone_stays_invited() -> None:
    alone = organizer.invite(meeting(attendees=(ORGANIZER,), rule=MONDAYS), now=NOW).event
    version = changed(alone, attendees=(BOB,))
    assert version.event.attendees == (BOB, ORGANIZER)
    assert changed(version.event, summary="New").event.attendees == (BOB, ORGANIZER)
    edit = Edit(summary="New")
    of_one = organizer.update_occurrence(version.event, SECOND, edit, now=NOW, most=1)
    assert of_one.event.overrides[0].removed == ()
    assert removed(version) == removed(of_one) == []


@pytest.mark.parametrize("attendees", [(), (ROOM,)], ids=["nobody", "a room only"])
def test_meeting_without_person_is_refused(attendees: tuple[Attendee, ...]) -> None:
    with pytest.raises(NoAttendees):
        organizer.invite(meeting(attendees=attendees), now=NOW)


# What there is to warn about, and what is refused


def test_update_names_the_people_whom_it_removes() -> None:
    in_capitals = replace(BOB, address="BOB@Example.org")
    version = changed(meeting(attendees=(BOB, CAROL, ROOM)), attendees=(in_capitals, DAN))
    assert removed(version) == [(CAROL, ROOM)]
    assert removed(changed(meeting(), summary="New")) == []


def test_update_notes_that_changes_of_occurrences_are_void() -> None:
    stored = meeting(rule=MONDAYS)
    edit = Edit(summary="New")
    of_one = organizer.update_occurrence(stored, SECOND, edit, now=NOW, most=1).event
    later = changed(of_one, start=datetime(2027, 3, 1, 9))
    assert Note(NoteKind.OVERRIDES_DROPPED) in later.notes
    assert Note(NoteKind.OVERRIDES_DROPPED) not in changed(of_one, summary="New").notes


def test_exdate_on_a_changed_occurrence_is_noted_with_its_day() -> None:
    edit = Edit(summary="New")
    stored = organizer.update_occurrence(meeting(rule=MONDAYS), SECOND, edit, now=NOW, most=1).event
    excluded = Note(NoteKind.OVERRIDES_EXCLUDED, occurrences=(SECOND,))
    assert changed(stored, exdates=(SECOND,)).notes == (excluded,)
    # Also where another occurrence keeps its own state.
    with_third = organizer.cancel_occurrence(stored, THIRD).event
    assert changed(with_third, exdates=(SECOND,)).notes == (excluded,)
    assert changed(with_third, exdates=(THIRD,)).notes == ()


def test_occurrence_that_is_past_is_not_called_a_meeting() -> None:
    later = datetime(2027, 3, 9, tzinfo=UTC)
    stored = meeting(rule=MONDAYS)
    past = organizer.update_occurrence(stored, SECOND, Edit(summary="New"), now=later, most=1)
    assert past.notes == (Note(NoteKind.OCCURRENCE_IN_THE_PAST),)
    over = datetime(2027, 4, 1, tzinfo=UTC)
    assert Note(NoteKind.IN_THE_PAST) in organizer.update(stored, stored, now=over).notes


def test_exdates_that_leave_nothing_are_refused() -> None:
    stored = organizer.cancel_occurrence(meeting(rule=MONDAYS), SECOND).event
    with pytest.raises(InvalidRule, match="cancel the whole meeting") as refusal:
        changed(stored, exdates=(FIRST, THIRD))
    assert refusal.value.part == "EXDATE"


# What is new


def test_changes_name_the_old_and_the_new_value() -> None:
    version = changed(meeting(), location="Room 8", attendees=(BOB,))
    carol = {"address": CAROL.address, "name": "Carol", "role": "OPT-PARTICIPANT"}
    assert version.changes == {
        "LOCATION": ("Room 7", "Room 8"),
        "ATTENDEE": {"removed": [carol]},
    }


def test_changes_of_an_occurrence_say_of_which() -> None:
    stored = meeting(rule=MONDAYS)
    which = ("", "2027-03-08 10:00:00")
    edit = Edit(location="Room 8")
    changed_one = organizer.update_occurrence(stored, SECOND, edit, now=NOW, most=1)
    assert changed_one.changes == {"RECURRENCE-ID": which, "LOCATION": ("Room 7", "Room 8")}
    assert organizer.cancel_occurrence(stored, SECOND).changes == {
        "RECURRENCE-ID": which,
        "STATUS": ("CONFIRMED", "CANCELLED"),
    }


def test_cut_says_where_the_series_was_cut() -> None:
    version = organizer.cut(meeting(rule=MONDAYS), SECOND, comment="Too many").ended
    assert version.changes == {
        organizer.CUT: ("", "2027-03-08 10:00:00"),
        "RRULE": (
            "FREQ=WEEKLY;COUNT=3;BYDAY=MO",
            "FREQ=WEEKLY;UNTIL=20270301T100000;BYDAY=MO",
        ),
    }
    assert version.comment == "Too many"
