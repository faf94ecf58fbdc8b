"""The calendar that is sent, by the numbers of the rules in docs/interop.md.

The rules about people and their texts are in ``test_writer_texts``.
"""

from dataclasses import replace
from datetime import datetime

import pytest

from meetings.itip import organizer
from meetings.itip.ical.writer import to_ical
from meetings.itip.message import Message, Method
from meetings.itip.recurrence.rule import Frequency, Rule
from tests.support.cast import (
    BOB,
    CAROL,
    MONDAYS,
    cancel,
    meeting,
    messages,
    request,
    uninvite,
    update,
)
from tests.support.readers.content_lines import lines, names, read, values

# P1, P2: the frame

LONG = "会议👨‍👩‍👧‍👦é" * 40


def test_p1_lines_are_utf8_of_75_octets_with_crlf() -> None:
    long_bob = replace(BOB, name=LONG)
    message = request(summary=LONG, description=f"{LONG}\r\n{LONG}", attendees=(long_bob,))
    written = to_ical(message)
    assert written.startswith(b"BEGIN:VCALENDAR\r\n")
    assert written.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in written.replace(b"\r\n", b"")
    assert b"\r" not in written.replace(b"\r\n", b"")
    for line in written.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # no character is split


def test_p1_folded_text_is_read_back_whole() -> None:
    assert read(request(summary=LONG)).summary.value == LONG


@pytest.mark.parametrize("message", [request(), cancel(), uninvite()])
def test_p2_calendar_has_its_head_and_one_event(
    message: Message,
) -> None:
    text = lines(message)
    head = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Meeting Server//Meeting Server 1.0//EN",
        "CALSCALE:GREGORIAN",
    ]
    assert text[:5] == [*head, f"METHOD:{message.method}"]
    for component in ("VCALENDAR", "VEVENT", "VTIMEZONE"):
        assert text.count(f"BEGIN:{component}") == 1


# P3, P4: the tables of RFC 5546

REQUIRED = ("UID", "DTSTAMP", "DTSTART", "DTEND", "ORGANIZER", "SUMMARY", "SEQUENCE")


def test_p3_request_has_each_required_property_once() -> None:
    found = names(request())
    for name in (*REQUIRED, "STATUS"):
        assert found[name] == 1, name
    assert found["ATTENDEE"] == 2
    assert found["REQUEST-STATUS"] == 0


@pytest.mark.parametrize("message", [cancel(), uninvite()])
def test_p4_cancel_has_required_properties_and_times(
    message: Message,
) -> None:
    found = names(message)
    # Nextcloud ignores a CANCEL without DTSTART.
    for name in (*REQUIRED, "ATTENDEE"):
        assert found[name] == 1, name
    assert found["REQUEST-STATUS"] == found["RRULE"] == found["BEGIN"] == 0


def test_p4_cancel_names_only_its_recipient() -> None:
    assert values(uninvite(), "ATTENDEE") == [
        f";CN=Carol;ROLE=OPT-PARTICIPANT:mailto:{CAROL.address}"
    ]


def test_p4_cancel_gives_the_reason() -> None:
    assert values(cancel(comment="Alice, ill;\nsorry"), "COMMENT") == [":Alice\\, ill\\;\\nsorry"]
    assert values(cancel(), "COMMENT") == []


def test_request_gives_the_reason_of_an_early_end() -> None:
    stored = meeting(rule=MONDAYS)
    ended = organizer.cut(stored, datetime(2027, 3, 15, 10), comment="Alice, ill").ended
    [message] = messages(ended, stored)
    assert message.method is Method.REQUEST
    assert values(message, "COMMENT") == [":Alice\\, ill"]
    assert values(request(), "COMMENT") == []


@pytest.mark.parametrize("message", [cancel(), uninvite()])
def test_z5_cancel_has_the_vtimezone_too(message: Message) -> None:
    assert "TZID:Asia/Shanghai" in lines(message)


def test_z2_each_change_has_one_yearly_rule() -> None:
    text = lines(request(tzid="America/New_York", rule=MONDAYS))
    zone = text[text.index("BEGIN:VTIMEZONE") : text.index("END:VTIMEZONE")]
    assert [line for line in zone if line.startswith("RRULE")] == [
        "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11",
        "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3",
    ]
    assert zone.count("BEGIN:STANDARD") == zone.count("BEGIN:DAYLIGHT") == 1


# P5–P10: identity, stamps, states, times


def test_p5_uid_is_the_same_in_every_message() -> None:
    everything = [request(), *update(meeting(), location="Room 8"), cancel(), uninvite()]
    assert {tuple(values(message, "UID")) for message in everything} == {(":meeting-1",)}


def test_p6_dtstamp_is_in_utc() -> None:
    assert values(request(), "DTSTAMP") == [":20270201T093000Z"]


def test_p7_request_has_status_confirmed() -> None:
    assert values(request(), "STATUS") == [":CONFIRMED"]


def test_p8_cancel_has_status_cancelled() -> None:
    assert values(cancel(), "STATUS") == [":CANCELLED"]


