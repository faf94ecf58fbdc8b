"""Message → the exact e-mail that carries it (RFC 6047 §2.4 and §2.5; interop M1–M18)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.utils import translation
from django.utils.translation import pgettext

from meetings.imip import mime
from meetings.imip.headers import Frame, header_fields, one_line
from meetings.imip.wording.body import bodies
from meetings.itip.ical.writer import to_ical
from meetings.itip.message import Message, Method


@dataclass(frozen=True, slots=True)
class ComposedMail:
    """One e-mail, ready to be sent.

    ``raw`` has every octet of it, with CRLF line ends. ``recipients`` are bare addresses.
    ``message_id`` has its angle brackets. ``subject`` is the decoded text.
    """

    raw: bytes
    recipients: tuple[str, ...]
    message_id: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOptions:
    """What a mail needs beside its message.

    The texts are in ``language`` (``en``, ``zh-hans``). ``domain`` comes behind the @ of the
    Message-ID. ``date`` (aware) is the time at which the mail is made, for the header Date.
    ``thread`` is the Message-ID of the meeting's first REQUEST, with its angle brackets (interop
    M12). ``attach_calendar`` adds the calendar a second time, as invite.ics (M6).
    """

    language: str
    domain: str
    date: datetime
    thread: str = ""
    attach_calendar: bool = False


def compose(message: Message, options: MailOptions) -> ComposedMail:
    """Return the e-mail of ``message``, with a new Message-ID (interop M11).

    Its Date is the real time. DTSTAMP can be ahead of it, because it has to rise. Raises ValueError
    for an address that no header can represent.
    """
    # Made once and stored with the mail: every later attempt sends the same bytes again.
    message_id = f"<{uuid4().hex}.{message.event.sequence}@{options.domain}>"
    with translation.override(options.language):
        subject = one_line(_subject(message))
        texts = bodies(message, language=options.language)
    frame = Frame(subject=subject, date=options.date, message_id=message_id, thread=options.thread)
    header = mime.lines(f"{name}: {value}" for name, value in header_fields(message, frame))
    calendar = to_ical(message)
    content = mime.alternative(texts.text, texts.html, calendar, message.method)
    if options.attach_calendar:
        content = mime.with_attachment(content, calendar)
    return ComposedMail(
        raw=header + content,
        recipients=tuple(attendee.address for attendee in message.recipients),
        message_id=message_id,
        subject=subject,
    )


def _subject(message: Message) -> str:
    """SUMMARY, by which people find the mail again. A CANCEL is marked in front (interop M12)."""
    if message.method is Method.CANCEL:
        return pgettext("subject", "Cancelled: %(title)s") % {"title": message.event.summary}
    return message.event.summary
