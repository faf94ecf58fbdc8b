"""The contract's parameters, each checked alone. ``command`` puts them together."""

from collections.abc import Mapping
from typing import Any, cast

from django.conf import settings
from rest_framework import serializers

from meetings.api.reading.errors import Fields, InvalidParameters, MissingParameters
from meetings.api.reading.fields import BodyField, LineField, UidField
from meetings.api.reading.mailboxes import Mailbox, MailboxField, MailboxListField
from meetings.api.reading.moments import MomentField
from meetings.api.reading.repeat import RepeatField
from meetings.api.reading.text import shown
from meetings.api.reading.zone import ZoneField

OPERATIONS = ("send", "update", "cancel")

_OUTLOOK_SUBJECT = 255
_LONGEST_LINE = 1000
_LONGEST_BODY = 64 * 1024
_LONGEST_REMINDER = 60 * 24 * 366

# Old clients send everything else with a cancel too, and it is ignored.
_READ_BY_CANCEL = ("operation", "uid", "sender", "description", "occurrence", "scope")
_NOT_OF_ONE = ("repeat", "timezone", "reminder")
_LISTS = ("receiver", "required", "optional")
_ROLES = ("required", "optional", "resource")
_MOST_WARNINGS = 20


class ReceiverSerializer(serializers.Serializer[Any]):
    """``receiver``: who is invited, by ROLE."""

    # DRF's own Field.required is another thing.
    required = MailboxListField(required=False, allow_null=True)  # type: ignore[assignment]
    optional = MailboxListField(required=False, allow_null=True)
    resource = MailboxListField(required=False, allow_null=True)


class MeetingSerializer(serializers.Serializer[Any]):
    """The body of ``POST /meeting_server/``."""

    operation = serializers.ChoiceField(
        OPERATIONS,
        error_messages={"invalid_choice": 'Must be "send", "update" or "cancel".'},
    )
    uid = UidField(required=False)
    start = MomentField(required=False)
    end = MomentField(required=False)
    timezone = ZoneField(required=False)
    sender = MailboxField(required=False)
    receiver = ReceiverSerializer(required=False)
    required = MailboxListField(required=False)  # type: ignore[assignment]
    optional = MailboxListField(required=False)
    subj = LineField(required=False, max_length=_LONGEST_LINE)
    description = BodyField(required=False, max_bytes=_LONGEST_BODY)
    location = LineField(required=False, max_length=_LONGEST_LINE, allow_blank=True)
    occurrence = MomentField(required=False)
    scope = serializers.ChoiceField(
        ["future"], required=False, error_messages={"invalid_choice": 'Must be "future".'}
    )
    repeat = RepeatField(required=False, allow_null=True)
    reminder = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=_LONGEST_REMINDER
    )


# Once: to build a serializer's fields takes longer than all the rest. They keep nothing of a body,
# so one serializer checks all of them.
_SERIALIZER = MeetingSerializer()
_KNOWN = frozenset(_SERIALIZER.fields)
_KNOWN_LISTS = frozenset(ReceiverSerializer().fields)


def read_parameters(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the checked parameters by name, and warnings.

    Null means absent, but for ``repeat`` and ``reminder``. The page's top-level ``required`` and
    ``optional`` are merged into ``receiver``, lists of Mailbox by role. Raises MissingParameters
    where a required one is missing, else InvalidParameters where one is wrong.
    """
    present = {name: value for name, value in given.items() if not _is_absent(name, value)}
    operation = present.get("operation")
    warnings = _unknown_names(present)
    if operation == "cancel":
        present = {name: present[name] for name in _READ_BY_CANCEL if name in present}
    values = _with_one_receiver(_checked(operation, present))
    if len(values.get("subj", "")) > _OUTLOOK_SUBJECT:
        warnings.append(f"subj: Outlook shows the first {_OUTLOOK_SUBJECT} characters only.")
    return values, warnings


def _checked(operation: object, present: Mapping[str, Any]) -> dict[str, Any]:
    values, fields = _validated(present)
    missing = _missing(operation, present)
    if missing:
        raise MissingParameters(
            fields | {name: ["This parameter is required."] for name in missing}
        )
    fields = fields or _misplaced(present)
    if fields:
        raise InvalidParameters(fields)
    return values


def _validated(present: Mapping[str, Any]) -> tuple[dict[str, Any], Fields]:
    """The values, or what is wrong with which field."""
    try:
        return dict(_SERIALIZER.run_validation(present)), {}
    except serializers.ValidationError as error:
        return {}, _flat(cast("Mapping[str, Any]", error.detail))


def _is_absent(name: str, value: object) -> bool:
    """Old clients send null, or an empty uid, for what they leave out."""
    if value is None:
        return name not in {"repeat", "reminder"}
    return value == "" and name in {"uid", "timezone"}


def _missing(operation: object, present: Mapping[str, Any]) -> list[str]:
    if operation is None:
        return ["operation"]
    if operation in ("update", "cancel"):
        return [] if "uid" in present else ["uid"]
    if operation != "send":
        return []
    missing = [name for name in ("start", "end", "sender", "subj") if name not in present]
    return missing if any(name in present for name in _LISTS) else [*missing, "receiver"]


def _misplaced(present: Mapping[str, Any]) -> Fields:
    """What is right alone, but not beside the others."""
    if "scope" in present and "occurrence" not in present:
        return {"scope": ["Give occurrence too: the first one that changes."]}
    if "occurrence" not in present:
        return {}
    if present["operation"] == "send":
        return {"occurrence": ["Only update and cancel are about one occurrence."]}
    names = [] if "scope" in present else [name for name in _NOT_OF_ONE if name in present]
    refusal = "It belongs to the whole series: leave it out, or change the series."
    return {name: [refusal] for name in names}


def _unknown_names(present: Mapping[str, Any]) -> list[str]:
    names = [name for name in present if name not in _KNOWN]
    receiver = present.get("receiver")
    if isinstance(receiver, dict):
        names += [f"receiver.{name}" for name in receiver if name not in _KNOWN_LISTS]
    return [f"{shown(name)}: unknown, ignored." for name in names[:_MOST_WARNINGS]]


def _flat(errors: Mapping[str, Any], prefix: str = "") -> Fields:
    """``{"receiver": {"required": [...]}}`` → ``{"receiver.required": [...]}``."""
    flat: Fields = {}
    for name, detail in errors.items():
        suffix = "" if name == "non_field_errors" else f".{name}" if prefix else name
        path = prefix + suffix
        if isinstance(detail, dict):
            flat |= _flat(detail, path)
        else:
            flat[path] = [str(message) for message in detail]
    return flat


def _with_one_receiver(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with one ``receiver`` of the lists that were given, if any were."""
    if not values.keys() & set(_LISTS):
        return dict(values)
    given = values.get("receiver", {})
    receiver: dict[str, list[Mailbox]] = {
        role: [*(given.get(role) or ()), *values.get(role, ())] for role in _ROLES
    }
    if sum(map(len, receiver.values())) > settings.MEETINGS_MAX_ATTENDEES:
        limit = f"Must name at most {settings.MEETINGS_MAX_ATTENDEES} people and rooms."
        raise InvalidParameters({"receiver": [limit]})
    others = {name: value for name, value in values.items() if name not in _LISTS}
    return others | {"receiver": receiver}
