"""The whole e-mail, read back by the standard library and by raw checks."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from meetings.imip.compose import ComposedMail
from meetings.itip.event import Attendee, Event, Organizer, Role
from meetings.itip.ical.writer import PRODID
from tests.imip.reading import EVERY_KIND, content, fields, mail, parts, read
from tests.support.cast import MONDAYS, NOW, cancel, request

GOLDEN = Path(__file__).parent.parent / "golden" / "golden_series.eml"


def test_m8_texts_are_in_the_language_asked_for() -> None:
    plain, html, _ = parts(mail(cancel(), language="zh-hans"))
    assert "此会议已取消。" in plain.get_content()
    assert "此会议已取消。" in html.get_content()
    assert content(plain).endswith(b"\r\n")


def test_m11_each_mail_has_its_own_message_id() -> None:
    first, second = mail(request()), mail(request())
    assert first.message_id != second.message_id
    assert re.fullmatch(r"<[0-9a-f]{32}\.0@meet\.example\.com>", first.message_id)
    assert read(first)["Message-ID"] == first.message_id


def test_m11_message_id_has_the_sequence() -> None:
    assert mail(cancel()).message_id.endswith(".1@meet.example.com>")


def test_m11_date_is_the_real_time_and_not_dtstamp() -> None:
    ahead = replace(request(), dtstamp=NOW + timedelta(minutes=2))
    composed = mail(ahead, date=NOW + timedelta(microseconds=1))
    assert read(composed)["Date"] == "Mon, 01 Feb 2027 09:30:00 +0000"
    assert b"DTSTAMP:20270201T093200Z" in content(parts(composed)[-1])


def test_same_message_differs_in_its_message_id_only() -> None:
    first, second = mail(request()), mail(request())
    renamed = second.raw.replace(second.message_id.encode(), first.message_id.encode())
    assert renamed == first.raw


def test_m12_update_refers_to_the_first_invitation() -> None:
    parsed = read(mail(EVERY_KIND["update"], thread="<first@meet.example.com>"))
    assert parsed["In-Reply-To"] == parsed["References"] == "<first@meet.example.com>"


def test_m12_first_invitation_refers_to_no_mail() -> None:
    assert not {"In-Reply-To", "References"} & set(fields(mail(request())))


def test_m12_subject_is_the_title_and_marks_a_cancel() -> None:
    for language, mark in (("en", "Cancelled: "), ("zh-hans", "已取消：")):
        for kind, message in EVERY_KIND.items():
            composed = mail(message, language=language)
            expected = f"{mark if kind in {'cancel', 'uninvite'} else ''}Weekly review"
            assert read(composed)["Subject"] == composed.subject == expected


def test_golden_mail_has_the_same_headers_and_parts() -> None:
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
    ours = mail(message, language="zh-hans", date=message.dtstamp)
    assert fields(ours) == fields(golden)
    for name in set(fields(ours)) - {"Message-ID", "Content-Type"}:
        assert read(ours)[name] == read(golden)[name], name
    for our_part, golden_part in zip(parts(ours), parts(golden), strict=True):
        for name in ("Content-Type", "Content-Transfer-Encoding", "Content-Disposition"):
            assert our_part[name] == golden_part[name]
    calendar = content(parts(ours)[-1])
    theirs = calendar.replace(PRODID.encode(), b"-//Example//Meeting Mailer 1.0//EN")
    assert theirs == content(parts(golden)[-1])
