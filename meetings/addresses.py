"""A mail address: how it is compared, and how an SMTP command carries it (RFC 5321, RFC 6531)."""

import re

# RFC 5321 §4.5.3.1 counts the whole path. Servers cut or refuse a longer one in different ways.
LONGEST_ADDRESS = 254
_UNSAFE = re.compile(r"[\s<>]")


class AddressError(ValueError):
    """An address that cannot stand in a MAIL or RCPT command."""


def address_key(address: str) -> str:
    """Return ``address`` as it is compared: without regard to case (interop A1, Y6)."""
    return address.casefold()


def punycode(domain: str) -> str:
    """Return ``domain`` with its labels in A-form (RFC 5890). Raises UnicodeError."""
    return domain.encode("idna").decode("ascii")


def wire_address(address: str) -> str:
    """Return ``address`` with its domain in A-labels; the local part stays as it is (RFC 6531).

    Raises AddressError for what cannot be one path of a command: no local part, no domain, control
    characters, white space or angle brackets outside a quoted local part, an impossible domain.
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
    if len(wire.encode()) > LONGEST_ADDRESS:
        raise AddressError(f"the address is longer than {LONGEST_ADDRESS} octets")
    return wire
