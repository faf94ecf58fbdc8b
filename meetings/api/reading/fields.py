"""The contract's text fields: each takes one JSON value, or says what is wrong with it."""

import re
from typing import Any

from rest_framework import serializers

from meetings.api.reading.text import body_text, has_control_characters

_NOT_TEXT = "Must be a string."
_UID = re.compile(r"[\x20-\x7e]{1,255}")
_OUTLOOK_UID = "040000008200E00074C5B7101A82E008"


class LineField(serializers.CharField):
    """Text of one line: without control characters it can stand in a header or a property."""

    default_error_messages = {
        "invalid": _NOT_TEXT,
        "blank": "Must not be empty.",
        "control": "Must be one line without control characters.",
        "max_length": "Must have at most {max_length} characters.",
    }

    def to_internal_value(self, data: Any) -> str:
        """Return the text without the white space around it."""
        if not isinstance(data, str):
            self.fail("invalid")
        if has_control_characters(data):
            self.fail("control")
        return super().to_internal_value(data)


class BodyField(serializers.CharField):
    """Plain text of many lines, of at most ``max_bytes`` in UTF-8."""

    default_error_messages = {
        "invalid": _NOT_TEXT,
        "too_long": "Must have at most {max_bytes} bytes (UTF-8).",
    }

    def __init__(self, *, max_bytes: int, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **kwargs)
        self.max_bytes = max_bytes

    def to_internal_value(self, data: Any) -> str:
        """Return the text with LF line ends."""
        if not isinstance(data, str):
            self.fail("invalid")
        if len(data.encode("utf-8", "replace")) > self.max_bytes:
            self.fail("too_long", max_bytes=self.max_bytes)
        return body_text(super().to_internal_value(data))


class UidField(LineField):
    """An iCalendar UID (RFC 5545 §3.8.4.7) of printable ASCII."""

    default_error_messages = {
        "ascii": "Must be 1 to 255 printable ASCII characters.",
        "outlook": f"Must not begin with {_OUTLOOK_UID}: Outlook takes that for its own.",
    }

    def to_internal_value(self, data: Any) -> str:
        """Return the uid. Outlook's own prefix is refused (interop P5)."""
        uid = super().to_internal_value(data)
        if not _UID.fullmatch(uid):
            self.fail("ascii")
        if uid.upper().startswith(_OUTLOOK_UID):
            self.fail("outlook")
        return uid
