"""The parts of an invitation, octet by octet (interop M1–M6, M15 and M18)."""

import re

import pytest

from meetings.itip.ical.writer import to_ical
from meetings.itip.message import Message
from tests.imip.reading import EVERY_KIND, content, mail, parts, read
from tests.support.cast import request

every_kind = pytest.mark.parametrize("message", EVERY_KIND.values(), ids=EVERY_KIND)


@every_kind
def test_m1_m15_calendar_is_the_last_alternative(message: Message) -> None:
    root = read(mail(message))
    assert root.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in root.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]


@every_kind
def test_m2_calendar_has_no_disposition(message: Message) -> None:
    assert b"Content-Disposition" not in mail(message).raw


@every_kind
def test_m3_calendar_has_each_parameter_once(message: Message) -> None:
    line = f'\r\nContent-Type: text/calendar; charset="utf-8"; method="{message.method}"\r\n'
    assert mail(message).raw.count(line.encode()) == 1


@every_kind
def test_m4_m5_calendar_arrives_byte_for_byte(message: Message) -> None:
    *_, calendar = parts(mail(message))
    assert calendar["Content-Transfer-Encoding"] == "base64"
    assert content(calendar) == to_ical(message)
    assert f"\r\nMETHOD:{message.method}\r\n".encode() in to_ical(message)


def test_m5_every_line_is_short_ascii_with_crlf() -> None:
    raw = mail(request(summary="周会" * 300, description="中文\n" * 3000, location="x" * 1000)).raw
    assert raw.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 76


def test_m6_attached_copy_follows_the_alternative() -> None:
    message = request()
    root = read(mail(message, attach_calendar=True))
    assert root.get_content_type() == "multipart/mixed"
    alternative, attachment = root.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    assert attachment["Content-Type"] == 'application/ics; name="invite.ics"'
    assert attachment["Content-Disposition"] == 'attachment; filename="invite.ics"'
    assert content(attachment) == to_ical(message)
    assert [part.get_content_type() for part in root.walk()].count("text/calendar") == 1


def test_m18_mail_has_one_calendar_with_one_event() -> None:
    *_, calendar = parts(mail(request()))
    assert content(calendar).count(b"BEGIN:VCALENDAR") == 1


@pytest.mark.parametrize("attach_calendar", [False, True])
def test_standard_library_finds_no_defect(attach_calendar: bool) -> None:
    for part in read(mail(request(), attach_calendar=attach_calendar)).walk():
        assert part.defects == []
        for value in part.values():
            assert not getattr(value, "defects", ())
