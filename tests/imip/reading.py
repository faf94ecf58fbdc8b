"""What the tests of mails share: composing one, and reading it back."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

from meetings.imip.compose import ComposedMail, MailOptions, compose
from meetings.itip.message import Message
from tests.support.cast import NOW, cancel, meeting, request, uninvite, update

EVERY_KIND = {
    "request": request(),
    "update": update(meeting(), location="Room 8")[0],
    "cancel": cancel(),
    "uninvite": uninvite(),
}


OPTIONS = MailOptions(language="en", domain="meet.example.com", date=NOW)


def mail(message: Message, **options: Any) -> ComposedMail:
    return compose(message, replace(OPTIONS, **options))


def read(composed: ComposedMail) -> EmailMessage:
    parsed = message_from_bytes(composed.raw, policy=policy.SMTPUTF8)
    assert isinstance(parsed, EmailMessage)
    return parsed


def header(composed: ComposedMail) -> list[str]:
    """The raw lines of the header block."""
    return composed.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")


def fields(composed: ComposedMail) -> list[str]:
    """The names of the header fields, in order."""
    return [line.split(":")[0] for line in header(composed) if not line.startswith(" ")]


def mailboxes(composed: ComposedMail, name: str) -> list[tuple[str, str]]:
    """Names and addresses of the header field ``name``, which may be absent."""
    found: tuple[Address, ...] = read(composed)[name].addresses if name in fields(composed) else ()
    return [(address.display_name, address.addr_spec) for address in found]


def content(part: Any) -> bytes:
    """What the part contains. Its transfer encoding is undone, and nothing else."""
    return bytes(part.get_payload(decode=True))


def parts(composed: ComposedMail) -> list[EmailMessage]:
    return [
        part
        for part in read(composed).walk()
        if isinstance(part, EmailMessage) and not part.is_multipart()
    ]
