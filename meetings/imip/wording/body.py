"""The text that a mail shows: what the meeting is, what changed, or that it is cancelled (interop
M8).

Everything is decided and worded here; the two templates only lay it out, one as plain text, one as
HTML.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.translation import gettext, ngettext, pgettext

from meetings.addresses import address_key
from meetings.imip.wording.when import recurrence_in_words, when_in_words
from meetings.itip.event import Attendee, Event, Organizer, Role
from meetings.itip.message import Message, Method

_SHOWN = 20  # people of a long list; the calendar names them all


@dataclass(frozen=True, slots=True)
class Bodies:
    """One text, as ``text`` (lines end in LF) and as ``html`` (a whole document)."""

    text: str
    html: str


def bodies(message: Message, *, language: str) -> Bodies:
    """What ``message`` says to people, in ``language``, which must be the one that Django has
    active.

    The event's texts are plain text: in HTML they are escaped and keep their line breaks.
    """
    event = message.event
    context = {
        "language": language,
        "title": event.summary,
        "cancelled": message.method is Method.CANCEL,
        "status": _status(message),
        "reason_label": gettext("Reason"),
        "reason": message.comment,
        "colon": pgettext("after a label", ": "),
        "changes": list(_changes(message.previous, event)) if message.previous else [],
        "details": [(label, text) for label, text in _details(message) if text],
        "description": event.description,
    }
    return Bodies(
        text=render_to_string("meetings/mail/body.txt", context),
        html=render_to_string("meetings/mail/body.html", context),
    )


def _status(message: Message) -> str:
    if message.event.recurrence_id is not None:
        return _status_of_one(message)
    if message.uninvites:
        return gettext("You have been removed from this meeting. It takes place without you.")
    if message.method is Method.CANCEL:
        return gettext("This meeting has been cancelled.")
    if message.previous:
        return gettext("This meeting has changed.")
    return gettext("You are invited to this meeting.")


def _status_of_one(message: Message) -> str:
    if message.uninvites:
        return gettext(
            "You have been removed from this one meeting of a series. It takes place without you."
        )
    if message.method is Method.CANCEL:
        return gettext("This one meeting of a series has been cancelled.")
    if message.previous:
        return gettext("This one meeting of a series has changed.")
    return gettext("You are invited to this one meeting of a series.")


def _details(message: Message) -> Iterator[tuple[str, str]]:
    yield from _what(message.event)
    yield gettext("Organizer"), _mailbox(message.event.organizer)
    if (
        message.method is Method.REQUEST
    ):  # whom else a CANCEL concerns is not for its recipient to know
        for label, role in _roles():
            yield (
                label,
                _people(attendee for attendee in message.event.attendees if attendee.role is role),
            )


def _roles() -> tuple[tuple[str, Role], ...]:
    return (
        (gettext("Required"), Role.REQUIRED),
        (gettext("Optional"), Role.OPTIONAL),
        (gettext("Rooms"), Role.NON_PARTICIPANT),
    )


def _what(event: Event) -> Iterator[tuple[str, str]]:
    yield gettext("When"), when_in_words(event)
    yield gettext("Repeats"), recurrence_in_words(event)
    yield gettext("Where"), event.location


def _changes(old: Event, new: Event) -> Iterator[tuple[str, str, str]]:
    """What is different: label, old text (empty where there is nothing to compare), new text."""
    before = ((gettext("Title"), old.summary), *_what(old))
    after = ((gettext("Title"), new.summary), *_what(new))
    for (label, old_text), (_, new_text) in zip(before, after, strict=True):
        if old_text != new_text:
            yield label, old_text or "–", new_text or "–"
    if old.description != new.description:
        yield gettext("Description"), "", pgettext("the description", "changed")
    for label, people in _people_changes(old, new):
        if people:
            yield label, "", _people(people)


def _people_changes(old: Event, new: Event) -> Iterator[tuple[str, list[Attendee]]]:
    """Who came, who went, and who is now asked in another role."""
    before = {address_key(attendee.address): attendee.role for attendee in old.attendees}
    after = {address_key(attendee.address) for attendee in new.attendees}
    kept_or_new = [
        (before.get(address_key(attendee.address)), attendee) for attendee in new.attendees
    ]
    yield (
        gettext("Added"),
        [attendee for role_before, attendee in kept_or_new if role_before is None],
    )
    yield (
        gettext("Removed"),
        [attendee for attendee in old.attendees if address_key(attendee.address) not in after],
    )
    for label, role in _roles():
        yield (
            label,
            [
                attendee
                for was, attendee in kept_or_new
                if attendee.role is role and was not in (None, role)
            ],
        )


def _people(attendees: Iterable[Attendee]) -> str:
    people = [_mailbox(attendee) for attendee in attendees]
    hidden = len(people) - _SHOWN
    if hidden > 0:
        more = ngettext("and %(count)s more", "and %(count)s more", hidden) % {"count": hidden}
        people = [*people[:_SHOWN], more]
    return pgettext("between people", "; ").join(people)


def _mailbox(person: Attendee | Organizer) -> str:
    return f"{person.name} <{person.address}>" if person.name else person.address
