"""A mail whose bytes are fixed, in the form that Django's e-mail backends expect.

Backends that send MIME (Django's own, Amazon SES) get the exact bytes through ``message()``. If
Django 5.2 made them, the calendar part would have two ``charset`` parameters and be 8bit. Backends
that call a provider's API read the attributes instead, so these are set from the same bytes.
"""

from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy
from email.utils import parseaddr

from django.core.mail import EmailMultiAlternatives

# Headers that have an attribute of their own, or that describe the bytes rather than the mail.
_NOT_EXTRA = {"from", "to", "cc", "bcc", "reply-to", "subject", "mime-version"}


class FrozenMessage(EmailMessage):
    """A parsed message that is always written as the bytes from which it was parsed."""

    # The parser makes the parts of the message with this class too. They have no bytes.
    frozen: bytes | None = None

    def as_bytes(
        self, unixfrom: bool = False, policy: object = None, linesep: object = None
    ) -> bytes:
        """Return the frozen bytes. ``linesep`` changes nothing: they have CRLF."""
        return super().as_bytes() if self.frozen is None else self.frozen

    def as_string(
        self, unixfrom: bool = False, *args: object, linesep: object = None, **kwargs: object
    ) -> str:
        """Return the frozen bytes as text, with CRLF."""
        return self.as_bytes().decode("utf-8", "surrogateescape")


_PARSER = BytesParser(policy=EmailPolicy(message_factory=FrozenMessage, linesep="\r\n"))


def parse(raw: bytes) -> FrozenMessage:
    """Return ``raw`` as a message that is written as ``raw`` again."""
    message: FrozenMessage = _PARSER.parsebytes(raw)
    message.frozen = raw
    return message


class FrozenEmail(EmailMultiAlternatives):
    """``raw``, addressed to ``recipients`` and to no one else whom its headers name.

    ``from_email`` is the envelope sender. If it differs from the header's From, that becomes an
    extra header, as Django has it. The calendar is an alternative of type
    ``text/calendar; method=…`` without a charset, because all programs that make MIME of it add
    their own.
    """

    def __init__(self, raw: bytes, *, recipients: Sequence[str], envelope_from: str = "") -> None:
        self.raw = raw
        parsed = parse(raw)
        self.header_from = str(parsed["From"] or "")
        to, cc = _to_and_cc(parsed, recipients)
        super().__init__(
            subject=str(parsed["Subject"] or ""),
            body=_text_of(parsed, "text/plain"),
            from_email=self.header_from,
            to=to,
            cc=cc,
            reply_to=[str(value) for value in parsed.get_all("Reply-To", [])],
            headers=_extra_headers(parsed),
        )
        for text, mimetype in _alternatives(parsed):
            self.attach_alternative(text, mimetype)
        for name, content, mimetype in _attachments(parsed):
            self.attach(name, content, mimetype)
        if envelope_from and envelope_from.casefold() != parseaddr(self.header_from)[1].casefold():
            self.from_email = envelope_from
            self.extra_headers["From"] = self.header_from

    def message(self) -> FrozenMessage:
        """Return the frozen bytes behind the interface of ``email.message.Message``."""
        return parse(self.raw)

    def without_envelope_sender(self) -> None:
        """Leave only the header's From, for a provider that sets the envelope sender itself."""
        self.extra_headers.pop("From", None)
        self.from_email = self.header_from

    def with_calendar_attached(self) -> None:
        """Attach the calendar, for a provider that knows no alternative but HTML."""
        calendars = [part for part in self.alternatives if part[1].startswith("text/calendar")]
        self.alternatives = [part for part in self.alternatives if part not in calendars]
        for content, mimetype in calendars:
            # A plain triple, because some of anymail's backends drop the method parameter of a
            # MIME part.
            self.attach("invite.ics", content, mimetype)


def _to_and_cc(parsed: EmailMessage, recipients: Sequence[str]) -> tuple[list[str], list[str]]:
    """``recipients`` as To and Cc, as the header has them. To must not be empty."""
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
    return {
        name: str(parsed[name])
        for name in parsed
        if name.lower() not in _NOT_EXTRA and not name.lower().startswith("content-")
    }


def _parts(parsed: EmailMessage, *, attached: bool) -> Iterator[tuple[EmailMessage, bytes]]:
    """The parts that are attachments, or those that are none, each with its decoded content."""
    for part in parsed.walk():
        content = part.get_payload(decode=True)
        if (
            isinstance(part, EmailMessage)
            and isinstance(content, bytes)
            and part.is_attachment() is attached
        ):
            yield part, content


def _texts(parsed: EmailMessage, mimetype: str) -> Iterator[tuple[EmailMessage, str]]:
    for part, content in _parts(parsed, attached=False):
        if part.get_content_type() == mimetype:
            yield part, content.decode(part.get_content_charset("utf-8"), "replace")


def _text_of(parsed: EmailMessage, mimetype: str) -> str:
    return next((text.replace("\r\n", "\n") for _, text in _texts(parsed, mimetype)), "")


def _alternatives(parsed: EmailMessage) -> Iterator[tuple[str, str]]:
    html = _text_of(parsed, "text/html")
    if html:
        yield html, "text/html"
    for part, text in _texts(parsed, "text/calendar"):
        method = part.get_param("method")
        yield text, f"text/calendar; method={method}" if method else "text/calendar"


def _attachments(parsed: EmailMessage) -> Iterator[tuple[str | None, bytes, str]]:
    for part, content in _parts(parsed, attached=True):
        yield part.get_filename(), content, part.get_content_type()
