"""The occurrences that were changed or cancelled alone, kept as what differs from the series."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypedDict, cast

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from meetings.itip.event import Attendee, Event, Override, Role
from meetings.models.fields import WallClockField


class StoredPerson(TypedDict):
    """An attendee of one occurrence as JSON."""

    address: str
    name: str
    role: str


class OccurrenceOverride(models.Model):
    """One occurrence of a series, known by the start that the rule gives it (RECURRENCE-ID)."""

    meeting = models.ForeignKey(
        "meetings.Meeting", models.CASCADE, verbose_name=_("meeting"), related_name="overrides"
    )
    recurrence_id = WallClockField("RECURRENCE-ID")
    is_cancelled = models.BooleanField(_("cancelled"), default=False)
    changes = models.JSONField(
        _("changes"),
        default=dict,
        help_text=_("Property → value. What is absent is the same as in the series."),
    )

    class Meta:
        verbose_name = _("single occurrence")
        verbose_name_plural = _("single occurrences")
        ordering = ("recurrence_id",)
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "recurrence_id"], name="override_once_an_occurrence"
            )
        ]

    def __str__(self) -> str:
        state = gettext("cancelled") if self.is_cancelled else gettext("changed")
        return f"{self.recurrence_id:%Y-%m-%d %H:%M}: {state}"

    def value(self) -> Override:
        """Return the row as a value of the protocol."""
        changes: Mapping[str, object] = self.changes
        people = changes.get("attendees")
        return Override(
            recurrence_id=self.recurrence_id,
            summary=_text(changes, "summary"),
            start=_time(changes, "start"),
            end=_time(changes, "end"),
            location=_text(changes, "location"),
            description=_text(changes, "description"),
            attendees=None if people is None else _people(cast("list[StoredPerson]", people)),
        )


def rows_of(event: Event) -> list[OccurrenceOverride]:
    """Return unsaved rows, without their meeting, for the event's single occurrences."""
    cancelled = [
        OccurrenceOverride(recurrence_id=when, is_cancelled=True) for when in event.cancelled
    ]
    return cancelled + [_row(override) for override in event.overrides]


def _row(override: Override) -> OccurrenceOverride:
    values = {name: getattr(override, name) for name in Override.CHANGEABLE}
    changes = {
        name: _AS_JSON.get(name, str)(value) for name, value in values.items() if value is not None
    }
    return OccurrenceOverride(recurrence_id=override.recurrence_id, changes=changes)


def _people_as_json(people: tuple[Attendee, ...]) -> list[StoredPerson]:
    return [
        {"address": person.address, "name": person.name, "role": person.role.value}
        for person in people
    ]


_AS_JSON: dict[str, Callable[..., object]] = {
    "start": datetime.isoformat,
    "end": datetime.isoformat,
    "attendees": _people_as_json,
}


def _people(stored: list[StoredPerson]) -> tuple[Attendee, ...]:
    return tuple(
        Attendee(address=person["address"], name=person["name"], role=Role(person["role"]))
        for person in stored
    )


def _text(changes: Mapping[str, object], name: str) -> str | None:
    return str(changes[name]) if name in changes else None


def _time(changes: Mapping[str, object], name: str) -> datetime | None:
    return datetime.fromisoformat(str(changes[name])) if name in changes else None
