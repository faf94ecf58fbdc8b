"""What the tests' calendar program takes for an invitation, and what it does not."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from tests.support.readers.itip_reader import NotAnInvitation, read_calendar, read_mail
from tests.support.readers.itip_writer import calendar

LOCAL = ";TZID=Asia/Shanghai:20320301T100000"


def mail(text: str | None = None, *, method: str = "REQUEST", sender: str = "") -> EmailMessage:
    """A mail as calendar programs send it: text, and the calendar as its alternative."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender or "Alice <Alice@example.com>"
    message.set_content("You are invited.")
    message.add_alternative(text or calendar(), subtype="calendar", params={"method": method})
    return message


def test_invitation_is_read() -> None:
    text = calendar("REQUEST", "LOCATION:Room 7\\, 8th floor\\nby the lift", "X-OTHER;A=1:2")
    message = read_mail(mail(text).as_bytes())
    assert message.method == "REQUEST"
    assert message.version.sequence == 0
    assert message.text("LOCATION") == "Room 7, 8th floor\nby the lift"
    assert message.one("X-OTHER").params == {"A": "1"}
    assert message.moment("DTSTART").isoformat() == "2032-03-01T02:00:00+00:00"
    assert message.text("COMMENT") == ""


def test_invitation_with_an_attached_copy_is_read() -> None:
    message = mail()
    message.add_attachment(calendar().encode(), maintype="application", subtype="ics")
    assert read_mail(message.as_bytes()).method == "REQUEST"


def test_reminder_is_no_part_of_the_event() -> None:
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "SUMMARY:Soon", "END:VALARM", "LOCATION:Room 7")
    message = read_calendar(calendar("REQUEST", *alarm))
    assert message.text("SUMMARY") == "Review"
    assert message.text("LOCATION") == "Room 7"


def test_second_line_of_a_property_is_refused() -> None:
    message = read_calendar(calendar("REQUEST", "LOCATION:Room 7", "LOCATION:Room 8"))
    with pytest.raises(NotAnInvitation, match="LOCATION occurs 2 times"):
        message.text("LOCATION")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (calendar("PUBLISH"), "METHOD is 'PUBLISH'"),
        (calendar("REQUEST\nMETHOD:CANCEL"), "METHOD is 'REQUEST,CANCEL'"),
        (calendar("REQUEST", "END:VEVENT", "BEGIN:VEVENT"), "there are 2 VEVENTs"),
        (calendar(DTSTART=None), "DTSTART is missing"),
        (calendar(SEQUENCE=None), "SEQUENCE is missing"),
        (calendar(ATTENDEE=None), "ATTENDEE is missing"),
        (calendar(zone=""), "DTSTART is in no zone"),
        (calendar(DTEND=":20320301T110000"), "DTEND is in no zone"),
        (calendar("REQUEST", "EXDATE;TZID=Asia/Tokyo:20320301T100000"), "EXDATE is in no zone"),
        (calendar(RECURRENCE_ID=f";RANGE=THISANDFUTURE{LOCAL}"), "RANGE"),
        (calendar(RECURRENCE_ID=LOCAL, RRULE=":FREQ=DAILY;COUNT=2"), "RRULE is in a message"),
    ],
)
def test_calendar_that_programs_misread_is_refused(text: str, why: str) -> None:
    with pytest.raises(NotAnInvitation, match=why):
        read_calendar(text)


def test_method_parameter_must_agree() -> None:
    with pytest.raises(NotAnInvitation, match="differ"):
        read_mail(mail(method="CANCEL").as_bytes())


def test_mail_must_come_from_the_organizer() -> None:
    with pytest.raises(NotAnInvitation, match="which is not the ORGANIZER"):
        read_mail(mail(sender="mallory@example.com").as_bytes())


def test_calendar_must_be_an_alternative() -> None:
    message = EmailMessage()
    message.set_content("You are invited.")
    message.add_attachment(calendar(), subtype="calendar", params={"method": "REQUEST"})
    with pytest.raises(NotAnInvitation, match="multipart/alternative"):
        read_mail(message.as_bytes())


def test_calendar_must_not_be_an_attachment() -> None:
    message = mail()
    *_, part = message.iter_parts()
    part["Content-Disposition"] = "attachment"
    with pytest.raises(NotAnInvitation, match="is an attachment"):
        read_mail(message.as_bytes())


def test_mail_must_have_one_calendar() -> None:
    message = mail()
    message.add_alternative(calendar(), subtype="calendar", params={"method": "REQUEST"})
    with pytest.raises(NotAnInvitation, match="2 text/calendar parts"):
        read_mail(message.as_bytes())
