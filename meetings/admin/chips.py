"""States as coloured chips; ``admin.css`` has the colours."""

from collections.abc import Iterator

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from meetings.queries.open_mail import OpenMail
from meetings.queries.standing import PersonState

PERSON_STATES: dict[PersonState, str | Promise] = {
    PersonState.TOLD: pgettext_lazy("state of a person", "told"),
    PersonState.SENDING: _("being sent"),
    PersonState.QUEUED: _("queued"),
    PersonState.OUTSTANDING: _("not told"),
    PersonState.UNTOLD: _("left out"),
}


def chip(state: TextChoices) -> SafeString:
    """The state's label in the state's colour."""
    return labelled_chip(state.value.lower(), state.label)


def labelled_chip(colour: str, label: str | Promise) -> SafeString:
    """A label in the colour that ``admin.css`` gives to the class ``colour``."""
    return format_html('<span class="chip {}">{}</span>', colour, label)


def open_mail_chips(found: OpenMail) -> SafeString:
    """``1 not told`` ``2 queued``; where nothing is open, ``told``."""
    return format_html_join(" ", "{}", ([each] for each in _open_mail(found)))


def _open_mail(found: OpenMail) -> Iterator[SafeString]:
    # An operator looks for failures first.
    counts = {
        PersonState.OUTSTANDING: found.outstanding,
        PersonState.QUEUED: found.queued,
        PersonState.SENDING: found.sending,
    }
    for state, count in counts.items():
        if count:
            yield labelled_chip(state, f"{count} {PERSON_STATES[state]}")
    if not (found.queued or found.sending):
        if found.is_due:
            yield labelled_chip(PersonState.QUEUED, PERSON_STATES[PersonState.QUEUED])
        elif not found.outstanding:
            yield labelled_chip(PersonState.TOLD, PERSON_STATES[PersonState.TOLD])
