"""Checked parameters → the command that they mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.conf import settings

from meetings.api.reading.mailboxes import Mailbox
from meetings.api.reading.parameters import read_parameters
from meetings.itip.edit import Edit, new_event
from meetings.itip.event import Attendee, Organizer, Role
from meetings.operations.steps.call import Cancel, Send, Update

Command = Send | Update | Cancel

_ROLES = {
    "required": Role.REQUIRED,
    "optional": Role.OPTIONAL,
    "resource": Role.NON_PARTICIPANT,
}

# Parameter → property of an Edit.
_EDITED = {
    "subj": "summary",
    "description": "description",
    "location": "location",
    "reminder": "reminder",
    "start": "start",
    "end": "end",
    "timezone": "tzid",
    "repeat": "recurrence",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """The command, and what there is to warn about in how it was written."""

    command: Command
    warnings: tuple[str, ...]


def read_call(given: Mapping[str, Any], *, language: str | None) -> Reading:
    """Return what a request's JSON object asks for.

    ``language`` is that of the mail; None means the meeting's own, or MEETINGS_LANGUAGE. Raises
    MissingParameters, InvalidParameters, InvalidProperty.
    """
    values, warnings = read_parameters(given)
    return Reading(_command(values, language), tuple(warnings))


def _command(values: Mapping[str, Any], language: str | None) -> Command:
    match values["operation"]:
        case "send":
            return _send(values, language)
        case "update":
            return _update(values, language)
        case _:
            return _cancel(values, language)


def _send(values: Mapping[str, Any], language: str | None) -> Send:
    sender: Mailbox = values["sender"]
    edited = new_event(
        _edit(values),
        uid=values.get("uid") or str(uuid4()),
        organizer=Organizer(address=sender.address, name=sender.name),
        tzid=settings.MEETINGS_TIME_ZONE,
    )
    language = language or settings.MEETINGS_LANGUAGE
    return Send(event=edited.event, language=language, notes=edited.notes)


def _update(values: Mapping[str, Any], language: str | None) -> Update:
    return Update(edit=_edit(values), language=language, **_which(values))


def _cancel(values: Mapping[str, Any], language: str | None) -> Cancel:
    return Cancel(reason=values.get("description", ""), language=language, **_which(values))


def _which(values: Mapping[str, Any]) -> dict[str, Any]:
    sender: Mailbox | None = values.get("sender")
    return {
        "uid": values["uid"],
        "sender": sender and sender.address,
        "occurrence": values.get("occurrence"),
        "and_future": "scope" in values,
    }


def _edit(values: Mapping[str, Any]) -> Edit:
    given = {name: values[parameter] for parameter, name in _EDITED.items() if parameter in values}
    if "receiver" in values:
        given["attendees"] = _attendees(values["receiver"])
    return Edit(**given)


def _attendees(receiver: Mapping[str, list[Mailbox]]) -> tuple[Attendee, ...]:
    return tuple(
        Attendee(address=mailbox.address, name=mailbox.name, role=role)
        for name, role in _ROLES.items()
        for mailbox in receiver[name]
    )
