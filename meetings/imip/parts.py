"""The parts of an e-mail as a reader wants them: bytes → text, HTML, calendar."""

import email
from dataclasses import dataclass
from email.message import Message


@dataclass(frozen=True, slots=True)
class Parts:
    """The contents of one e-mail as text, with LF line ends. A part that it lacks is empty."""

    text: str
    html: str
    calendar: str


def read_parts(raw: bytes) -> Parts:
    """Return the first text/plain, text/html and text/calendar part of ``raw``, decoded.

    Attachments are left out. Whatever the bytes are, this raises nothing: octets that the charset
    does not have become U+FFFD.
    """
    # The older of the standard library's two message classes: its newer one raises for some
    # header fields that are not well-formed.
    entities = [
        entity
        for entity in email.message_from_bytes(raw).walk()
        if entity.get_content_disposition() != "attachment"
    ]
    return Parts(
        text=_content(entities, "text/plain"),
        html=_content(entities, "text/html"),
        calendar=_content(entities, "text/calendar"),
    )


def _content(entities: list[Message], content_type: str) -> str:
    for entity in entities:
        content = entity.get_payload(decode=True)
        if entity.get_content_type() == content_type and isinstance(content, bytes):
            return _decoded(content, entity.get_content_charset("utf-8")).replace("\r\n", "\n")
    return ""


def _decoded(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset, "replace")
    except (LookupError, ValueError):  # no charset that Python knows, or none of a text
        return content.decode("utf-8", "replace")
