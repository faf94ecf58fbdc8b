"""The occurrences that were changed or cancelled alone, kept as what differs from the series."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from meetings.itip.event import Attendee, Override, Role
from meetings.models.fields import WallClockField


class StoredPerson(TypedDict):
    """An attendee of one occurrence as JSON."""

    address: str
    name: str
    role: str


class OverrideColumns(TypedDict):
    """The columns of a row as JSON."""

    recurrence_id: str
    is_cancelled: bool
    comment: str
    sequence: int
    changes: Mapping[str, str]
    added: Sequence[StoredPerson]
    removed: Sequence[str]


class OccurrenceOverride(models.Model):
    """One occurrence of a series, known by the start that the rule gives it (RECURRENCE-ID)."""

    meeting = models.ForeignKey(
        "meetings.Meeting",
        models.CASCADE,
        db_index=False,  # override_once_an_occurrence begins with it
        verbose_name=_("meeting"),
        related_name="overrides",
    )
    recurrence_id = WallClockField("RECURRENCE-ID")
    is_cancelled = models.BooleanField(_("cancelled"), default=False)
    comment = models.TextField(_("reason of the cancellation"), blank=True)
    sequence = models.PositiveIntegerField(
        "SEQUENCE", help_text=_("That of the last change of this occurrence.")
    )
    changes = models.JSONField(
        _("changes"),
        default=dict,
        help_text=_("Property → value. What is absent is the same as in the series."),
    )
    added = models.JSONField(
        _("added people"), default=list, help_text=_("They come to this occurrence only.")
    )
    removed = models.JSONField(
        _("removed people"), default=list, help_text=_("Addresses taken off this occurrence.")
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


def columns_of(override: Override) -> OverrideColumns:
    """Return the columns of the override's row."""
    values = {name: getattr(override, name) for name in Override.CHANGEABLE}
    return {
        "recurrence_id": override.recurrence_id.isoformat(),
        "is_cancelled": override.is_cancelled,
        "comment": override.comment,
        "sequence": override.sequence,
        "changes": {name: _text(value) for name, value in values.items() if value is not None},
        "added": [
            {"address": person.address, "name": person.name, "role": person.role.value}
            for person in override.added
        ],
        "removed": override.removed,
    }


def override_of(columns: OverrideColumns) -> Override:
    """Return the override that a row stands for."""
    changes = columns["changes"]
    return Override(
        recurrence_id=datetime.fromisoformat(columns["recurrence_id"]),
        summary=changes.get("summary"),
        start=_time(changes, "start"),
        end=_time(changes, "end"),
        location=changes.get("location"),
        description=changes.get("description"),
        added=tuple(
            Attendee(address=person["address"], name=person["name"], role=Role(person["role"]))
            for person in columns["added"]
        ),
        removed=tuple(columns["removed"]),
        is_cancelled=columns["is_cancelled"],
        comment=columns["comment"],
        sequence=columns["sequence"],
    )


def _text(value: str | datetime) -> str:
    return value.isoformat() if isinstance(value, datetime) else value


def _time(changes: Mapping[str, str], name: str) -> datetime | None:
    return datetime.fromisoformat(changes[name]) if name in changes else None
