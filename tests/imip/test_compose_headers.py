"""Names, subjects and addresses that headers do not like, and those that try to become headers
(interop M17).
"""

import re
from dataclasses import replace
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.imip.compose import ComposedMail
from tests.imip.test_compose import fields, header, mail, mailboxes, read
from tests.support.cast import (
    ALICE,
    BOB,
    CAROL,
    MALLORY,
    cancel,
    meeting,
    request,
    uninvite,
    update,
)

CONTROLS = "\r\n\t\x00\x08\x0b\x0c\x1b\x1c\x1e\x7f\x85\u2028\u2029"

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
def test_a_name_arrives_as_it_was_given_next_to_the_right_address(name: str) -> None:
    composed = mail(
        request(attendees=(replace(BOB, name=name), CAROL), organizer=replace(ALICE, name=name))
    )
    for field, address in (("From", ALICE.address), ("To", BOB.address)):
        assert named(composed, field) == [(name, address)]
        assert [mailbox for _, mailbox in mailboxes(read(composed), field)] == [address]
    assert max(map(len, header(composed))) <= 76


def test_an_empty_name_leaves_the_bare_address() -> None:
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
def test_a_subject_arrives_as_it_was_given(subject: str) -> None:
    composed = mail(request(summary=subject))
    assert read(composed)["Subject"] == composed.subject == subject
    assert max(map(len, header(composed))) <= 76


def test_every_encoded_word_stands_for_whole_characters() -> None:
    composed = mail(request(summary="会议👨‍👩‍👧‍👦é" * 50))
    words = re.findall(r"=\?utf-8\?b\?[A-Za-z0-9+/]+=*\?=", "".join(header(composed)))
    assert len(words) > 10
    for word in words:
        assert len(word) <= 75
        [(octets, charset)] = decode_header(word)
        assert isinstance(octets, bytes)
        assert charset == "utf-8"
        octets.decode()


def test_the_domain_of_an_address_is_written_in_ascii() -> None:
    composed = mail(request(attendees=(replace(BOB, address="bob@bücher.example"),)))
    assert mailboxes(read(composed), "To") == [("Bob", "bob@xn--bcher-kva.example")]
    assert composed.recipients == ("bob@bücher.example",)
    assert composed.raw.isascii()


def test_an_address_that_needs_smtputf8_stays_as_it_is() -> None:
    composed = mail(request(attendees=(replace(BOB, address="李四@例子.中国"),)))
    assert "To: Bob <李四@例子.中国>" in header(composed)


@pytest.mark.parametrize(
    "address", ['"bob, jr"@example.org', "bob+tag@example.org", "o'bob@[192.0.2.1]"]
)
def test_an_unusual_address_arrives_as_it_was_given(address: str) -> None:
    assert mailboxes(read(mail(request(attendees=(replace(BOB, address=address),)))), "To") == [
        ("Bob", address)
    ]


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


def test_m17_a_line_break_in_a_subject_or_a_name_becomes_a_space() -> None:
    attack = f"a\r\nBcc: {MALLORY}\r\n\r\nbody"
    message = request(
        summary=attack,
        attendees=(replace(BOB, name=attack),),
        organizer=replace(ALICE, name=attack),
    )
    composed = mail(message)
    harmless = f"a Bcc: {MALLORY} body"
    assert composed.subject == harmless
    assert mailboxes(read(composed), "To") == [(harmless, BOB.address)]
    assert mailboxes(read(composed), "From") == [(harmless, ALICE.address)]
    assert fields(composed) == fields(mail(request(attendees=(BOB,))))


def test_half_a_surrogate_pair_does_no_harm() -> None:
    half = "a\ud83db"
    composed = mail(
        request(
            summary=half,
            location=half,
            description=half,
            attendees=(replace(BOB, name=half), CAROL),
        )
    )
    assert composed.subject == "a b"
    assert_like(composed, mail(request()))


texts = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from(CONTROLS + '"<>,;:@=?\\()')), max_size=60
)
attacks = st.one_of(
    texts, texts.map(lambda text: f"{text}\r\nBcc: {MALLORY}\r\n\r\n--=_alternative\r\n{text}")
)


@settings(deadline=None)
@given(summary=attacks, description=attacks, location=attacks, name=attacks)
def test_no_text_of_a_request_adds_a_header_a_recipient_or_a_part(
    summary: str, description: str, location: str, name: str
) -> None:
    bob, alice = replace(BOB, name=name), replace(ALICE, name=name)
    composed = mail(
        request(
            summary=summary,
            description=description,
            location=location,
            attendees=(bob, CAROL),
            organizer=alice,
        )
    )
    assert_like(composed, mail(request()))


@settings(deadline=None)
@given(comment=attacks, name=attacks)
def test_no_text_of_a_cancel_adds_a_header_a_recipient_or_a_part(comment: str, name: str) -> None:
    held = meeting(attendees=(replace(BOB, name=name), CAROL))
    assert_like(mail(cancel(held, comment=comment)), mail(cancel()))
    assert_like(mail(uninvite(held)), mail(uninvite()))


@settings(deadline=None)
@given(old=attacks, new=attacks)
def test_no_changed_text_adds_a_header_a_recipient_or_a_part(old: str, new: str) -> None:
    [message] = update(meeting(summary=old, location=old), summary=new, location=new)
    assert_like(mail(message), mail(update(meeting(), location="x")[0]))


def assert_like(composed: ComposedMail, harmless: ComposedMail) -> None:
    """The same headers, people and parts, whoever reads them."""
    assert fields(composed) == fields(harmless)
    assert composed.recipients == harmless.recipients
    ours, theirs = read(composed), read(harmless)
    assert ours.keys() == theirs.keys()
    for name in ("From", "To", "Cc"):
        if name in theirs:
            assert [address for _, address in mailboxes(ours, name)] == [
                a for _, a in mailboxes(theirs, name)
            ]
    assert [part.get_content_type() for part in ours.walk()] == [
        part.get_content_type() for part in theirs.walk()
    ]
    assert composed.raw.isascii()
    assert not set(re.sub(rb"\r\n", b"", composed.raw)) & set(range(32))
    assert max(map(len, composed.raw.split(b"\r\n"))) <= 76
