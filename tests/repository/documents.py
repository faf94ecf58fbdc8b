"""The repository's documents, read as Markdown: their code, links, headings and tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Document:
    """One Markdown file."""

    path: Path

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def _tokens(self) -> list[Token]:
        return _MARKDOWN.parse(self.path.read_text())

    @property
    def _inline(self) -> Iterator[Token]:
        for token in self._tokens:
            yield from token.children or ()

    @property
    def fences(self) -> list[tuple[str, str]]:
        """Language and content of each code block."""
        return [(token.info, token.content) for token in self._tokens if token.type == "fence"]

    @property
    def spans(self) -> list[str]:
        """The code within the text."""
        return [token.content for token in self._inline if token.type == "code_inline"]

    @property
    def commands(self) -> list[str]:
        """Each line of the shell's, without its comment."""
        blocks = [content for language, content in self.fences if language == "sh"]
        lines = [re.sub(r"(^|\s)#.*", "", line) for block in blocks for line in block.splitlines()]
        return [line.strip() for line in lines if line.strip()]

    @property
    def code(self) -> list[str]:
        """What a reader may type or look for: code within the text, and commands."""
        return self.spans + self.commands

    @property
    def targets(self) -> list[str]:
        """Where links and pictures point to."""
        return [
            str(token.attrs.get("href") or token.attrs.get("src"))
            for token in self._inline
            if token.type in ("link_open", "image")
        ]

    @property
    def anchors(self) -> set[str]:
        """What a link to a heading is called, as GitHub derives it."""
        headings = [
            text.content
            for opening, text in pairwise(self._tokens)
            if opening.type == "heading_open"
        ]
        return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}

    @property
    def tables(self) -> list[list[list[str]]]:
        """Each table's rows, the head first; a cell is its Markdown."""
        tables: list[list[list[str]]] = []
        for token, following in pairwise(self._tokens):
            if token.type == "table_open":
                tables.append([])
            elif token.type == "tr_open":
                tables[-1].append([])
            elif token.type in ("th_open", "td_open"):
                tables[-1][-1].append(following.content)
        return tables


_FOLDERS = ("docs", "tests")
DOCUMENTS = [
    Document(path)
    for path in sorted(
        [*ROOT.glob("*.md"), *(path for name in _FOLDERS for path in (ROOT / name).rglob("*.md"))]
    )
    if "node_modules" not in path.parts
]
