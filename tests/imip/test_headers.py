"""Whom the header names, and texts that are hard to write there (interop M7–M13)."""

import re
from dataclasses import replace
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest

from meetings.imip.compose import ComposedMail
from meetings.imip.headers import MAX_ADDRESSES_SHOWN
from meetings.itip.event import Attendee
from meetings.itip.message import Message
from tests.imip.reading import EVERY_KIND, fields, header, mail, mailboxes, read
from tests.support.cast import ALICE, BOB, CAROL, ROOM, cancel, request, uninvite

FRAME = [
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
]


def test_mail_has_these_header_fields_and_no_others() -> None:
    assert fields(mail(request())) == ["From", "To", "Cc", "Subject", *FRAME]
    assert fields(mail(cancel())) == ["From", "To", "Subject", *FRAME]


def test_m7_request_is_to_the_required_cc_the_others() -> None:
    composed = mail(request(attendees=(BOB, CAROL, ROOM)))
    assert mailboxes(composed, "To") == [("Bob", BOB.address)]
    assert mailboxes(composed, "Cc") == [("Carol", CAROL.address), ("Room 7", ROOM.address)]
    assert composed.recipients == (BOB.address, CAROL.address, ROOM.address)


def test_m7_request_without_required_is_to_the_others() -> None:
    composed = mail(request(attendees=(CAROL,)))
    assert mailboxes(composed, "To") == [("Carol", CAROL.address)]
    assert mailboxes(composed, "Cc") == []


@pytest.mark.parametrize(("message", "only"), [(cancel(), BOB), (uninvite(), CAROL)])
def test_m7_cancel_is_to_its_one_recipient(message: Message, only: Attendee) -> None:
    composed = mail(message)
    assert mailboxes(composed, "To") == [(only.name, only.address)]
    assert composed.recipients == (only.address,)
    assert mailboxes(composed, "Cc") == []


def crowd(size: int) -> tuple[Attendee, ...]:
    return tuple(Attendee(address=f"p{number}@example.org") for number in range(size))


def test_header_names_a_hundred_recipients() -> None:
    composed = mail(request(attendees=crowd(MAX_ADDRESSES_SHOWN)))
    assert len(mailboxes(composed, "To")) == 100


def test_header_of_a_longer_list_names_the_organizer() -> None:
    composed = mail(request(attendees=crowd(MAX_ADDRESSES_SHOWN + 1)))
    assert mailboxes(composed, "To") == [("Alice", ALICE.address)]
    assert mailboxes(composed, "Cc") == []
    assert len(composed.recipients) == 101


@pytest.mark.parametrize("message", EVERY_KIND.values(), ids=EVERY_KIND)
def test_m9_organizer_is_the_only_sender(message: Message) -> None:
    composed = mail(message)
    assert mailboxes(composed, "From") == [("Alice", ALICE.address)]
    assert not {"Sender", "Reply-To", "Bcc"} & set(fields(composed))


def test_m13_machines_are_asked_not_to_reply() -> None:
    parsed = read(mail(request()))
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["X-Auto-Response-Suppress"] == "DR, RN, NRN, OOF, AutoReply"


NAMES = {
    "plain": "Bob Builder",
    "comma": "Builder, Bob",
    "quotes": 'Bob "the builder" Builder',
    "backslash": "Bob \\ Builder",
    "backslash at the end": "Bob\\",
    "dot": "Bob B. Builder",
    "an address": "mallory@evil.example",
    "angle brackets": "<mallory@evil.example>",
    "parentheses": "Bob (away)",
    "two spaces": "Bob  Builder",
    "apostrophe": "Bob O'Builder",
    "accents": "Bøb Büilder",
    "Chinese": "李四",
    "Chinese with a comma": "李四, 经理 <x@y.example>",
    "long Chinese": "非常非常长的名字" * 12,
    "family": "👨‍👩‍👧‍👦" * 20,
    "long ASCII": "Bob " * 60 + "Builder",
    "one long word": "B" * 300,
    "an encoded word": "=?utf-8?q?Mallory?=",
    "right to left": "שלום",
}


