"""The name that this server says in EHLO (RFC 5321 §4.1.1.1)."""

import ipaddress
import re

from django.conf import settings
from django.core.mail.utils import DNS_NAME

from meetings.addresses import punycode

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_LONGEST_NAME = 253  # octets
_IPV6 = "ipv6:"


def our_name() -> str:
    """Return MEETINGS_EHLO_NAME in ASCII, or what this machine is called if that is empty.

    The machine's name is looked up once in each process, which may take as long as DNS does.
    """
    configured: str = settings.MEETINGS_EHLO_NAME
    if not configured:
        return str(DNS_NAME.get_fqdn())
    try:
        return punycode(configured)
    except UnicodeError:
        return configured  # which the system checks refuse


def is_name(text: str) -> bool:
    """Whether EHLO can say ``text``: a host name, or an address literal such as [192.0.2.1]."""
    if text.startswith("[") and text.endswith("]"):
        return _is_address(text[1:-1])
    try:
        name = punycode(text)
    except UnicodeError:
        return False
    labels = name.split(".")
    return len(name) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, labels))


def _is_address(text: str) -> bool:
    """RFC 5321 §4.1.3: an address of version 6 is marked as such, and one of version 4 is not."""
    is_v6 = text.lower().startswith(_IPV6)
    try:
        address = ipaddress.ip_address(text[len(_IPV6) :] if is_v6 else text)
    except ValueError:
        return False
    return address.version == (6 if is_v6 else 4)
