"""The contract's parameters, each checked on its own; ``event_from`` puts them together."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework import serializers

from meetings.api.errors import Fields, InvalidParameters, MissingParameters
from meetings.api.reading.fields import (
    BodyField,
    LineField,
    Mailbox,
    MailboxField,
    MailboxListField,
    MomentField,
    UidField,
    ZoneField,
)
from meetings.api.reading.text import shown

_OUTLOOK_SUBJECT = 255

# What a cancel looks at: old clients send everything else again, and it is ignored.
_READ_BY_CANCEL = ("operation", "uid", "sender", "description", "occurrence", "scope")
_NOT_OF_ONE = ("repeat", "timezone", "reminder")
_LISTS = ("receiver", "required", "optional")
_MOST_WARNINGS = 20


class AnyField(serializers.Field[Any, Any, Any, Any]):
    """Whatever it is: somebody else reads it."""

    def to_internal_value(self, data: Any) -> Any:
        """The value as it came."""
        return data


class ReceiverSerializer(serializers.Serializer[Any]):
    """``receiver``: who is invited, by ROLE."""

    required = MailboxListField(required=False, allow_null=True)  # type: ignore[assignment]  # DRF's Field.required is another thing
    optional = MailboxListField(required=False, allow_null=True)
    resource = MailboxListField(required=False, allow_null=True)


class MeetingSerializer(serializers.Serializer[Any]):
    """The body of ``POST /meeting_server/``."""

    operation = serializers.ChoiceField(
        ["send", "update", "cancel"],
        error_messages={"invalid_choice": 'Must be "send", "update" or "cancel".'},
    )
    uid = UidField(required=False)
    start = MomentField(required=False)
    end = MomentField(required=False)
    timezone = ZoneField(required=False)
    sender = MailboxField(required=False)
    receiver = ReceiverSerializer(required=False)
    required = MailboxListField(required=False)  # type: ignore[assignment]  # DRF's Field.required is another thing
    optional = MailboxListField(required=False)
    subj = LineField(required=False, max_length=1000)
    description = BodyField(required=False, max_bytes=64 * 1024)
    location = LineField(required=False, max_length=1000, allow_blank=True)
    occurrence = MomentField(required=False)
    scope = serializers.ChoiceField(
        ["future"], required=False, error_messages={"invalid_choice": 'Must be "future".'}
    )
    repeat = AnyField(required=False, allow_null=True)
    reminder = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=60 * 24 * 366
    )


# Once: to build a serializer's fields takes longer than all the rest.
_KNOWN, _KNOWN_LISTS = frozenset(MeetingSerializer().fields), frozenset(ReceiverSerializer().fields)


def read_parameters(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The checked parameters by name, and a warning for each name that nobody knows.

    Null is the same as absent but for ``repeat`` and ``reminder``. The page's top-level
    ``required`` and ``optional`` are merged into ``receiver``, a dict of lists of Mailbox. Raises
    MissingParameters when a required one is missing, else InvalidParameters for wrong ones.
    """
    present = {name: value for name, value in given.items() if not _is_absent(name, value)}
    if present.get("repeat") in ("", []):
        present["repeat"] = None  # what old clients send for a meeting that is not repeated
    operation = present.get("operation")
    warnings = _unknown_names(present)
    if operation == "cancel":
        present = {name: present[name] for name in _READ_BY_CANCEL if name in present}
    serializer = MeetingSerializer(data=present)
    fields = {} if serializer.is_valid() else _flat(serializer.errors)
    missing = _missing(operation, present)
    if missing:
        raise MissingParameters(
            fields | {name: ["This parameter is required."] for name in missing}
        )
    fields = fields or _misplaced(present)
    if fields:
        raise InvalidParameters(fields)
    values: dict[str, Any] = dict(serializer.validated_data)
    _merge_lists(values)
    if len(values.get("subj", "")) > _OUTLOOK_SUBJECT:
        warnings.append(f"subj: Outlook shows the first {_OUTLOOK_SUBJECT} characters only.")
    return values, warnings


def _is_absent(name: str, value: object) -> bool:
    """Old clients send null, or an empty uid, for what they leave out."""
    return (value is None and name not in {"repeat", "reminder"}) or (
        value == "" and name in {"uid", "timezone"}
    )


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
    """What is right on its own, but not beside the others."""
    if "scope" in present and "occurrence" not in present:
        return {"scope": ["Needs occurrence: the first one that it is about."]}
    if "occurrence" not in present:
        return {}
    if present["operation"] == "send":
        return {"occurrence": ["Only update and cancel are about one occurrence."]}
    names = [] if "scope" in present else [name for name in _NOT_OF_ONE if name in present]
    return {
        name: ["One occurrence has none of its own: leave it out, or change the series."]
        for name in names
    }


def _unknown_names(present: Mapping[str, Any]) -> list[str]:
    names = [name for name in present if name not in _KNOWN]
    if isinstance(present.get("receiver"), dict):
        names += [f"receiver.{name}" for name in present["receiver"] if name not in _KNOWN_LISTS]
    return [f"{shown(name)}: unknown, ignored." for name in names[:_MOST_WARNINGS]]


def _flat(errors: Mapping[str, Any], prefix: str = "") -> Fields:
    """``{"receiver": {"required": [...]}}`` → ``{"receiver.required": [...]}``."""
    fields: Fields = {}
    for name, detail in errors.items():
        path = prefix + ("" if name == "non_field_errors" else f".{name}" if prefix else name)
        fields |= (
            _flat(detail, path)
            if isinstance(detail, dict)
            else {path: [str(message) for message in detail]}
        )
    return fields


def _merge_lists(values: dict[str, Any]) -> None:
    """One ``receiver`` of what was given, if any was."""
    if not values.keys() & set(_LISTS):
        return
    given = dict(values.pop("receiver", {}))
    receiver: dict[str, list[Mailbox]] = {
        role: [*(given.get(role) or ()), *values.pop(role, ())]
        for role in ("required", "optional", "resource")
    }
    if sum(map(len, receiver.values())) > settings.MEETINGS_MAX_ATTENDEES:
        limit = f"Must name at most {settings.MEETINGS_MAX_ATTENDEES} people and rooms."
        raise InvalidParameters({"receiver": [limit]})
    values["receiver"] = receiver
