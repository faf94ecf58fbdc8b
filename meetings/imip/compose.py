"""Message → the exact e-mail that carries it (RFC 6047 §2.4 and §2.5, interop M1–M18).

Header fields are written here rather than by the standard library: its header classes leave encoded
words longer than RFC 2047 §2 allows, split names that need no splitting, and refuse addresses of
RFC 6532. What is needed is little: a text is ASCII and folded at its spaces, or else it is base64
encoded words.
"""

import re
import textwrap
from base64 import b64encode, encodebytes
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from uuid import uuid4

from django.utils import translation
from django.utils.translation import pgettext

from meetings.addresses import punycode
from meetings.imip.wording.body import Bodies, bodies
from meetings.itip.event import Attendee, Organizer, Role
from meetings.itip.ical.writer import to_ical
from meetings.itip.message import Message, Method

MAX_ADDRESSES_SHOWN = 100
"""Past this many, To names the organizer only: mail servers refuse or cut longer headers, and the
calendar has all.
"""

_FOLD = "\r\n "
_ROOM = 60  # characters of text in a line of a header: with the field's name it stays below 76
# of UTF-8 in an encoded word: 64 characters with its frame, and 73 after "Subject: " (RFC 2047 §2)
_OCTETS = 39
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ATOM = r"[^\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff()<>\[\]:;@\\,.\"]+"
_DOT_ATOM = rf"{_ATOM}(?:\.{_ATOM})*"
_QUOTED = r'"(?:[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"\\]|\\[\x20-\x7e])*"'
_ADDRESS = re.compile(
    rf"(?P<local>{_DOT_ATOM}|{_QUOTED})@(?P<domain>{_DOT_ATOM}|\[[0-9A-Za-z:.]+\])"
)
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_PHRASE = re.compile(rf"{_ATEXT}(?: {_ATEXT})*")


@dataclass(frozen=True, slots=True)
class ComposedMail:
    """One e-mail as it leaves: ``raw`` is every octet of it (CRLF), ``recipients`` are bare
    addresses.

    ``message_id`` has its angle brackets; ``subject`` is the text as people read it.
    """

    raw: bytes
    recipients: tuple[str, ...]
    message_id: str
    subject: str


def compose(
    message: Message,
    *,
    language: str,
    domain: str,
    date: datetime | None = None,
    thread: str = "",
    attach_calendar: bool = False,
    message_id: str | None = None,
) -> ComposedMail:
    """The e-mail of ``message``, its texts in ``language`` (``en``, ``zh-hans``).

    ``date`` is aware, and DTSTAMP when absent. ``message_id`` with its angle brackets is made below
    ``domain`` when absent (interop M11). ``thread`` is the Message-ID of the meeting's first
    REQUEST (M12). ``attach_calendar`` adds the calendar once more as invite.ics (M6). No text of
    the event adds a header: control characters become a space (M17). Raises ValueError for an
    address that no header can hold.
    """
    message_id = message_id or f"<{uuid4().hex}.{message.event.sequence}@{domain}>"
    with translation.override(language):
        subject = _one_line(_subject(message))
        texts = bodies(message, language=language)
    headers = _headers(message, subject, message_id, thread, date or message.dtstamp)
    head = _lines(f"{name}: {value}" for name, value in headers)
    calendar = to_ical(message)
    part = _alternative(texts, calendar, message.method)
    if attach_calendar:
        part = _with_attachment(part, calendar)
    return ComposedMail(
        raw=head + part,
        recipients=tuple(attendee.address for attendee in message.recipients),
        message_id=message_id,
        subject=subject,
    )


def _subject(message: Message) -> str:
    """SUMMARY, by which people find the mail again; a CANCEL is marked in front (interop M12)."""
    if message.method is Method.CANCEL:
        return pgettext("subject", "Cancelled: %(title)s") % {"title": message.event.summary}
    return message.event.summary


def _headers(
    message: Message, subject: str, message_id: str, thread: str, date: datetime
) -> Iterator[tuple[str, str]]:
    yield "From", _mailbox(message.event.organizer)
    yield from _addressees(message)
    yield "Subject", _text(subject)
    yield "Date", format_datetime(date)
    yield "Message-ID", message_id
    if thread and thread != message_id:
        yield "In-Reply-To", thread
        yield "References", thread
    yield "Auto-Submitted", "auto-generated"
    yield "X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"
    yield "MIME-Version", "1.0"


