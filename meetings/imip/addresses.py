"""Mail addresses as an SMTP command may carry them (RFC 5321 §4.1.2, RFC 6531 §3.3)."""

import re

from django.utils.encoding import punycode

# RFC 5321 §4.5.3.1 counts the whole path; a longer one is cut or refused in ways that differ from server to server.
_LONGEST = 254
_UNSAFE = re.compile(r"[\s<>]")


class AddressError(ValueError):
    """An address that cannot stand in a MAIL or RCPT command."""


def wire_address(address: str) -> str:
    """``address`` with its domain in IDNA form; the local part stays, and may need SMTPUTF8 (RFC 6531).

    Raises AddressError for what could not be one path of a command: no local part or domain,
    control characters, white space or angle brackets outside a quoted local part, an impossible domain.
    """
    local, at, domain = address.rpartition("@")
    quoted = len(local) > 1 and local.startswith('"') and local.endswith('"')
    if not (local and at and domain) or not address.isprintable():
        raise AddressError("not a mail address")
    if _UNSAFE.search(domain if quoted else address):
        raise AddressError("not a mail address")
    try:
        wire = f"{local}@{punycode(domain)}"
    except UnicodeError as error:
        raise AddressError("the domain of the address cannot be encoded") from error
    if len(wire.encode()) > _LONGEST:
        raise AddressError(f"the address is longer than {_LONGEST} octets")
    return wire
