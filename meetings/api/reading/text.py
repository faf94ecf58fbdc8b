"""Text from outside: what may stand in one line, and how a caller's own words are shown to them."""

import re
import unicodedata

# Control characters, lone surrogates, line and paragraph separators.
_CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
_BODY_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SHOWN = 60


def has_control_characters(text: str) -> bool:
    """Whether ``text`` could break out of a line of a header or a calendar (interop M17)."""
    return any(unicodedata.category(character) in _CONTROLS for character in text)


def body_text(text: str) -> str:
    """Return ``text`` with LF line ends, without control characters (interop P11)."""
    return _BODY_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def shown(value: object) -> str:
    """Return a caller's own ``value`` as one printable line of at most 60 characters."""
    start = _text(value)[: _SHOWN + 1]
    line = "".join(character if character.isprintable() else "?" for character in start)
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


def _text(value: object) -> str:
    try:
        return str(value)
    except RecursionError:  # JSON may be nested just as deeply as the stack allows to read
        return "…"
