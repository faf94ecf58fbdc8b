import base64
import copy
import email
from email import policy

from django.core.mail import EmailMultiAlternatives

from meetings.transport.third_party.frozen import FrozenEmail
from tests.transport.conftest import ICS

BOB, CAROL, DAVE, EVE = (
    "bob@example.com",
    "carol@example.com",
    "dave@example.com",
    "eve@example.com",
)


def test_invitation_contains_the_calendar(invitation: bytes) -> None:
    parts = email.message_from_bytes(invitation).walk()
    [calendar] = [part for part in parts if part.get_content_type() == "text/calendar"]
    assert base64.b64decode(str(calendar.get_payload())) == ICS.encode()


def test_mail_is_always_written_as_the_frozen_bytes(invitation: bytes) -> None:
    message = FrozenEmail(invitation, recipients=[BOB]).message()
    assert message.as_bytes() == invitation
    assert message.as_bytes(linesep="\n") == invitation
    assert message.as_bytes(unixfrom=False, linesep="\r\n") == invitation
    assert bytes(message) == invitation
    assert message.as_string().encode() == invitation
    assert str(message).encode() == invitation


def test_odd_lines_of_a_header_stay_as_they_are() -> None:
    raw = (
        b"Subject: "
        + b"a line that is longer than others " * 5
        + b"\r\nX-Odd:no space\r\n\r\nno line end"
    )
    assert FrozenEmail(raw, recipients=[BOB]).message().as_bytes(linesep="\r\n") == raw


def test_bytes_that_are_not_ascii_stay_as_they_are() -> None:
    raw = "Subject: 会议\r\n\r\n8bit 会议\r\n".encode() + b"\xff\r\n"
    message = FrozenEmail(raw, recipients=[BOB]).message()
    assert message.as_bytes() == raw
    assert message.as_string().encode("utf-8", "surrogateescape") == raw


def test_copy_of_a_mail_has_the_same_bytes(invitation: bytes) -> None:
    assert (
        copy.deepcopy(FrozenEmail(invitation, recipients=[BOB])).message().as_bytes() == invitation
    )


def test_mail_names_only_the_recipients_of_this_call(invitation: bytes) -> None:
    message = FrozenEmail(invitation, recipients=[BOB, CAROL])
    assert (message.to, message.cc, message.bcc) == ([BOB], [CAROL], [])
    assert message.recipients() == [BOB, CAROL]


def test_recipients_of_cc_alone_move_to_to(invitation: bytes) -> None:
    message = FrozenEmail(invitation, recipients=[CAROL])
    assert (message.to, message.cc) == ([CAROL], [])


def test_recipient_that_no_header_names_is_in_to(invitation: bytes) -> None:
    assert FrozenEmail(invitation, recipients=[EVE, CAROL]).to == [EVE]


def test_attributes_say_what_the_bytes_say(invitation: bytes) -> None:
    message = FrozenEmail(invitation, recipients=[BOB, DAVE], envelope_from="alice@example.com")
    assert message.subject == "周会 weekly"
    assert message.from_email == "Alice Arnold <alice@example.com>"
    assert message.body == "Weekly\n.dotted line\n"
    assert message.extra_headers == {
        "Message-ID": "<1@example.com>",
        "Date": "Sat, 30 Nov 2019 10:00:00 +0800",
        "Auto-Submitted": "auto-generated",
    }
    assert [tuple(part) for part in message.alternatives] == [
        ("<p>周会</p>\n", "text/html"),
        (ICS, "text/calendar; method=REQUEST"),
    ]
    assert message.attachments == []


def test_envelope_sender_is_the_from_email_of_django(invitation: bytes) -> None:
    message = FrozenEmail(invitation, recipients=[BOB], envelope_from="bounces@example.com")
    assert message.from_email == "bounces@example.com"
    assert message.extra_headers["From"] == "Alice Arnold <alice@example.com>"
    message.without_envelope_sender()
    assert message.from_email == "Alice Arnold <alice@example.com>"
    assert "From" not in message.extra_headers


def test_mail_built_by_django_has_one_charset(invitation: bytes) -> None:
    rebuilt = EmailMultiAlternatives.message(FrozenEmail(invitation, recipients=[BOB])).as_bytes()
    parts = list(email.message_from_bytes(rebuilt, policy=policy.default).walk())
    [calendar] = [part for part in parts if part.get_content_type() == "text/calendar"]
    assert sorted(calendar["Content-Type"].params.items()) == [
        ("charset", "utf-8"),
        ("method", "REQUEST"),
    ]
    assert calendar["Content-Disposition"] is None
    assert [part.get_content_type() for part in parts] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
    ]


def test_attached_copy_stays_an_attachment(invitation: bytes) -> None:
    message = email.message_from_bytes(invitation, policy=policy.SMTP)
    assert isinstance(message, email.message.EmailMessage)
    message.add_attachment(
        ICS.encode(), maintype="application", subtype="ics", filename="invite.ics"
    )
    frozen = FrozenEmail(bytes(message), recipients=[BOB])
    assert frozen.attachments == [("invite.ics", ICS.encode(), "application/ics")]
    assert len(frozen.alternatives) == 2


def test_calendar_can_become_an_attachment(invitation: bytes) -> None:
    message = FrozenEmail(invitation, recipients=[BOB])
    message.with_calendar_attached()
    assert [part[1] for part in message.alternatives] == ["text/html"]
    assert message.attachments == [("invite.ics", ICS, "text/calendar; method=REQUEST")]


def test_empty_mail_has_empty_attributes() -> None:
    message = FrozenEmail(b"\r\n", recipients=[BOB])
    assert (message.to, message.subject, message.body, message.alternatives) == ([BOB], "", "", [])
