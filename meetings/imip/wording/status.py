"""The sentence at the top of a mail: invited, changed, cancelled or removed."""

from django.utils.translation import gettext

from meetings.itip.message import Message, Method


def status_in_words(message: Message) -> str:
    """Return what ``message`` means to its recipients, as one or two sentences."""
    if message.event.recurrence_id is not None:
        return _status_of_occurrence(message)
    if message.uninvites:
        return gettext("You have been removed from this meeting. It takes place without you.")
    if message.method is Method.CANCEL:
        return gettext("This meeting has been cancelled.")
    if message.previous:
        return gettext("This meeting has changed.")
    return gettext("You are invited to this meeting.")


def _status_of_occurrence(message: Message) -> str:
    if message.uninvites:
        return gettext(
            "You have been removed from this one meeting of a series. It takes place without you."
        )
    if message.method is Method.CANCEL:
        return gettext("This one meeting of a series has been cancelled.")
    if message.previous:
        return gettext("This one meeting of a series has changed.")
    return gettext("You are invited to this one meeting of a series.")
