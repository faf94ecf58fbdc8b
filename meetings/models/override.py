"""Occurrences that were changed or cancelled alone, kept as what differs from the series."""

from datetime import datetime
from typing import Any

from django.db import models

from meetings.itip.event import Attendee, Event, Override, Role
from meetings.models.fields import WallClockField


class OccurrenceOverride(models.Model):
    """One occurrence of a series, known by the start that the rule gives it (RECURRENCE-ID)."""

    meeting = models.ForeignKey("meetings.Meeting", models.CASCADE, related_name="overrides")
    recurrence_id = WallClockField("RECURRENCE-ID")
    is_cancelled = models.BooleanField(default=False)
    changes = models.JSONField(
        default=dict, help_text="Property → value; what is absent is as in the series."
    )

    class Meta:
        ordering = ("recurrence_id",)
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "recurrence_id"], name="override_once_an_occurrence"
            )
        ]

    def __str__(self) -> str:
        return f"{self.recurrence_id:%Y-%m-%d %H:%M}: {'cancelled' if self.is_cancelled else 'changed'}"

    def value(self) -> Override:
        """The row as a value of the kernel."""
        return Override(
            recurrence_id=self.recurrence_id,
            **{name: _VALUE[name](value) for name, value in self.changes.items()},
        )


def rows_of(event: Event) -> list[OccurrenceOverride]:
    """Unsaved rows, without their meeting, for what is ``cancelled`` and ``overrides`` in
    ``event``.
    """
    cancelled = [
        OccurrenceOverride(recurrence_id=when, is_cancelled=True) for when in event.cancelled
    ]
    return cancelled + [_row(override) for override in event.overrides]


def _row(override: Override) -> OccurrenceOverride:
    given = {
        name: getattr(override, name)
        for name in Override.CHANGEABLE
        if getattr(override, name) is not None
    }
    changes = {name: _JSON.get(name, str)(value) for name, value in given.items()}
    return OccurrenceOverride(recurrence_id=override.recurrence_id, changes=changes)


def _people_to_json(people: tuple[Attendee, ...]) -> list[dict[str, str]]:
    return [
        {"address": person.address, "name": person.name, "role": person.role.value}
        for person in people
    ]


def _people_from_json(people: list[dict[str, str]]) -> tuple[Attendee, ...]:
    return tuple(
        Attendee(address=person["address"], name=person["name"], role=Role(person["role"]))
        for person in people
    )


_JSON: dict[str, Any] = {
    "start": datetime.isoformat,
    "end": datetime.isoformat,
    "attendees": _people_to_json,
}
_VALUE: dict[str, Any] = {
    "summary": str,
    "location": str,
    "description": str,
    "start": datetime.fromisoformat,
    "end": datetime.fromisoformat,
    "attendees": _people_from_json,
}
