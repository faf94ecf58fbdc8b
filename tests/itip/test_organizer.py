"""Each person gets the METHOD, SEQUENCE and DTSTAMP of RFC 5546 (interop S1–S8, A1–A7)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from meetings.itip import organizer
from meetings.itip.changes import same_content
from meetings.itip.errors import NoAttendees, OrganizerMismatch
from meetings.itip.event import Attendee, Event, Organizer, PartStat, Role, Status
from meetings.itip.guests import invited, lists_only_the_organizer
from meetings.itip.message import Method, Version
from tests.support.cast import ALICE, BOB, CAROL, NOW, ROOM, meeting

NINE = datetime(2027, 1, 1, 9, tzinfo=UTC)
DAN = Attendee(address="dan@example.org", name="Dan")
REPLIED = (replace(BOB, partstat=PartStat.ACCEPTED), replace(CAROL, partstat=PartStat.DECLINED))


def told(version: Version) -> list[tuple[Method, tuple[str, ...]]]:
    """METHOD and recipients of each message, in order."""
    return [
        (message.method, tuple(person.address for person in message.recipients))
        for message in version.messages
    ]


def changed(stored: Event, **changes: Any) -> Version:
    return organizer.update(stored, replace(stored, **changes), now=NOW, last_dtstamp=NOW)


def test_new_meeting_is_one_request_with_sequence_0() -> None:
    version = organizer.invite(meeting(), now=NOW)
    assert version.event.sequence == 0
    assert told(version) == [(Method.REQUEST, (BOB.address, CAROL.address))]


def test_every_update_raises_the_sequence_by_one() -> None:
    stored = meeting(sequence=4)
    earlier = {"start": datetime(2027, 3, 1, 9)}
    for changes in ({"summary": "New"}, earlier, {"description": ""}, {}):
        assert changed(stored, **changes).event.sequence == 5


def test_removed_guest_gets_cancel_before_request() -> None:
    version = changed(meeting(attendees=(BOB, CAROL, ROOM)), attendees=(BOB, DAN))
    assert told(version) == [
        (Method.CANCEL, (CAROL.address,)),
        (Method.CANCEL, (ROOM.address,)),
        (Method.REQUEST, (BOB.address, DAN.address)),
    ]
    assert [message.uninvites for message in version.messages] == [True, True, False]
    assert {message.event.sequence for message in version.messages} == {1}


def test_removed_guest_is_told_the_time_they_know() -> None:
    stored, later = meeting(), datetime(2027, 3, 2, 10)
    version = changed(stored, attendees=(BOB,), start=later, end=later + timedelta(hours=1))
    assert [message.event.start for message in version.messages] == [stored.start, later]


def test_address_in_another_case_is_same_person() -> None:
    in_capitals = replace(BOB, address="BOB@Example.org")
    version = changed(meeting(attendees=(BOB,)), attendees=(in_capitals,))
    assert told(version) == [(Method.REQUEST, ("BOB@Example.org",))]


def test_cancel_raises_sequence_and_goes_to_each_alone() -> None:
    version = organizer.cancel(meeting(sequence=2), now=NOW, last_dtstamp=NOW, comment="No room")
    assert version.event.sequence == 3
    assert told(version) == [(Method.CANCEL, (BOB.address,)), (Method.CANCEL, (CAROL.address,))]
    assert [message.attendees for message in version.messages] == [(BOB,), (CAROL,)]
    shown = {(message.uninvites, message.comment) for message in version.messages}
    assert shown == {(False, "No room")}


@pytest.mark.parametrize("cancelled", [False, True])
def test_resend_keeps_sequence_and_raises_dtstamp(cancelled: bool) -> None:
    status = Status.CANCELLED if cancelled else Status.CONFIRMED
    stored = meeting(sequence=2, status=status)
    version = organizer.resend(stored, {CAROL.address}, now=NOW, last_dtstamp=NOW)
    assert version.event.sequence == 2
    assert told(version) == [(Method.CANCEL if cancelled else Method.REQUEST, (CAROL.address,))]
    assert version.dtstamp == NOW + timedelta(seconds=1)


def test_resent_request_still_shows_all_guests() -> None:
    version = organizer.resend(meeting(), {CAROL.address}, now=NOW, last_dtstamp=NOW)
    assert version.messages[0].attendees == (BOB, CAROL)


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        (NINE.replace(microsecond=999_999), None, NINE),
        (NINE, NINE, NINE + timedelta(seconds=1)),
        (NINE - timedelta(hours=1), NINE, NINE + timedelta(seconds=1)),
        (NINE.astimezone(timezone(timedelta(hours=8))), None, NINE),
    ],
    ids=["first, cut to seconds", "same second", "clock set back", "another zone"],
)
def test_dtstamp_is_in_utc_seconds_and_always_rises(
    now: datetime, last: datetime | None, expected: datetime
) -> None:
    assert organizer.next_dtstamp(now, last) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"start": datetime(2027, 3, 1, 9)},
        {"end": datetime(2027, 3, 1, 12)},
        {"tzid": "Europe/Berlin"},
        {"location": "Elsewhere"},
        {"exdates": (datetime(2027, 3, 8, 10),)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_new_time_or_place_asks_all_guests_again(changes: dict[str, Any]) -> None:
    version = changed(meeting(attendees=REPLIED), **changes)
    assert {person.partstat for person in version.event.attendees} == {PartStat.NEEDS_ACTION}


def test_new_title_or_guest_keeps_earlier_replies() -> None:
    version = changed(meeting(attendees=REPLIED), summary="New", attendees=(*REPLIED, DAN))
    replies = {person.address: person.partstat for person in version.event.attendees}
    assert replies == {
        BOB.address: PartStat.ACCEPTED,
        CAROL.address: PartStat.DECLINED,
        DAN.address: PartStat.NEEDS_ACTION,
    }


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
    organizer_only = (
        Attendee(address=ALICE.address),
        Attendee(address=ALICE.address, role=Role.OPTIONAL),
    )
    assert invited(meeting(attendees=organizer_only)) == organizer_only[:1]
    assert lists_only_the_organizer(meeting(attendees=organizer_only))


@pytest.mark.parametrize("attendees", [(), (ROOM,)], ids=["nobody", "a room only"])
def test_meeting_without_person_is_refused(attendees: tuple[Attendee, ...]) -> None:
    with pytest.raises(NoAttendees):
        organizer.invite(meeting(attendees=attendees), now=NOW)


def test_replies_and_sequence_are_not_content() -> None:
    assert same_content(meeting(attendees=REPLIED, sequence=3), meeting())
    assert not same_content(meeting(), meeting(location="Elsewhere"))


def test_changes_name_the_old_and_the_new_value() -> None:
    version = changed(meeting(), location="Room 8", attendees=(BOB,))
    assert version.changes == {
        "LOCATION": ("Room 7", "Room 8"),
        "ATTENDEE": (
            f"{BOB.address} (REQ-PARTICIPANT), {CAROL.address} (OPT-PARTICIPANT)",
            f"{BOB.address} (REQ-PARTICIPANT)",
        ),
    }
