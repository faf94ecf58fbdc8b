"""The text of a mail, for people whose mail program shows no calendar (interop M8).

The sentences are made in this folder. The two templates only lay them out, one as plain text and
one as HTML.
"""

from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.translation import gettext, pgettext

from meetings.imip.wording.changes import changes_in_words
from meetings.imip.wording.details import details
from meetings.imip.wording.status import status_in_words
from meetings.itip.message import Message, Method


@dataclass(frozen=True, slots=True)
class Bodies:
    """One text twice: as ``text``, with LF line ends, and as ``html``, a whole document."""

    text: str
    html: str


def bodies(message: Message, *, language: str) -> Bodies:
    """Return what ``message`` says to people.

    ``language`` must be the one that is active in Django's translation. What the event contains is
    plain text: the HTML escapes it and keeps its line breaks.
    """
    event, previous = message.event, message.previous
    changes = list(changes_in_words(previous, event)) if previous else []
    context = {
        "language": language,
        "title": event.summary,
        "cancelled": message.method is Method.CANCEL,
        "status": status_in_words(message, has_changes=bool(changes)),
        "reason_label": gettext("Reason"),
        "reason": message.comment,
        "colon": pgettext("after a label", ": "),
        "changes": changes,
        "details": [(label, text) for label, text in details(message) if text],
        "description": event.description,
    }
    return Bodies(
        text=render_to_string("meetings/mail/body.txt", context),
        html=render_to_string("meetings/mail/body.html", context),
    )
