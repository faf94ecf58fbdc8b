"""The contract's field types: each takes one JSON value and gives a checked one, or says what is
wrong with it.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from meetings.addresses import punycode
from meetings.api.reading.text import body_text, has_control_characters, shown
from meetings.itip.errors import InvalidProperty
from meetings.itip.recurrence.rule import FIRST_YEAR, HORIZON
from meetings.itip.zones.vtimezone import zone_name

_NOT_TEXT = "Must be a string."
_BLANK = "Must not be empty."


class LineField(serializers.CharField):
    """Text of one line: no control characters, so that it can stand in a header or a property."""

    default_error_messages = {
        "invalid": _NOT_TEXT,
        "blank": _BLANK,
        "control": "Must be one line without control characters.",
        "max_length": "Must have at most {max_length} characters.",
    }

    def to_internal_value(self, data: Any) -> str:
        """The text without the white space around it."""
        if not isinstance(data, str):
            self.fail("invalid")
        if has_control_characters(data):
            self.fail("control")
        return super().to_internal_value(data)


class BodyField(serializers.CharField):
    """Plain text of many lines, at most ``max_bytes`` of UTF-8."""

    default_error_messages = {
        "invalid": _NOT_TEXT,
        "too_long": "Must have at most {max_bytes} bytes (UTF-8).",
    }

    def __init__(self, *, max_bytes: int, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **kwargs)
        self.max_bytes = max_bytes

    def to_internal_value(self, data: Any) -> str:
        """The text with LF line ends."""
        if not isinstance(data, str):
            self.fail("invalid")
        if len(data.encode("utf-8", "replace")) > self.max_bytes:
            self.fail("too_long", max_bytes=self.max_bytes)
        return body_text(super().to_internal_value(data))


class UidField(LineField):
    """An iCalendar UID (RFC 5545 §3.8.4.7) of printable ASCII."""

    default_error_messages = {
        "ascii": "Must be 1 to 255 printable ASCII characters.",
        "outlook": "Must not begin with 040000008200E00074C5B7101A82E008: Outlook takes that for its own.",
    }

    def to_internal_value(self, data: Any) -> str:
        """The uid."""
        uid = super().to_internal_value(data)
        if not re.fullmatch(r"[\x20-\x7e]{1,255}", uid):
            self.fail("ascii")
        if uid.upper().startswith("040000008200E00074C5B7101A82E008"):  # interop P5
            self.fail("outlook")
        return uid


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as the client wrote it: naive wall-clock, or aware when it had an offset; or a whole
    day.
    """

    value: datetime
    is_date: bool = False


class MomentField(serializers.Field[Moment, Any, Any, Any]):
    """``YYYY-MM-DD HH:MM[:SS]``, ISO 8601 with or without an offset, or ``YYYY-MM-DD`` for a whole
    day.
    """

    default_error_messages = {
        "invalid": 'Must be a time such as "2027-05-01 10:00", "2027-05-01T10:00:00+08:00", or a date "2027-05-01".',
        "range": f"Must lie between the years {FIRST_YEAR} and {HORIZON.year}.",
    }

    def to_internal_value(self, data: Any) -> Moment:
        """The moment, to the second."""
        text = data.strip() if isinstance(data, str) and data.isascii() else ""
        moment = _moment(text)
        if moment is None:
            self.fail("invalid")
        if not FIRST_YEAR <= moment.value.year <= HORIZON.year:
            self.fail("range")
        return moment


def _moment(text: str) -> Moment | None:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return Moment(
                datetime.combine(date.fromisoformat(text), datetime.min.time()), is_date=True
            )
        moment = (
            parse_datetime(text)
            if re.match(r"\d{4}-?\d{2}-?\d{2}[T ]\d", text, re.IGNORECASE)
            else None
        )
    except (ValueError, OverflowError):
        return None
    return None if moment is None else Moment(moment.replace(microsecond=0))


class ZoneField(serializers.Field[str, Any, Any, Any]):
    """An IANA zone name; Windows names are mapped (interop Z6)."""

    def to_internal_value(self, data: Any) -> str:
        """The zone's IANA name."""
        try:
            return zone_name(data)
        except InvalidProperty as error:
            raise serializers.ValidationError(error.message) from error


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A bare mail address and a display name, which may be empty."""

    address: str
    name: str = ""


_LONGEST_ADDRESS = 254  # RFC 5321 §4.5.3.1: no mail server takes a longer one
_MAILBOX = re.compile(r'(?:"?(?P<name>[^<>]*?)"?\s*<\s*(?P<angle>[^<>\s]+)\s*>|(?P<bare>[^<>\s]+))')


class MailboxField(serializers.Field[Mailbox, Any, Any, Any]):
    """A mail address, alone or as ``Name <address>``."""

    default_error_messages = {
        "invalid": 'Must be a mail address, alone or as "Name <address>".',
        "control": "Must be one line without control characters.",
        "long_name": "The name must have at most 255 characters.",
        "long_address": "The address must have at most {limit} characters.",
    }

    def to_internal_value(self, data: Any) -> Mailbox:
        """The mailbox, its domain in lower case and as an A-label (interop P18)."""
        if not isinstance(data, str) or len(data) > 1000:  # noqa: PLR2004
            self.fail("invalid")
        if has_control_characters(data):
            self.fail("control")
        match = _MAILBOX.fullmatch(data.strip())
        if match is None:
            self.fail("invalid")
        name = (match["name"] or "").strip()
        if len(name) > 255:  # noqa: PLR2004
            self.fail("long_name")
        return Mailbox(self._address(match["angle"] or match["bare"]), name)

    def _address(self, text: str) -> str:
        try:
            local, _, domain = text.rpartition("@")
            # IDNA turns look-alikes such as U+FF20 into "@" and "," themselves, so its result is
            # what is checked.
            address = f"{local}@{punycode(domain).lower()}"
            validate_email(address)
        except (DjangoValidationError, UnicodeError):
            self.fail("invalid")
        # A quoted local part would be valid, but there is no such mailbox, and every reader has a
        # bug there. Of other alphabets Django takes but U+017F and U+212A, which compare as "s" and
        # "k" without being them.
        if '"' in local or not local.isascii():
            self.fail("invalid")
        if len(address) > _LONGEST_ADDRESS:
            self.fail("long_address", limit=_LONGEST_ADDRESS)
        return address


class MailboxListField(serializers.Field[list[Mailbox], Any, Any, Any]):
    """A list of mailboxes; the error names the item at fault."""

    default_error_messages = {
        "invalid": 'Must be a list of mail addresses, such as ["a@example.com", "Name <b@example.com>"].',
        "too_many": "Must name at most {limit} people and rooms.",
    }

    def to_internal_value(self, data: Any) -> list[Mailbox]:
        """The mailboxes in the order of the list; old clients send "" for nobody."""
        if data == "":
            return []
        if not isinstance(data, list):
            self.fail("invalid")
        if len(data) > settings.MEETINGS_MAX_ATTENDEES:
            self.fail("too_many", limit=settings.MEETINGS_MAX_ATTENDEES)
        return [self._item(item) for item in data]

    def _item(self, item: Any) -> Mailbox:
        try:
            mailbox: Mailbox = MailboxField().run_validation(item)
        except serializers.ValidationError as error:
            message = error.detail[0] if isinstance(error.detail, list) else error.detail
            raise serializers.ValidationError(f"{shown(item)}: {message}") from error
        return mailbox
