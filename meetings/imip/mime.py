"""MIME entities as bytes (RFC 2045, RFC 2046). Every part is base64.

Base64 because mail servers on the way may fold, trim or recode anything else (interop M5).
"""

from base64 import encodebytes
from collections.abc import Iterable


def alternative(text: str, html: str, calendar: bytes, method: str) -> bytes:
    """Return the body that mail programs show as an invitation (interop M1, M2, M3).

    A mail program takes the last alternative that it understands, so the calendar comes last. It
    has no Content-Disposition: with one, Outlook shows a file instead of an invitation.
    """
    return _multipart(
        "alternative",
        _part('text/plain; charset="utf-8"', _text_octets(text)),
        _part('text/html; charset="utf-8"', _text_octets(html)),
        _part(f'text/calendar; charset="utf-8"; method="{method}"', calendar),
    )


def with_attachment(body: bytes, calendar: bytes) -> bytes:
    """Return ``body`` followed by ``calendar`` as the file invite.ics (interop M6)."""
    disposition = 'attachment; filename="invite.ics"'
    return _multipart(
        "mixed", body, _part('application/ics; name="invite.ics"', calendar, disposition)
    )


def lines(texts: Iterable[str]) -> bytes:
    """Return each text as one line in UTF-8 that CRLF ends."""
    return "".join(f"{text}\r\n" for text in texts).encode()


def _multipart(subtype: str, *parts: bytes) -> bytes:
    # An outer boundary must not begin like an inner one, so the subtype is in its name. No base64
    # line begins with hyphens, so no content can contain a boundary.
    boundary = f"=_{subtype}"
    delimiter = f"--{boundary}\r\n".encode()
    header = lines([f'Content-Type: multipart/{subtype}; boundary="{boundary}"', ""])
    return header + b"".join(delimiter + part for part in parts) + f"--{boundary}--\r\n".encode()


def _part(content_type: str, content: bytes, disposition: str = "") -> bytes:
    header = [f"Content-Type: {content_type}", "Content-Transfer-Encoding: base64"]
    if disposition:
        header.append(f"Content-Disposition: {disposition}")
    return lines([*header, ""]) + encodebytes(content).replace(b"\n", b"\r\n")


def _text_octets(text: str) -> bytes:
    return "\r\n".join(text.splitlines()).encode("utf-8", "replace") + b"\r\n"
