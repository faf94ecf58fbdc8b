"""The header fields of an invitation (RFC 5322; interop M7, M9 and M11–M13).

The standard library does not write them. Its header classes make encoded words that are longer
than RFC 2047 §2 allows, split names that need no splitting, and refuse addresses of RFC 6532.
What is needed here is little. A text is either ASCII, folded at its spaces, or encoded words.
"""

import re
import textwrap
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from meetings.addresses import punycode
from meetings.itip.event import Attendee, Organizer, Role
from meetings.itip.message import Message

# Mail servers refuse or cut longer headers. Past this number, To names the organizer only, and the
# calendar part still names all attendees.
MAX_ADDRESSES_SHOWN = 100

_FOLD = "\r\n "
# Characters of text in one line. With the field's name in front the line stays below 76.
_LINE_LENGTH = 60
# Octets of UTF-8 in one encoded word. They become 64 characters with the frame, and 73 after
# "Subject: ". RFC 2047 §2 allows 75 for the word and 76 for the line.
_WORD_OCTETS = 39

# What could end a line of the header: controls, the separators that str.splitlines knows, and half
# surrogates, which cannot be encoded.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ATOM = r"[^\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff()<>\[\]:;@\\,.\"]+"
_DOT_ATOM = rf"{_ATOM}(?:\.{_ATOM})*"
_QUOTED = r'"(?:[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"\\]|\\[\x20-\x7e])*"'
_ADDRESS = re.compile(
    rf"(?P<local>{_DOT_ATOM}|{_QUOTED})@(?P<domain>{_DOT_ATOM}|\[[0-9A-Za-z:.]+\])"
)
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_PHRASE = re.compile(rf"{_ATEXT}(?: {_ATEXT})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the header says that the message does not.

    ``date`` is aware. ``message_id`` and ``thread`` have their angle brackets. Without ``thread``
    the mail refers to no other mail.
    """

    subject: str
    date: datetime
    message_id: str
    thread: str = ""


def header_fields(message: Message, frame: Frame) -> Iterator[tuple[str, str]]:
    """Yield name and folded value of each header field but those of MIME parts.

    Raises ValueError for an address that no header can represent.
    """
    yield "From", _mailbox(message.event.organizer)
    yield from _recipients(message)
    yield "Subject", _unstructured(frame.subject)
    yield "Date", format_datetime(frame.date)
    yield "Message-ID", frame.message_id
    if frame.thread:
        yield "In-Reply-To", frame.thread
        yield "References", frame.thread
    # Out-of-office programs send nothing back to a mail that has these two (interop M13).
    yield "Auto-Submitted", "auto-generated"
    yield "X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"
    yield "MIME-Version", "1.0"


def one_line(text: str) -> str:
    """Return ``text`` without what could begin another line of a header (interop M17).

    Callers write subjects and names. A line break that stayed in one of them would end the header
    field, and the rest of the text would be read as a field of its own: "Bcc:" with an address of
    the caller's choice. So each run of such characters becomes one space, before anything else is
    done with the text. Addresses do not pass through here: `_address` refuses instead of replacing.
    """
    return _CONTROL.sub(" ", text).strip()


def _recipients(message: Message) -> Iterator[tuple[str, str]]:
    """To for the required attendees, Cc for the others, as Exchange does (interop M7)."""
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
    """``Name <address>`` (RFC 5322 §3.4), folded before the address if the line gets too long."""
    address = _address(person.address)
    name = one_line(person.name)
    if not name:
        return address
    phrase = _phrase(name)
    last_line = phrase.rpartition("\n")[2]
    space = " " if len(last_line) + len(address) < _LINE_LENGTH else _FOLD
    return f"{phrase}{space}<{address}>"


def _address(address: str) -> str:
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(f"not a mail address: {address!r}")
    if not match["local"].isascii():
        # Such an address needs SMTPUTF8 anyway, so its domain may stay as people write it.
        return address
    return f"{match['local']}@{punycode(match['domain'])}"


def _phrase(name: str) -> str:
    """A display name, quoted or encoded if it must be (RFC 5322 §3.2.5)."""
    if not _is_plain(name) or len(name) > _LINE_LENGTH:
        return _encoded_words(name)
    if _PLAIN_PHRASE.fullmatch(name):
        return name
    escaped = name.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _unstructured(text: str) -> str:
    """The value of an unstructured field (RFC 5322 §2.2.1), folded."""
    if _is_plain(text) and all(0 < len(word) <= _LINE_LENGTH for word in text.split(" ")):
        return _FOLD.join(textwrap.wrap(text, _LINE_LENGTH, break_on_hyphens=False))
    return _encoded_words(text)


def _is_plain(text: str) -> bool:
    """Whether a header can have ``text`` as it is, and no reader takes it for an encoded word."""
    return text.isascii() and "=?" not in text


def _encoded_words(text: str) -> str:
    """``text`` as encoded words, each of whole characters (RFC 2047 §2 and §5)."""
    return _FOLD.join(f"=?utf-8?b?{b64encode(chunk).decode()}?=" for chunk in _chunks(text))


def _chunks(text: str) -> Iterator[bytes]:
    chunk = b""
    for character in text:
        octets = character.encode()
        if len(chunk) + len(octets) > _WORD_OCTETS:
            yield chunk
            chunk = b""
        chunk += octets
    if chunk:
        yield chunk
