"""A conversation as it stands in its file. README.md in this folder describes the format."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ACTIONS = ("put by", "run", "later", "refuse")
CHECKS = ("expect", "mail to", "get")


class ConversationError(AssertionError):
    """What is wrong, with the file and the line of the conversation."""

    def __init__(self, file: Path, line: int, sentence: str) -> None:
        super().__init__(f"{file.name}:{line}: {sentence}")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file. Comments and empty lines are none."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """``> verb subject`` and the lines below it."""

    file: Path
    number: int
    verb: str
    subject: str
    lines: tuple[Line, ...]

    def fail(self, sentence: str, line: Line | None = None) -> NoReturn:
        """Raise ConversationError for the block, or for one line of it."""
        raise ConversationError(self.file, line.number if line else self.number, sentence)


@dataclass(frozen=True, slots=True)
class Step:
    """One action, and what must follow from it."""

    action: Block
    checks: tuple[Block, ...]

    def all(self, verb: str) -> list[Block]:
        """The checks of one kind, in order."""
        return [block for block in self.checks if block.verb == verb]


def read_script(file: Path) -> list[Step]:
    """The steps of the conversation in ``file``. Raises ConversationError."""
    lines = file.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].startswith("# "):
        raise ConversationError(file, 1, "a comment must say what the conversation shows")
    blocks = list(_blocks(file, lines))
    if not blocks or blocks[0].verb not in ACTIONS:
        raise ConversationError(file, 1, "a conversation must begin with an action")
    return list(_steps(blocks))


def _blocks(file: Path, lines: list[str]) -> Iterator[Block]:
    written = [
        Line(number, text.strip())
        for number, text in enumerate(lines, start=1)
        if text.strip() and not text.startswith("#")
    ]
    begins = [at for at, line in enumerate(written) if line.text.startswith(">")]
    if written and begins[:1] != [0]:
        raise ConversationError(file, written[0].number, "this line is in no block")
    for begin, end in zip(begins, [*begins[1:], None], strict=True):
        yield _block(file, written[begin], tuple(written[begin + 1 : end]))


def _block(file: Path, head: Line, lines: tuple[Line, ...]) -> Block:
    words = head.text.removeprefix(">").strip()
    for verb in (*ACTIONS, *CHECKS):
        if f"{words} ".startswith(f"{verb} "):
            return Block(file, head.number, verb, words.removeprefix(verb).strip(), lines)
    raise ConversationError(file, head.number, f"no such block: {head.text}")


def _steps(blocks: list[Block]) -> Iterator[Step]:
    begins = [at for at, block in enumerate(blocks) if block.verb in ACTIONS]
    for begin, end in zip(begins, [*begins[1:], None], strict=True):
        step = Step(blocks[begin], tuple(blocks[begin + 1 : end]))
        if step.action.verb == "put by" and len(step.all("expect")) != 1:
            step.action.fail("what is the response? One block > expect must follow")
        yield step
