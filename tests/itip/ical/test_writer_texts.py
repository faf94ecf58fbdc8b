"""Texts and people in the calendar that is sent (interop P11, P15–P18).

No text that a caller sends may add a property or a person.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Event as VEvent

from meetings.itip.event import Attendee, PartStat
from meetings.itip.ical.writer import content_lines, to_ical
from meetings.itip.message import Message
from tests.support.cast import (
    ALICE,
    BOB,
    CAROL,
    MALLORY,
    ROOM,
    cancel,
    meeting,
    request,
    uninvite,
    update,
)
from tests.support.readers.content_lines import names, read, values

CONTROLS = "\r\n\x00\x08\x0b\x0c\x1b\x1c\x1e\x7f\x85\u2028\u2029"
TEXTS: dict[str, Callable[[str], Message]] = {
    "SUMMARY": lambda text: request(summary=text),
    "LOCATION": lambda text: request(location=text),
    "DESCRIPTION": lambda text: request(description=text),
    "COMMENT": lambda text: cancel(comment=text),
}


@pytest.mark.parametrize("name", TEXTS)
def test_p11_special_characters_are_escaped(name: str) -> None:
    assert values(TEXTS[name]("a\\b;c,d:e"), name) == [":a\\\\b\\;c\\,d:e"]


@pytest.mark.parametrize("name", TEXTS)
def test_p11_control_characters_are_dropped(name: str) -> None:
    assert values(TEXTS[name](f"a{CONTROLS[2:]}b"), name) == [":ab"]


def test_p11_description_keeps_its_line_breaks() -> None:
    message = request(description="one\r\ntwo\n\nthree")
    assert values(message, "DESCRIPTION") == [":one\\ntwo\\n\\nthree"]
    assert read(message).description.value == "one\ntwo\n\nthree"


# P15–P18: people


def test_p15_attendees_have_roles_required_first() -> None:
    person, room = (
        "CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION",
        "CUTYPE=RESOURCE;PARTSTAT=NEEDS-ACTION",
    )
    assert values(request(attendees=(ROOM, CAROL, BOB)), "ATTENDEE") == [
        f";CN=Bob;{person};ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:bob@example.org",
        f";CN=Carol;{person};ROLE=OPT-PARTICIPANT;RSVP=TRUE:mailto:carol@example.net",
        f';CN="Room 7";{room};ROLE=NON-PARTICIPANT;RSVP=TRUE:mailto:room7@example.com',
    ]


def test_p15_address_listed_twice_is_required() -> None:
    twice = (replace(CAROL, address="BOB@example.org"), BOB)
    [listed] = values(request(attendees=twice), "ATTENDEE")
    assert "ROLE=REQ-PARTICIPANT" in listed


def test_a4_attendee_who_replied_is_not_asked_again() -> None:
    stored = meeting(attendees=(replace(BOB, partstat=PartStat.ACCEPTED), CAROL))
    bob, carol = values(update(stored, summary="Another title")[-1], "ATTENDEE")
    assert "PARTSTAT=ACCEPTED" in bob
    assert "RSVP=FALSE" in bob
    assert "RSVP=TRUE" in carol


def test_p16_organizer_is_constant_and_no_attendee() -> None:
    herself = Attendee(address=ALICE.address.upper())
    everything = [
        request(attendees=(herself, BOB, CAROL)),
        *update(meeting(), location="Room 8"),
        cancel(),
        uninvite(),
    ]
    for message in everything:
        assert values(message, "ORGANIZER") == [";CN=Alice:mailto:alice@example.com"]
        assert not any("alice" in attendee.lower() for attendee in values(message, "ATTENDEE"))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ('王,"小"明; x', "CN=\"王,'小'明; x\""),
        ("Bob: the builder", 'CN="Bob: the builder"'),
        ("Bob^n", "CN=Bobn"),
        (
            "Bob\r\nATTENDEE:mailto:mallory@evil.example",
            'CN="BobATTENDEE:mailto:mallory@evil.example"',
        ),
        ("李四", "CN=李四"),
    ],
)
def test_p17_name_is_quoted_and_needs_no_escape(name: str, written: str) -> None:
    [attendee] = values(request(attendees=(replace(BOB, name=name),)), "ATTENDEE")
    assert attendee.startswith(f";{written};CUTYPE=")


def test_p17_empty_name_has_no_parameter() -> None:
    assert values(request(organizer=replace(ALICE, name="")), "ORGANIZER") == [
        ":mailto:alice@example.com"
    ]


@pytest.mark.parametrize("break_", ["\r", "\n", "\r\n"])
def test_p18_address_with_line_break_is_refused(break_: str) -> None:
    address = f"bob@example.org{break_}ATTENDEE:mailto:{MALLORY}"
    message = request(attendees=(replace(BOB, address=address),))
    with pytest.raises(ValueError, match="CR or LF"):
        to_ical(message)


# No text adds anything

text = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from(CONTROLS + '";:,\\^=')), max_size=60
)
line_text = text.map(lambda value: f"x{value}\r\nATTENDEE:mailto:{MALLORY}\r\n{value}")


@settings(deadline=None)
@given(summary=line_text, location=line_text, description=line_text, name=line_text)
def test_request_text_adds_no_property_or_person(
    summary: str, location: str, description: str, name: str
) -> None:
    bob, alice = replace(BOB, name=name), replace(ALICE, name=name)
    message = request(
        summary=summary,
        location=location,
        description=description,
        attendees=(bob, CAROL),
        organizer=alice,
    )
    assert names(message) == names(request())
    assert [person.value for person in read(message).attendee_list] == [
        "mailto:bob@example.org",
        "mailto:carol@example.net",
    ]


@settings(deadline=None)
@given(comment=line_text)
def test_cancel_reason_adds_no_property_or_person(comment: str) -> None:
    assert names(cancel(comment=comment)) == names(cancel(comment="x"))
    assert read(cancel(comment=comment)).attendee.value == "mailto:bob@example.org"


@given(st.text(alphabet="ab ,;:\\\\^\n"), st.text(min_size=60), st.integers(0, 160))
@example("\\" * 90, "", 0)
@example("^" * 90, "", 65)
def test_p2_lines_are_folded_as_icalendar_folds_them(plain: str, any_text: str, most: int) -> None:
    vevent = VEvent()
    vevent.add("summary", "x" * most + plain)
    vevent.add("comment", any_text)
    vevent.add("location", "y" * most)
    assert content_lines(vevent) == vevent.to_ical()
