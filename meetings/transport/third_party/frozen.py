"""A mail whose bytes are already fixed, as Django's e-mail backends want to be given one.

Backends that send MIME (Django's own, Amazon SES) get the exact bytes through ``message()``: Django
5.2 would write two ``charset`` parameters and 8bit for the calendar part. Backends that talk to a
provider's API read the attributes instead, which are therefore filled in from the same bytes.
"""

from collections.abc import Collection, Sequence
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMultiAlternatives

# What has an attribute of its own, or describes the bytes rather than the mail.
_NOT_EXTRA = {"from", "to", "cc", "bcc", "reply-to", "subject", "mime-version"}


class FrozenMessage(EmailMessage):
    """A parsed message that is written as the bytes it was read from, whatever line ending is asked
    for.
    """

    # Parts are made by the same class, and have none.
    frozen: bytes | None = None

    def as_bytes(
        self, unixfrom: bool = False, policy: object = None, linesep: object = None
    ) -> bytes:
        """The frozen bytes, CRLF and all."""
        return super().as_bytes() if self.frozen is None else self.frozen

    def as_string(
        self, unixfrom: bool = False, *args: object, linesep: object = None, **kwargs: object
    ) -> str:
        """The frozen bytes as text, CRLF and all."""
        return self.as_bytes().decode("utf-8", "surrogateescape")


def parse(raw: bytes) -> FrozenMessage:
    """``raw`` as a message object that gives ``raw`` back."""
    parser: BytesParser[Any] = BytesParser(FrozenMessage, policy=policy.SMTP)
    message: FrozenMessage = parser.parsebytes(raw)
    message.frozen = raw
    return message


class FrozenEmail(EmailMultiAlternatives):
    """``raw`` addressed to ``recipients`` only: ``to`` and ``cc`` name nobody else, whoever the
    headers name.

    ``from_email`` is the envelope sender, and the header's ``From`` an extra header, where they
    differ (Django's convention). The calendar is an alternative of type ``text/calendar; method=…``
    without a charset, because everything that builds MIME from it adds its own.
    """

    def __init__(self, raw: bytes, *, recipients: Sequence[str], envelope_from: str = "") -> None:
        self.raw = raw
        parsed = parse(raw)
        header_from = str(parsed["From"] or "")
        to, cc = _split(parsed, recipients)
        super().__init__(
            subject=str(parsed["Subject"] or ""),
            body=_text_of(parsed, "text/plain"),
            from_email=header_from,
            to=to,
            cc=cc,
            reply_to=[str(value) for value in parsed.get_all("Reply-To", [])],
            headers=_extra_headers(parsed),
        )
        for text, mimetype in _alternatives(parsed):
            self.attach_alternative(text, mimetype)
        for name, content, mimetype in _attachments(parsed):
            self.attach(name, content, mimetype)
        self.header_from = header_from
        if envelope_from and envelope_from.casefold() != parseaddr(header_from)[1].casefold():
            self.from_email = envelope_from
            self.extra_headers["From"] = header_from

    def message(self) -> FrozenMessage:
        """The frozen bytes behind the interface of ``email.message.Message``."""
        return parse(self.raw)

    def without_envelope_sender(self) -> None:
        """For a provider that lets nobody choose it: leave only the header's From."""
        self.extra_headers.pop("From", None)
        self.from_email = self.header_from

    def with_calendar_attached(self) -> None:
        """For a provider whose API knows no alternative but HTML: the calendar becomes an
        attachment.
        """
        calendars = [part for part in self.alternatives if part[1].startswith("text/calendar")]
        self.alternatives = [part for part in self.alternatives if part not in calendars]
        for content, mimetype in calendars:
            # A plain triple: anymail keeps its method parameter for every provider, a MIME part's
            # not for all.
            self.attach("invite.ics", content, mimetype)


def _split(parsed: EmailMessage, recipients: Collection[str]) -> tuple[list[str], list[str]]:
    """``recipients`` as To and Cc: in Cc those whom the header names there, as long as somebody
    else is in To.
    """
    in_cc = _addresses(parsed, "Cc") - _addresses(parsed, "To")
    cc = [address for address in recipients if address.casefold() in in_cc]
    to = [address for address in recipients if address.casefold() not in in_cc]
    return (to, cc) if to else (cc, [])


def _addresses(parsed: EmailMessage, header: str) -> set[str]:
    return {
        address.addr_spec.casefold()
        for value in parsed.get_all(header, [])
        for address in value.addresses
    }


def _extra_headers(parsed: EmailMessage) -> dict[str, str]:
    names = {
        name
        for name in parsed
        if name.lower() not in _NOT_EXTRA and not name.lower().startswith("content-")
    }
    return {name: str(parsed[name]) for name in parsed if name in names}


def _inline_parts(parsed: EmailMessage, mimetype: str) -> list[EmailMessage]:
    parts = (part for part in parsed.walk() if part.get_content_type() == mimetype)
    return [part for part in parts if isinstance(part, EmailMessage) and not part.is_attachment()]


def _decoded(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    return content.decode(part.get_content_charset("utf-8"), "replace")


def _text_of(parsed: EmailMessage, mimetype: str) -> str:
    parts = _inline_parts(parsed, mimetype)
    return _decoded(parts[0]).replace("\r\n", "\n") if parts else ""


def _alternatives(parsed: EmailMessage) -> list[tuple[str, str]]:
    html = _text_of(parsed, "text/html")
    found = [(html, "text/html")] if html else []
    for part in _inline_parts(parsed, "text/calendar"):
        method = part.get_param("method")
        found.append(
            (_decoded(part), f"text/calendar; method={method}" if method else "text/calendar")
        )
    return found


def _attachments(parsed: EmailMessage) -> list[tuple[str | None, bytes, str]]:
    parts = [
        part for part in parsed.walk() if isinstance(part, EmailMessage) and part.is_attachment()
    ]
    payloads = [(part, part.get_payload(decode=True)) for part in parts]
    return [
        (part.get_filename(), payload, part.get_content_type())
        for part, payload in payloads
        if isinstance(payload, bytes)
    ]