def named(composed: ComposedMail, name: str) -> list[tuple[str, str]]:
    """Names and addresses of a header, read by the standard library's older parser.

    Its newer one puts a space between two encoded words of a name, which RFC 2047 §6.2 forbids.
    """
    unfolded = "\r\n".join(header(composed)).replace("\r\n ", " ").split("\r\n")
    [value] = [line.partition(": ")[2] for line in unfolded if line.startswith(f"{name}: ")]
    return [
        (str(make_header(decode_header(phrase))), address)
        for phrase, address in getaddresses([value])
    ]


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_name_arrives_beside_the_right_address(name: str) -> None:
    composed = mail(
        request(attendees=(replace(BOB, name=name), CAROL), organizer=replace(ALICE, name=name))
    )
    for field, address in (("From", ALICE.address), ("To", BOB.address)):
        assert named(composed, field) == [(name, address)]
        assert [mailbox for _, mailbox in mailboxes(composed, field)] == [address]
    assert max(map(len, header(composed))) <= 76


def test_empty_name_leaves_the_bare_address() -> None:
    assert "To: bob@example.org" in header(mail(request(attendees=(replace(BOB, name=" "),))))


SUBJECTS = {
    "short": "Weekly review",
    "a fold": "a word " * 30 + "end",
    "two spaces": "two  spaces " * 20 + "end",
    "two spaces at the fold": "x" * 60 + "  " + "y" * 60,
    "one long word": "x" * 1000,
    "long Chinese": "会议测试邮件,修复了组织者,可以进行应答" * 50,
    "emoji": "👨‍👩‍👧‍👦🎉" * 100,
    "an encoded word": "=?utf-8?q?Bcc?= and so on",
    "a colon": "Bcc: mallory@evil.example",
    "mixed": "Q3 review 第三季度 review " * 10 + "end",
}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_subject_arrives_as_it_was_given(subject: str) -> None:
    composed = mail(request(summary=subject))
    assert read(composed)["Subject"] == composed.subject == subject
    assert max(map(len, header(composed))) <= 76


def test_encoded_word_has_whole_characters() -> None:
    composed = mail(request(summary="会议👨‍👩‍👧‍👦é" * 50))
    words = re.findall(r"=\?utf-8\?b\?[A-Za-z0-9+/]+=*\?=", "".join(header(composed)))
    assert len(words) > 10
    for word in words:
        assert len(word) <= 75
        [(octets, charset)] = decode_header(word)
        assert isinstance(octets, bytes)
        assert charset == "utf-8"
        octets.decode()


def test_domain_of_an_address_is_in_ascii() -> None:
    composed = mail(request(attendees=(replace(BOB, address="bob@bücher.example"),)))
    assert mailboxes(composed, "To") == [("Bob", "bob@xn--bcher-kva.example")]
    assert composed.recipients == ("bob@bücher.example",)
    assert composed.raw.isascii()


def test_address_that_needs_smtputf8_is_unchanged() -> None:
    composed = mail(request(attendees=(replace(BOB, address="李四@例子.中国"),)))
    assert "To: Bob <李四@例子.中国>" in header(composed)


@pytest.mark.parametrize(
    "address", ['"bob, jr"@example.org', "bob+tag@example.org", "o'bob@[192.0.2.1]"]
)
def test_unusual_address_arrives_as_it_was_given(address: str) -> None:
    composed = mail(request(attendees=(replace(BOB, address=address),)))
    assert mailboxes(composed, "To") == [("Bob", address)]


BAD_ADDRESSES = [
    "",
    "bob",
    "bob@",
    "@example.org",
    "bob@example.org, mallory@evil.example",
    "bob@example.org>, <mallory@evil.example",
    "bob@example.org\r\nBcc: mallory@evil.example",
    "bob@example.org\n",
    "bob\x00@example.org",
    "bob @example.org",
    "bob@example.org (comment)",
    "a,b@example.org",
    "group:bob@example.org;",
    "bob@\u2028example.org",
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        mail(request(attendees=(replace(BOB, address=address), CAROL)))
