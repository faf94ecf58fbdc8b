"""Numbers, words and lists inside a recurrence, in the several forms that callers write."""

import re
from typing import Final

from meetings.itip.errors import InvalidRule

_LONGEST_TEXT: Final = 40_000
"""Room for 999 excluded times with their offsets."""

_MOST_ITEMS: Final = 999

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}")


def text_of(value: object) -> str:
    """Return a word in upper case, without blanks around it; "" for what is no text, or endless."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        return ""
    return value.strip(" ").upper()


def whole_number(value: object) -> int | None:
    """Return a number or a digit string as int; None for anything else, also for a fraction."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = text_of(value)
    return int(text) if _NUMBER.fullmatch(text) else None


def items_of(part: str, value: object) -> list[object]:
    """Return the items of a JSON list, of ``"MO,TU"`` or of ``"[MO,TU]"``.

    A single value is a list of one. Raises InvalidRule on ``part`` for none, or for more than 999.
    """
    if isinstance(value, str):
        text = text_of(value)
        value = text.removeprefix("[").removesuffix("]").split(",") if text else []
    items: list[object] = [*value] if isinstance(value, list | tuple) else [value]
    if not 1 <= len(items) <= _MOST_ITEMS:
        message = f"{part} must have between 1 and {_MOST_ITEMS} values, or be left out."
        raise InvalidRule(part, message)
    return items
