"""What differs between two versions of a meeting, each change as a label, an old and a new text."""

from collections.abc import Iterator
from dataclasses import replace

from django.utils.translation import gettext, pgettext

from meetings.addresses import address_key
from meetings.imip.wording.details import people_in_words, roles, time_and_place
from meetings.imip.wording.recurrence import days_in_words
from meetings.itip.event import Attendee, Event


def changes_in_words(old: Event, new: Event) -> Iterator[tuple[str, str, str]]:
    """Yield label, old text and new text of each change.

    The old text is empty if there is nothing to compare: a description is too long to show twice.
    """
    same_starts = _have_same_starts(old, new)
    # A long list of days hides the one that is new in it, so these are told apart.
    before = _texts(_whole(old) if same_starts else old)
    after = _texts(_whole(new) if same_starts else new)
    for (label, old_text), (_, new_text) in zip(before, after, strict=True):
        if old_text != new_text:
            yield label, old_text or "–", new_text or "–"
    if same_starts:
        yield from _changes_of_days(old, new)
    if old.description != new.description:
        yield gettext("Description"), "", pgettext("the description", "changed")
    for label, people in _changes_of_people(old, new):
        if people:
            yield label, "", people_in_words(people)


def _texts(event: Event) -> Iterator[tuple[str, str]]:
    yield gettext("Title"), event.summary
    yield from time_and_place(event)


def _have_same_starts(old: Event, new: Event) -> bool:
    return old.rule is not None and (old.rule, old.start) == (new.rule, new.start)


def _whole(series: Event) -> Event:
    """The series without the days that it leaves out."""
    return replace(series, exdates=(), overrides=())


def _changes_of_days(old: Event, new: Event) -> Iterator[tuple[str, str, str]]:
    """The days of a series that are left out now, and those that are not any more."""
    before, after = set(old.left_out), set(new.left_out)
    if left_out := sorted(after - before):
        yield gettext("Left out"), "", days_in_words(left_out)
    if given_back := sorted(before - after):
        yield gettext("Takes place again"), "", days_in_words(given_back)


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