def test_p8_uninvitation_has_no_status() -> None:
    assert values(uninvite(), "STATUS") == []


def test_p9_request_is_opaque_cancel_transparent() -> None:
    assert values(request(), "TRANSP") == [":OPAQUE"]
    assert values(cancel(), "TRANSP") == values(uninvite(), "TRANSP") == [":TRANSPARENT"]
    assert values(request(), "CLASS") == [":PUBLIC"]
    assert values(request(), "PRIORITY") == [":5"]


def test_p10_start_and_end_are_in_the_same_zone() -> None:
    assert values(request(), "DTSTART") == [";TZID=Asia/Shanghai:20270301T100000"]
    assert values(request(), "DTEND") == [";TZID=Asia/Shanghai:20270301T110000"]
    assert values(request(), "DURATION") == []


def test_p10_utc_times_have_no_vtimezone() -> None:
    message = request(tzid="UTC")
    assert values(message, "DTSTART") == [":20270301T100000Z"]
    assert "BEGIN:VTIMEZONE" not in lines(message)


# P12, P13: Outlook's own


def test_p12_request_is_tentative_then_busy() -> None:
    found = [line for line in lines(request(rule=MONDAYS)) if line.startswith("X-")]
    assert found == [
        "X-MICROSOFT-CDO-ALLDAYEVENT:FALSE",
        "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",
        "X-MICROSOFT-CDO-IMPORTANCE:1",
        "X-MICROSOFT-CDO-INSTTYPE:1",
        "X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY",
        "X-MICROSOFT-DISALLOW-COUNTER:TRUE",
    ]
    assert values(request(), "X-MICROSOFT-CDO-INSTTYPE") == [":0"]


@pytest.mark.parametrize("message", [cancel(), uninvite()])
def test_p12_cancel_frees_the_time(message: Message) -> None:
    found = [line for line in lines(message) if line.startswith("X-")]
    assert found == ["X-MICROSOFT-CDO-BUSYSTATUS:FREE", "X-MICROSOFT-CDO-INTENDEDSTATUS:FREE"]


def test_p13_sequence_is_written_only_once() -> None:
    changed = update(meeting(), location="Room 8")[-1]
    assert values(changed, "SEQUENCE") == [":1"]
    assert values(changed, "X-MICROSOFT-CDO-APPT-SEQUENCE") == []


# P19–P21: reminders, what must not occur, all-day


def test_p19_reminder_is_one_display_alarm() -> None:
    text = lines(request(reminder=15))
    alarm = text[text.index("BEGIN:VALARM") : text.index("END:VALARM") + 1]
    assert sorted(alarm[1:-1]) == [
        "ACTION:DISPLAY",
        "DESCRIPTION:REMINDER",
        "TRIGGER;RELATED=START:-PT15M",
    ]
    assert text.count("BEGIN:VALARM") == 1


def test_p19_no_alarm_by_default_or_in_cancel() -> None:
    assert "BEGIN:VALARM" not in lines(request())
    assert "BEGIN:VALARM" not in lines(cancel(meeting(reminder=15)))


FORBIDDEN = (
    "SCHEDULE-",
    "RSCALE",
    "SKIP=",
    "EXRULE",
    "RDATE",
    "X-WR-",
    "X-PUBLISHED-TTL",
    "SENT-BY",
)


@pytest.mark.parametrize("message", [request(rule=MONDAYS, reminder=5), cancel(), uninvite()])
def test_p20_message_has_no_forbidden_property(message: Message) -> None:
    written = to_ical(message).decode()
    for name in FORBIDDEN:
        assert name not in written


def test_p21_all_day_meeting_has_dates_and_no_zone() -> None:
    message = request(all_day=True, start=datetime(2027, 5, 1), end=datetime(2027, 5, 4))
    assert values(message, "DTSTART") == [";VALUE=DATE:20270501"]
    assert values(message, "DTEND") == [";VALUE=DATE:20270504"]
    assert values(message, "X-MICROSOFT-CDO-ALLDAYEVENT") == [":TRUE"]
    assert "BEGIN:VTIMEZONE" not in lines(message)


# Recurrence as it is written


def test_r6_until_is_the_last_start_in_utc() -> None:
    until = Rule(freq=Frequency.WEEKLY, by_day=("MO",), until=datetime(2027, 3, 20, 23, 59))
    assert values(request(rule=until), "RRULE") == [":FREQ=WEEKLY;UNTIL=20270315T020000Z;BYDAY=MO"]


def test_r6_until_of_all_day_series_is_a_date() -> None:
    until = Rule(freq=Frequency.DAILY, until=datetime(2027, 5, 3, 12))
    message = request(
        rule=until, all_day=True, start=datetime(2027, 5, 1), end=datetime(2027, 5, 2)
    )
    assert values(message, "RRULE") == [":FREQ=DAILY;UNTIL=20270503"]


def test_exdate_is_a_start_in_the_zone() -> None:
    message = request(rule=MONDAYS, exdates=(datetime(2027, 3, 8, 10),))
    assert values(message, "EXDATE") == [";TZID=Asia/Shanghai:20270308T100000"]
