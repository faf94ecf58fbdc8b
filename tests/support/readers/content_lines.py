"""A calendar read back by raw lines (RFC 5545 §3.1), and by vobject, which did not write it."""

from collections import Counter

import vobject

from meetings.itip.ical.writer import to_ical
from meetings.itip.message import Message


def lines(message: Message) -> list[str]:
    """The content lines, unfolded."""
    return to_ical(message).decode().replace("\r\n ", "").split("\r\n")[:-1]


def vevent(message: Message) -> list[str]:
    """The unfolded lines of the VEVENT."""
    text = lines(message)
    return text[text.index("BEGIN:VEVENT") + 1 : text.index("END:VEVENT")]


def values(message: Message, name: str) -> list[str]:
    """What follows ``name`` in every line of that property of the VEVENT, parameters first."""
    return [
        line[len(name) :] for line in vevent(message) if line.startswith((f"{name}:", f"{name};"))
    ]


def names(message: Message) -> Counter[str]:
    """How often each property occurs in the VEVENT."""
    return Counter(line.replace(";", ":").split(":")[0] for line in vevent(message))


def read(message: Message) -> vobject.base.Component:
    """The VEVENT as vobject sees it."""
    return vobject.readOne(to_ical(message).decode()).vevent
