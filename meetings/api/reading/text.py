"""Text from outside: what may stand in one line, and how a client's own words are shown back."""

import re
import unicodedata

_CONTROLS = {
    "Cc",
    "Cs",
    "Zl",
    "Zp",
}  # control characters, lone surrogates, line and paragraph separators
_BODY_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SHOWN = 60


def has_control_characters(text: str) -> bool:
    """Whether ``text`` holds what could break out of a line of a header or a calendar (interop
    M17).
    """
    return any(unicodedata.category(character) in _CONTROLS for character in text)


def body_text(text: str) -> str:
    """``text`` with LF line ends and without the control characters that no calendar shows (interop
    P11).
    """
    return _BODY_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def shown(value: object) -> str:
    """A client's own ``value`` as it is repeated in an answer: one printable line, cut short."""
    line = "".join(
        character if character.isprintable() else "?" for character in str(value)[: _SHOWN + 1]
    )
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
