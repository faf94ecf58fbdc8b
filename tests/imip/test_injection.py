"""Texts that try to become a header, a recipient or a part (interop M17)."""

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.imip.compose import ComposedMail
from tests.imip.reading import fields, mail, mailboxes, read
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


def test_m17_line_break_in_a_text_becomes_a_space() -> None:
    attack = f"a\r\nBcc: {MALLORY}\r\n\r\nbody"
    message = request(
        summary=attack,
        attendees=(replace(BOB, name=attack),),
        organizer=replace(ALICE, name=attack),
    )
    composed = mail(message)
    harmless = f"a Bcc: {MALLORY} body"
    assert composed.subject == harmless
    assert mailboxes(composed, "To") == [(harmless, BOB.address)]
    assert mailboxes(composed, "From") == [(harmless, ALICE.address)]
    assert fields(composed) == fields(mail(request(attendees=(BOB,))))


def test_half_a_surrogate_pair_becomes_a_space() -> None:
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
def test_m17_text_of_a_request_adds_no_header(
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
def test_m17_text_of_a_cancel_adds_no_header(comment: str, name: str) -> None:
    stored = meeting(attendees=(replace(BOB, name=name), CAROL))
    assert_like(mail(cancel(stored, comment=comment)), mail(cancel()))
    assert_like(mail(uninvite(stored)), mail(uninvite()))


@settings(deadline=None)
@given(old=attacks, new=attacks)
def test_m17_text_of_an_update_adds_no_header(old: str, new: str) -> None:
    [message] = update(meeting(summary=old, location=old), summary=new, location=new)
    assert_like(mail(message), mail(update(meeting(), location="x")[0]))


def assert_like(composed: ComposedMail, harmless: ComposedMail) -> None:
    """The same headers, people and parts, for each parser that reads them."""
    assert fields(composed) == fields(harmless)
    assert composed.recipients == harmless.recipients
    ours, theirs = read(composed), read(harmless)
    assert ours.keys() == theirs.keys()
    for name in ("From", "To", "Cc"):
        assert addresses(composed, name) == addresses(harmless, name)
    assert [part.get_content_type() for part in ours.walk()] == [
        part.get_content_type() for part in theirs.walk()
    ]
    assert composed.raw.isascii()
    assert not set(re.sub(rb"\r\n", b"", composed.raw)) & set(range(32))
    assert max(map(len, composed.raw.split(b"\r\n"))) <= 76


def addresses(composed: ComposedMail, name: str) -> list[str]:
    return [address for _, address in mailboxes(composed, name)]
