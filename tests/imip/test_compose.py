"""The e-mail, octet by octet: interop M1–M18, read back by the standard library and by raw checks."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from meetings.imip.compose import MAX_ADDRESSES_SHOWN, ComposedMail, compose
from meetings.itip.event import Attendee, Event, Organizer, Role
from meetings.itip.ical.writer import PRODID, to_ical
from meetings.itip.message import Message
from tests.support.cast import (
    ALICE,
    BOB,
    CAROL,
    MONDAYS,
    NOW,
    ROOM,
    cancel,
    meeting,
    request,
    uninvite,
    update,
)

GOLDEN = Path(__file__).parent.parent / "golden" / "golden_series.eml"
# The golden mail names another product than ours. All else in it must be the same.
GOLDEN_PRODID = b"-//Example//Meeting Mailer 1.0//EN"


def mail(message: Message, **options: Any) -> ComposedMail:
    return compose(message, **({"language": "en", "domain": "meet.example.com"} | options))


def read(composed: ComposedMail) -> EmailMessage:
    parsed = message_from_bytes(composed.raw, policy=policy.SMTPUTF8)
    assert isinstance(parsed, EmailMessage)
    return parsed


def header(composed: ComposedMail) -> list[str]:
    """The raw lines of the header block."""
    return composed.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")


def fields(composed: ComposedMail) -> list[str]:
    return [line.split(":")[0] for line in header(composed) if not line.startswith(" ")]


def mailboxes(parsed: EmailMessage, name: str) -> list[tuple[str, str]]:
    addresses: tuple[Address, ...] = parsed[name].addresses
    return [(address.display_name, address.addr_spec) for address in addresses]


def content(part: Any) -> bytes:
    """What the part holds, its transfer encoding undone and nothing else."""
    return bytes(part.get_payload(decode=True))


def parts(composed: ComposedMail) -> list[EmailMessage]:
    return [
        part
        for part in read(composed).walk()
        if isinstance(part, EmailMessage) and not part.is_multipart()
    ]


EVERY_KIND = {
    "request": request(),
    "update": update(meeting(), location="Room 8")[0],
    "cancel": cancel(),
    "uninvite": uninvite(),
}


# M1–M6, M15, M18: the parts


@pytest.mark.parametrize("message", EVERY_KIND.values(), ids=EVERY_KIND)
def test_m1_m15_the_calendar_is_the_last_alternative(message: Message) -> None:
    root = read(mail(message))
    assert root.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in root.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]


@pytest.mark.parametrize("message", EVERY_KIND.values(), ids=EVERY_KIND)
def test_m2_m3_the_calendar_has_no_disposition_and_each_parameter_once(message: Message) -> None:
    raw = mail(message).raw
    assert (
        raw.count(
            f'\r\nContent-Type: text/calendar; charset="utf-8"; method="{message.method}"\r\n'.encode()
        )
        == 1
    )
    assert b"Content-Disposition" not in raw


@pytest.mark.parametrize("message", EVERY_KIND.values(), ids=EVERY_KIND)
def test_m4_m5_the_calendar_arrives_byte_for_byte(message: Message) -> None:
    *_, calendar = parts(mail(message))
    assert calendar["Content-Transfer-Encoding"] == "base64"
    assert content(calendar) == to_ical(message)
    assert f"\r\nMETHOD:{message.method}\r\n".encode() in to_ical(message)


def test_m5_every_line_is_short_ascii_ended_by_crlf() -> None:
    raw = mail(request(summary="周会" * 300, description="中文\n" * 3000, location="x" * 1000)).raw
    assert raw.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 76


def test_m6_the_attached_copy_follows_the_alternative_and_is_the_same() -> None:
    message = request()
    root = read(mail(message, attach_calendar=True))
    assert root.get_content_type() == "multipart/mixed"
    alternative, attachment = root.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    assert attachment["Content-Type"] == 'application/ics; name="invite.ics"'
    assert attachment["Content-Disposition"] == 'attachment; filename="invite.ics"'
    assert content(attachment) == to_ical(message)
    assert [part.get_content_type() for part in root.walk()].count("text/calendar") == 1


@pytest.mark.parametrize("attach_calendar", [False, True])
def test_the_standard_library_finds_no_defect(attach_calendar: bool) -> None:
    composed = mail(request(), attach_calendar=attach_calendar)
    for part in read(composed).walk():
        assert part.defects == []
        assert [
            value.defects for value in part.values() if hasattr(value, "defects") and value.defects
        ] == []


def test_m8_the_texts_are_in_the_language_that_was_asked_for() -> None:
    plain, html, _ = parts(mail(cancel(), language="zh-hans"))
    assert "此会议已取消。" in plain.get_content()
    assert "此会议已取消。" in html.get_content()
    assert content(plain).endswith(b"\r\n")


def test_m18_one_calendar_with_one_event() -> None:
    *_, calendar = parts(mail(request()))
    assert content(calendar).count(b"BEGIN:VCALENDAR") == 1


# M7, M9: the people


def test_m7_a_request_is_to_the_required_and_copied_to_the_others() -> None:
    composed = mail(request(attendees=(BOB, CAROL, ROOM)))
    assert mailboxes(read(composed), "To") == [("Bob", BOB.address)]
    assert mailboxes(read(composed), "Cc") == [("Carol", CAROL.address), ("Room 7", ROOM.address)]
    assert composed.recipients == (BOB.address, CAROL.address, ROOM.address)


def test_m7_without_anybody_required_it_is_to_the_others() -> None:
    composed = mail(request(attendees=(CAROL,)))
    assert mailboxes(read(composed), "To") == [("Carol", CAROL.address)]
    assert "Cc" not in fields(composed)


@pytest.mark.parametrize(("message", "only"), [(cancel(), BOB), (uninvite(), CAROL)])
def test_m7_a_cancel_is_to_its_one_recipient(message: Message, only: Attendee) -> None:
    composed = mail(message)
    assert mailboxes(read(composed), "To") == [(only.name, only.address)]
    assert composed.recipients == (only.address,)
    assert "Cc" not in fields(composed)


def crowd(size: int) -> tuple[Attendee, ...]:
    return tuple(Attendee(address=f"p{number}@example.org") for number in range(size))


def test_past_a_hundred_addresses_the_header_names_only_the_organizer() -> None:
    composed = mail(request(attendees=crowd(MAX_ADDRESSES_SHOWN + 1)))
    assert mailboxes(read(composed), "To") == [("Alice", ALICE.address)]
    assert "Cc" not in fields(composed)
    assert len(composed.recipients) == 101
    assert len(mailboxes(read(mail(request(attendees=crowd(MAX_ADDRESSES_SHOWN)))), "To")) == 100


def test_m9_from_is_the_organizer_and_nobody_else_is_named_as_sender() -> None:
    for message in EVERY_KIND.values():
        composed = mail(message)
        assert mailboxes(read(composed), "From") == [("Alice", ALICE.address)]
        assert not {"Sender", "Reply-To", "Bcc"} & set(fields(composed))


# M11–M14: the other headers


def test_the_headers_are_these_and_no_others() -> None:
    frame = [
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "MIME-Version",
        "Content-Type",
    ]
    assert fields(mail(request())) == ["From", "To", "Cc", "Subject", *frame]
    assert fields(mail(cancel())) == ["From", "To", "Subject", *frame]


def test_m11_each_mail_has_its_own_message_id_with_the_sequence_and_our_domain() -> None:
    first, second = mail(request()), mail(request())
    assert first.message_id != second.message_id
    assert re.fullmatch(r"<[0-9a-f]{32}\.0@meet\.example\.com>", first.message_id)
    assert read(first)["Message-ID"] == first.message_id
    assert mail(cancel()).message_id.endswith(".1@meet.example.com>")


def test_m11_the_date_is_the_stamp_of_the_calendar_or_the_one_given() -> None:
    given_date = datetime(2027, 2, 2, 8, tzinfo=timezone(timedelta(hours=8)))
    assert parsedate_to_datetime(read(mail(request()))["Date"]) == NOW
    assert parsedate_to_datetime(read(mail(request(), date=given_date))["Date"]) == given_date


def test_the_same_message_with_the_same_id_is_the_same_mail() -> None:
    assert mail(request(), message_id="<1@x>") == mail(request(), message_id="<1@x>")


def test_m12_an_update_hangs_on_the_first_invitation() -> None:
    parsed = read(mail(EVERY_KIND["update"], thread="<first@meet.example.com>"))
    assert parsed["In-Reply-To"] == parsed["References"] == "<first@meet.example.com>"


def test_m12_the_first_invitation_hangs_on_nothing() -> None:
    for composed in (mail(request()), mail(request(), message_id="<first@x>", thread="<first@x>")):
        assert not {"In-Reply-To", "References"} & set(fields(composed))


def test_m12_the_subject_is_the_title_and_a_cancel_is_marked() -> None:
    for language, mark in (("en", "Cancelled: "), ("zh-hans", "已取消：")):
        for kind, message in EVERY_KIND.items():
            composed = mail(message, language=language)
            expected = f"{mark if kind in {'cancel', 'uninvite'} else ''}Weekly review"
            assert read(composed)["Subject"] == composed.subject == expected


def test_m13_no_machine_is_asked_to_answer() -> None:
    parsed = read(mail(request()))
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["X-Auto-Response-Suppress"] == "DR, RN, NRN, OOF, AutoReply"


def test_the_golden_mail_header_by_header() -> None:
    event = Event(
        uid="fd973b4c-111c-11ea-9671-005056c00008",
        summary="会议测试邮件,修复了组织者,可以进行应答",
        start=datetime(2019, 12, 2, 10),
        end=datetime(2019, 12, 2, 11),
        tzid="Asia/Shanghai",
        organizer=Organizer(address="zhang.san@example.com", name="张三"),
        attendees=(
            Attendee(address="li.si@example.org", name="李四"),
            Attendee(address="wang.wu@example.net", name="王五", role=Role.OPTIONAL),
        ),
        description="欢迎参加会议！",
        location="7F会议室",
        rule=MONDAYS,
    )
    message = replace(
        request(),
        event=event,
        recipients=event.attendees[:1],
        dtstamp=datetime(2019, 11, 28, 1, tzinfo=UTC),
    )
    golden = ComposedMail(raw=GOLDEN.read_bytes(), recipients=(), message_id="", subject="")
    message_id = str(read(golden)["Message-ID"])
    ours = mail(message, message_id=message_id, language="zh-hans")
    assert fields(ours) == fields(golden)
    for name in fields(ours)[:-1]:
        assert read(ours)[name] == read(golden)[name], name
    for our_part, golden_part in zip(parts(ours), parts(golden), strict=True):
        for name in ("Content-Type", "Content-Transfer-Encoding", "Content-Disposition"):
            assert our_part[name] == golden_part[name]
    calendar = content(parts(golden)[-1]).replace(GOLDEN_PRODID, PRODID.encode())
    assert content(parts(ours)[-1]) == calendar
