"""What the tests of words share: the texts of a message, and readers of them."""

from html.parser import HTMLParser

from django.utils import translation

from meetings.imip.wording.body import Bodies, bodies
from meetings.itip.message import Message


def say(message: Message, language: str = "en") -> Bodies:
    with translation.override(language):
        return bodies(message, language=language)


def line(message: Message, label: str) -> str:
    """The text behind ``label``."""
    [found] = [row for row in say(message).text.splitlines() if row.startswith(f"{label}: ")]
    return found.removeprefix(f"{label}: ")


def changes(message: Message, language: str = "en") -> list[str]:
    """The lines that tell what is new."""
    return [row for row in say(message, language).text.splitlines() if row.startswith("*")]


class Reader(HTMLParser):
    """What a mail program makes of the HTML: its elements, its attributes, its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        self.text += "\n" if tag in {"br", "tr", "p", "h1"} else ""

    def handle_data(self, data: str) -> None:
        self.text += data
