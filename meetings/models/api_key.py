"""The keys that programs call with, and the senders that each may speak for."""

import re
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey, APIKeyManager

from meetings.addresses import punycode
from meetings.models.client import Client

_LONGEST = 320
# fnmatch also knows sets of characters. A "[" in an address is more often a slip than a set.
_PATTERN = re.compile(r"[^\s@<>\[\]]+@[^\s@<>\[\]]+")


def sender_pattern(text: str) -> str:
    """Return ``text`` as a pattern of senders; its domain is an A-label, as in stored addresses.

    Raises ValidationError.
    """
    pattern = text.strip()
    local, _at, domain = pattern.partition("@")
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
            _("%(pattern)s is neither an address nor a pattern such as *@example.com."),
            params={"pattern": repr(pattern)},
        )
    return f"{local}@{ascii_domain}"


class ApiKeys(APIKeyManager):
    """Makes keys. A key that is given no client gets one of its own."""

    @transaction.atomic
    def create_key(self, **kwargs: Any) -> tuple["ApiKey", str]:
        """Save a new key with these fields. Return it and its secret."""
        key = ApiKey(**kwargs)
        secret = self.assign_key(key)
        key.save(force_insert=True)
        return key, secret

    def assign_key(self, obj: AbstractAPIKey) -> str:
        """Give the new key ``obj`` its secret, and a client of its name if it has none.

        Return the secret. The client is saved here, so the caller saves ``obj`` in the same
        transaction.
        """
        assert isinstance(obj, ApiKey)  # noqa: S101 (the library's annotation says its base class)
        if not obj.client_id:
            obj.client = Client.objects.create(name=obj.name)
        return super().assign_key(obj)


class ApiKey(AbstractAPIKey):
    """A key that a client calls with. It is shown once and stored hashed.

    It may expire and be revoked.
    """

    client = models.ForeignKey(
        Client, models.PROTECT, verbose_name=_("client"), related_name="api_keys"
    )
    # The library's columns, with names and help that can be translated.
    prefix = models.CharField(_("prefix"), max_length=8, unique=True, editable=False)
    hashed_key = models.CharField(_("hash of the key"), max_length=150, editable=False)
    created = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    name = models.CharField(
        _("name"), max_length=50, default=None, help_text=_("Which program has this key.")
    )
    revoked = models.BooleanField(
        _("revoked"),
        blank=True,
        default=False,
        help_text=_("A revoked key is refused. This cannot be undone."),
    )
    expiry_date = models.DateTimeField(
        _("expires"), blank=True, null=True, help_text=_("From then on the key is refused.")
    )
    senders = models.JSONField(
        _("senders"),
        default=list,
        help_text=_(
            'Senders that this key may speak for, such as ["*@example.com", "hr@example.org"].'
        ),
    )
    respond_async = models.BooleanField(
        _("respond at once"),
        default=False,
        help_text=_("Its calls get a response at once (202), and are mailed in the background."),
    )

    objects: ClassVar[ApiKeys] = ApiKeys()

    class Meta:
        ordering = ("-created",)
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def may_speak_for(self, address: str) -> bool:
        """Whether ``address`` fits one of the key's patterns."""
        key = address.casefold()
        return any(fnmatchcase(key, str(pattern).casefold()) for pattern in self.senders)
