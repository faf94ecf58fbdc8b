"""The sentence at the top of a mail: invited, changed, cancelled or removed."""

from django.utils.translation import gettext

from meetings.itip.event import Event
from meetings.itip.message import Message, Method


def status_in_words(message: Message, *, has_changes: bool) -> str:
    """Return what ``message`` means to its recipients, as one or two sentences.

    ``has_changes`` says whether the mail lists what is new to them.
    """
    of_which = _of_whole if message.event.recurrence_id is None else _of_occurrence
    return of_which(message, has_changes=has_changes)


def _of_whole(message: Message, *, has_changes: bool) -> str:
    if message.uninvites:
        return gettext("You have been removed from this meeting. It takes place without you.")
    if message.method is Method.CANCEL:
        return gettext("This meeting has been cancelled.")
    if has_changes:
        return gettext("This meeting has changed.")
    if message.previous and _is_same(message.previous, message.event):
        return gettext("Here is this meeting again; nothing has changed.")
    if message.previous or message.again:
        return gettext("Here is this meeting as it is now.")
    return gettext("You are invited to this meeting.")


def _is_same(previous: Event, event: Event) -> bool:
    """Whether what the mail does not list is the same too: the reminder, and people's names."""
    return (previous.reminder, previous.organizer, set(previous.attendees)) == (
        event.reminder,
        event.organizer,
        set(event.attendees),
    )


def _of_occurrence(message: Message, *, has_changes: bool) -> str:
    if message.uninvites:
        return gettext(
            "You have been removed from this one meeting of a series. It takes place without you."
        )
    if message.method is Method.CANCEL:
        return gettext("This one meeting of a series has been cancelled.")
    if has_changes:
        return gettext("This one meeting of a series has changed.")
    if message.previous and _is_same(message.previous, message.event):
        return gettext("Here is this one meeting of a series again; nothing has changed.")
    if message.previous or message.again:
        return gettext("Here is this one meeting of a series as it is now.")
    return gettext("You are invited to this one meeting of a series.")
