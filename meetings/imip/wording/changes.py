"""What differs between two versions of a meeting, each change as a label, an old and a new text."""

from collections.abc import Iterator

from django.utils.translation import gettext, pgettext

from meetings.addresses import address_key
from meetings.imip.wording.details import people_in_words, roles, time_and_place
from meetings.itip.event import Attendee, Event


def changes_in_words(old: Event, new: Event) -> Iterator[tuple[str, str, str]]:
    """Yield label, old text and new text of each change.

    The old text is empty if there is nothing to compare: a description is too long to show twice.
    """
    before = ((gettext("Title"), old.summary), *time_and_place(old))
    after = ((gettext("Title"), new.summary), *time_and_place(new))
    for (label, old_text), (_, new_text) in zip(before, after, strict=True):
        if old_text != new_text:
            yield label, old_text or "–", new_text or "–"
    if old.description != new.description:
        yield gettext("Description"), "", pgettext("the description", "changed")
    for label, people in _changes_of_people(old, new):
        if people:
            yield label, "", people_in_words(people)


def _changes_of_people(old: Event, new: Event) -> Iterator[tuple[str, list[Attendee]]]:
    """Who is new, who left, and who has another role. Each list may be empty."""
    old_roles = {address_key(person.address): person.role for person in old.attendees}
    new_keys = {address_key(person.address) for person in new.attendees}
    yield (
        gettext("Added"),
        [person for person in new.attendees if address_key(person.address) not in old_roles],
    )
    yield (
        gettext("Removed"),
        [person for person in old.attendees if address_key(person.address) not in new_keys],
    )
    for label, role in roles():
        yield (
            label,
            [
                person
                for person in new.attendees
                if person.role is role
                and old_roles.get(address_key(person.address), role) is not role
            ],
        )