def _addressees(message: Message) -> Iterator[tuple[str, str]]:
    """To the required, Cc the optional and rooms, as Exchange does (interop M7)."""
    if len(message.recipients) > MAX_ADDRESSES_SHOWN:
        yield "To", _mailbox(message.event.organizer)
        return
    required = [attendee for attendee in message.recipients if attendee.role is Role.REQUIRED]
    others = [attendee for attendee in message.recipients if attendee.role is not Role.REQUIRED]
    yield "To", _mailboxes(required or others)
    if required and others:
        yield "Cc", _mailboxes(others)


def _mailboxes(people: Iterable[Attendee]) -> str:
    return f",{_FOLD}".join(_mailbox(person) for person in people)


def _mailbox(person: Attendee | Organizer) -> str:
    """``Name <address>`` (RFC 5322 §3.4), the name quoted or encoded where it must be."""
    address = _address(person.address)
    name = _one_line(person.name)
    if not name:
        return address
    if _is_plain(name) and len(name) <= _ROOM:
        quoted = name.replace("\\", r"\\").replace('"', r"\"")
        phrase = name if _PLAIN_PHRASE.fullmatch(name) else f'"{quoted}"'
    else:
        phrase = _encoded(name)
    last_line = phrase.rpartition("\n")[2]
    return f"{phrase}{' ' if len(last_line) + len(address) < _ROOM else _FOLD}<{address}>"


def _address(address: str) -> str:
    """``address`` as a header holds it: the domain in A-labels, unless the local part needs
    SMTPUTF8 anyway.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(f"not a mail address: {address!r}")
    return f"{match['local']}@{punycode(match['domain'])}" if match["local"].isascii() else address


def _one_line(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()


def _is_plain(text: str) -> bool:
    """Whether ``text`` stands in a header as it is, and cannot be mistaken for an encoded word."""
    return text.isascii() and "=?" not in text


def _text(text: str) -> str:
    """An unstructured header field's value (RFC 5322 §2.2.1), folded."""
    if _is_plain(text) and all(0 < len(word) <= _ROOM for word in text.split(" ")):
        return _FOLD.join(textwrap.wrap(text, _ROOM, break_on_hyphens=False))
    return _encoded(text)


def _encoded(text: str) -> str:
    """``text`` as encoded words, each of whole characters (RFC 2047 §2 and §5)."""
    return _FOLD.join(f"=?utf-8?b?{b64encode(chunk).decode()}?=" for chunk in _chunks(text))


def _chunks(text: str) -> Iterator[bytes]:
    chunk = b""
    for character in text:
        octets = character.encode()
        if len(chunk) + len(octets) > _OCTETS:
            yield chunk
            chunk = b""
        chunk += octets
    if chunk:
        yield chunk


def _alternative(texts: Bodies, calendar: bytes, method: Method) -> bytes:
    """The alternatives, poorest first, the calendar last and without a disposition (interop M1, M2,
    M3).
    """
    return _multipart(
        "alternative",
        _part('text/plain; charset="utf-8"', _text_octets(texts.text)),
        _part('text/html; charset="utf-8"', _text_octets(texts.html)),
        _part(f'text/calendar; charset="utf-8"; method="{method}"', calendar),
    )


def _with_attachment(alternative: bytes, calendar: bytes) -> bytes:
    disposition = 'attachment; filename="invite.ics"'
    return _multipart(
        "mixed", alternative, _part('application/ics; name="invite.ics"', calendar, disposition)
    )


def _multipart(subtype: str, *parts: bytes) -> bytes:
    # Outer boundaries may not begin like inner ones; no base64 line begins with hyphens at all.
    boundary = f"=_{subtype}"
    delimiter = f"--{boundary}\r\n".encode()
    head = _lines([f'Content-Type: multipart/{subtype}; boundary="{boundary}"', ""])
    return head + b"".join(delimiter + part for part in parts) + f"--{boundary}--\r\n".encode()


def _part(content_type: str, content: bytes, disposition: str = "") -> bytes:
    """One part in base64: nothing on the way can fold, trim or recode it (interop M5)."""
    headers = [f"Content-Type: {content_type}", "Content-Transfer-Encoding: base64"]
    if disposition:
        headers.append(f"Content-Disposition: {disposition}")
    return _lines([*headers, ""]) + encodebytes(content).replace(b"\n", b"\r\n")


def _text_octets(text: str) -> bytes:
    return "\r\n".join(text.splitlines()).encode("utf-8", "replace") + b"\r\n"


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
