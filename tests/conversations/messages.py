"""Whether a message is the one that a conversation lists."""

from collections.abc import Sequence

from vobject.base import ParseError

from tests.conversations.script import Block, Line
from tests.support.readers.itip_reader import Property, ReceivedMessage, content_line

# What decides how a calendar takes a message: where a message has it, the conversation lists it.
_ALWAYS_LISTED = {"METHOD", "SEQUENCE", "RECURRENCE-ID", "RRULE", "EXDATE"}


def check_message(message: ReceivedMessage, lines: Sequence[Line], block: Block) -> None:
    """Compare a message with the ``lines`` that ``block`` lists. Raises ConversationError."""
    listed = []
    for line in lines:
        if line.text.startswith("no "):
            _check_absence(message, line, block)
        else:
            listed.append(_wanted(line, block))
            _check_presence(message, listed[-1], line, block)
    _check_nothing_is_left_out(message, listed, block)


def _wanted(line: Line, block: Block) -> Property:
    try:
        return content_line(line.text)
    except ParseError:
        block.fail("this is no content line, such as SEQUENCE:0, and not: no STATUS", line)


def _check_absence(message: ReceivedMessage, line: Line, block: Block) -> None:
    for found in _all(message, line.text.removeprefix("no ")):
        block.fail(f"the message has {_as_text(found)}", line)


def _check_presence(message: ReceivedMessage, wanted: Property, line: Line, block: Block) -> None:
    found = _all(message, wanted.name)
    if not any(_fits(each, wanted) for each in found):
        has = " and ".join(map(_as_text, found)) or f"no {wanted.name}"
        block.fail(f"the message has {has}", line)


def _check_nothing_is_left_out(
    message: ReceivedMessage, listed: Sequence[Property], block: Block
) -> None:
    """Of a property that is listed, each line is; and so is what must always be."""
    must = _ALWAYS_LISTED | ({"STATUS"} if message.method == "CANCEL" else set())
    for name in sorted(must | {wanted.name for wanted in listed}):
        for found in _all(message, name):
            if not any(_fits(found, wanted) for wanted in listed):
                block.fail(f"the message has also {_as_text(found)}")


def _all(message: ReceivedMessage, name: str) -> list[Property]:
    return [Property("METHOD", {}, message.method)] if name == "METHOD" else message.all(name)


def _fits(found: Property, wanted: Property) -> bool:
    """The same name and value, and at least the parameters that are wanted."""
    same = (found.name, found.value) == (wanted.name, wanted.value)
    return same and wanted.params.items() <= found.params.items()


def _as_text(line: Property) -> str:
    params = "".join(f";{name}={value}" for name, value in line.params.items())
    return f"{line.name}{params}:{line.value}"
