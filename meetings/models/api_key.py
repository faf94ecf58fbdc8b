"""The keys that programs call with, and the senders that each may speak for."""

import re
from fnmatch import fnmatchcase

from django.core.exceptions import ValidationError
from django.db import models
from rest_framework_api_key.models import AbstractAPIKey

from meetings.addresses import punycode

_LONGEST = 320
# fnmatch also knows sets of characters. A "[" in an address is more often a slip than a set.
_PATTERN = re.compile(r"[^\s@<>\[\]]+@[^\s@<>\[\]]+")


def sender_pattern(text: str) -> str:
    """Return ``text`` as a pattern of senders; its domain is an A-label, as in stored addresses.

    Raises ValidationError.
    """
    pattern = text.strip()
    local, _, domain = pattern.partition("@")
    try:
        ascii_domain = punycode(domain).lower()
    except UnicodeError:
        ascii_domain = ""
    if (
        not ascii_domain
        or len(pattern) > _LONGEST
        or not pattern.isprintable()
        or not _PATTERN.fullmatch(pattern)
    ):
        raise ValidationError(
            f"{pattern!r} is neither an address nor a pattern such as *@example.com."
        )
    return f"{local}@{ascii_domain}"


class ApiKey(AbstractAPIKey):
    """A program's key. It is shown once and stored hashed. It may expire and be revoked."""

    senders = models.JSONField(
        default=list,
        help_text=(
            'Senders that this key may speak for, such as ["*@example.com", "hr@example.org"].'
        ),
    )
    respond_async = models.BooleanField(
        default=False,
        help_text="Its calls are answered at once (202) and mailed in the background.",
    )

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"

    def may_speak_for(self, address: str) -> bool:
        """Whether ``address`` fits one of the key's patterns."""
        key = address.casefold()
        return any(fnmatchcase(key, str(pattern).casefold()) for pattern in self.senders)
