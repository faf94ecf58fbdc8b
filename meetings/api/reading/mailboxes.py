"""People as callers write them: an address, alone or as ``Name <address>``, and lists of them."""

import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from rest_framework import serializers

from meetings.addresses import LONGEST_ADDRESS, punycode
from meetings.api.reading.text import has_control_characters, shown

_LONGEST_NAME = 255
_LONGEST_MAILBOX = 1000
_MAILBOX = re.compile(r'(?:"?(?P<name>[^<>]*?)"?\s*<\s*(?P<angle>[^<>\s]+)\s*>|(?P<bare>[^<>\s]+))')


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A bare mail address and a display name, which may be empty."""

    address: str
    name: str = ""


class MailboxField(serializers.Field[Mailbox, Any, Any, Any]):
    """A mail address, alone or as ``Name <address>``."""

    default_error_messages = {
        "invalid": 'Must be a mail address, alone or as "Name <address>".',
        "control": "Must be one line without control characters.",
        "long_name": f"The name must have at most {_LONGEST_NAME} characters.",
        "long_address": f"The address must have at most {LONGEST_ADDRESS} characters.",
    }

    def to_internal_value(self, data: Any) -> Mailbox:
        """Return the mailbox, its domain in lower case and as an A-label (interop P18)."""
        if not isinstance(data, str) or len(data) > _LONGEST_MAILBOX:
            self.fail("invalid")
        if has_control_characters(data):
            self.fail("control")
        match = _MAILBOX.fullmatch(data.strip())
        if match is None:
            self.fail("invalid")
        name = (match["name"] or "").strip()
        if len(name) > _LONGEST_NAME:
            self.fail("long_name")
        return Mailbox(self._address(match["angle"] or match["bare"]), name)

    def _address(self, text: str) -> str:
        local, _, domain = text.rpartition("@")
        try:
            # IDNA turns look-alikes such as U+FF20 into "@" and ",". So its result is checked.
            address = f"{local}@{punycode(domain).lower()}"
            validate_email(address)
        except (DjangoValidationError, UnicodeError):
            self.fail("invalid")
        # A quoted local part would be valid, but every reader has a bug there. Django takes U+017F
        # and U+212A, which compare as "s" and "k" without being them.
        if '"' in local or not local.isascii():
            self.fail("invalid")
        if len(address) > LONGEST_ADDRESS:
            self.fail("long_address")
        return address


class MailboxListField(serializers.Field[list[Mailbox], Any, Any, Any]):
    """A list of mailboxes. A refusal names the item at fault."""

    default_error_messages = {
        "invalid": (
            'Must be a list of mail addresses, such as ["a@example.com", "Name <b@example.com>"].'
        ),
        "too_many": "Must name at most {limit} people and rooms.",
    }

    def to_internal_value(self, data: Any) -> list[Mailbox]:
        """Return the mailboxes in the order of the list. Old clients send "" for nobody."""
        if data == "":
            return []
        if not isinstance(data, list):
            self.fail("invalid")
        if len(data) > settings.MEETINGS_MAX_ATTENDEES:
            self.fail("too_many", limit=settings.MEETINGS_MAX_ATTENDEES)
        return [_item(item) for item in data]


def _item(item: Any) -> Mailbox:
    try:
        mailbox: Mailbox = MailboxField().run_validation(item)
    except serializers.ValidationError as error:
        message = error.detail[0] if isinstance(error.detail, list) else error.detail
        raise serializers.ValidationError(f"{shown(item)}: {message}") from error
    return mailbox
