"""When and where a meeting is, and who is invited, each as a label and a text."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext, ngettext, pgettext

from meetings.imip.wording.recurrence import recurrence_in_words
from meetings.imip.wording.when import when_in_words
from meetings.itip.event import Attendee, Event, Organizer, Role
from meetings.itip.message import Message, Method

_PEOPLE_SHOWN = 20  # the calendar part names all of them


def details(message: Message) -> Iterator[tuple[str, str]]:
    """Yield label and text of each detail. A text is empty if the meeting has no such thing."""
    yield from time_and_place(message.event)
    yield gettext("Organizer"), _mailbox(message.event.organizer)
    if message.method is Method.CANCEL:
        # The recipient of a CANCEL does not learn who else is invited (interop A3).
        return
    for label, role in roles():
        invited = [person for person in message.event.attendees if person.role is role]
        yield label, people_in_words(invited)


def time_and_place(event: Event) -> Iterator[tuple[str, str]]:
    """Yield label and text of time, recurrence and location."""
    yield gettext("When"), when_in_words(event)
    yield gettext("Repeats"), recurrence_in_words(event)
    yield gettext("Where"), event.location


def roles() -> tuple[tuple[str, Role], ...]:
    """Return each role with its label, in the order in which mails show them."""
    return (
        (gettext("Required"), Role.REQUIRED),
        (gettext("Optional"), Role.OPTIONAL),
        (gettext("Rooms"), Role.NON_PARTICIPANT),
    )


def people_in_words(attendees: Iterable[Attendee]) -> str:
    """Return names and addresses as one text. A long list ends with the number of the others."""
    people = [_mailbox(attendee) for attendee in attendees]
    hidden = len(people) - _PEOPLE_SHOWN
    if hidden > 0:
        more = ngettext("and %(count)s more", "and %(count)s more", hidden) % {"count": hidden}
        people = [*people[:_PEOPLE_SHOWN], more]
    return pgettext("between people", "; ").join(people)


def _mailbox(person: Attendee | Organizer) -> str:
    return f"{person.name} <{person.address}>" if person.name else person.address
