"""The people and rooms of a meeting, one row each for its life, and what each was told."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from django.db import models
from django.utils.translation import gettext_lazy as _

from meetings.itip.event import Attendee as ItipAttendee
from meetings.itip.event import PartStat, Role
from meetings.itip.message import Method
from meetings.itip.told import Person, RecurrenceId
from meetings.itip.told import ToldOccurrence as ItipToldOccurrence

METHODS = [(method.value, method.value) for method in Method]


class Attendee(models.Model):
    """One person, or room, who is or was invited to a meeting (ATTENDEE).

    The columns whose names begin with ``told`` say what certainly or possibly reached the person of
    the whole meeting. What is outstanding is computed from them and never stored.
    """

    meeting = models.ForeignKey(
        "meetings.Meeting",
        models.CASCADE,
        db_index=False,  # attendee_once_a_meeting begins with it
        verbose_name=_("meeting"),
        related_name="attendees",
    )
    address = models.CharField(_("address"), max_length=320)
    address_key = models.CharField(_("address to compare"), max_length=320, editable=False)
    name = models.CharField(_("name"), max_length=255, blank=True)
    role = models.CharField(
        "ROLE", max_length=15, choices=[(role.value, role.value) for role in Role]
    )
    partstat = models.CharField(
        "PARTSTAT", max_length=12, choices=[(state.value, state.value) for state in PartStat]
    )
    position = models.PositiveIntegerField(_("position"))
    listed = models.BooleanField(
        _("on the list"), help_text=_("Guests of single occurrences are not on it.")
    )
    told_method = models.CharField(  # noqa: DJ001 (nothing told is no METHOD, not an empty one)
        _("told METHOD"),
        max_length=7,
        choices=METHODS,
        null=True,
        help_text=_("That of the newest message of the whole which was certainly accepted."),
    )
    told_sequence = models.PositiveIntegerField(_("told SEQUENCE"), null=True)
    told_possible = models.BooleanField(
        _("outcome unknown"),
        default=False,
        help_text=_("A newer message may have arrived: the mail server's word is missing."),
    )
    told_stamp = models.DateTimeField(
        _("told DTSTAMP"),
        null=True,
        help_text=_("That of the newest message that may have left."),
    )
    told_at = models.DateTimeField(_("told"), null=True)
    knows_until = models.DateTimeField(
        _("knows until"), null=True, help_text=_("The latest end that any message told.")
    )
    asked_sequence = models.PositiveIntegerField(
        _("to be told SEQUENCE"), help_text=_("The newest version that the person is to be told.")
    )
    asked_at = models.DateTimeField(_("to be told since"))
    failed_sequence = models.PositiveIntegerField(
        _("failed SEQUENCE"),
        null=True,
        help_text=_("The version that the person was not told, and no further try is planned."),
    )
    retry_at = models.DateTimeField(_("next try"), null=True)
    last_reply = models.TextField(_("the mail server's last reply"), blank=True)

    class Meta:
        verbose_name = _("attendee")
        verbose_name_plural = _("attendees")
        ordering = ("position", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "address_key"], name="attendee_once_a_meeting"
            )
        ]
        indexes = [
            models.Index(
                fields=["meeting"],
                condition=models.Q(failed_sequence__isnull=False),
                name="attendee_failed",
            ),
            models.Index(
                fields=["meeting"],
                condition=models.Q(retry_at__isnull=False),
                name="attendee_in_back_off",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


class ToldOccurrence(models.Model):
    """What a person was last told of one occurrence alone."""

    pk = models.CompositePrimaryKey("attendee_id", "recurrence_id")
    attendee = models.ForeignKey(
        Attendee,
        models.CASCADE,
        db_index=False,  # the key begins with it
        verbose_name=_("attendee"),
        related_name="told_occurrences",
    )
    recurrence_id = models.CharField(
        "RECURRENCE-ID", max_length=100, help_text=_("With its zone, as it stands in a calendar.")
    )
    method = models.CharField("METHOD", max_length=7, choices=METHODS)
    sequence = models.PositiveIntegerField("SEQUENCE")
    possible = models.BooleanField(_("outcome unknown"), default=False)
    alone = models.BooleanField(
        _("told alone"),
        default=False,
        help_text=_("A REQUEST of this occurrence may have reached the person at some time."),
    )
    ends_at = models.DateTimeField(
        _("known end"), help_text=_("The latest end that a message gave it.")
    )

    class Meta:
        verbose_name = _("told occurrence")
        verbose_name_plural = _("told occurrences")

    def __str__(self) -> str:
        return f"{self.recurrence_id}: {self.method} {self.sequence}"


class AttendeeColumns(TypedDict):
    """The columns of a person's row, as JSON; those that only PostgreSQL compares are left out."""

    id: int
    address: str
    name: str
    role: str
    partstat: str
    position: int
    listed: bool
    told_method: str | None
    told_sequence: int | None
    told_possible: bool
    told_stamp: str | None
    told_at: str | None
    knows_until: str | None
    asked_sequence: int
    asked_at: str
    failed_sequence: int | None
    retry_at: str | None
    last_reply: str


class ToldColumns(TypedDict):
    """The columns of what a person was told of one occurrence, as JSON."""

    recurrence_id: str
    method: str
    sequence: int
    possible: bool
    alone: bool
    ends_at: str


def person_of(row: AttendeeColumns, told: Iterable[ToldColumns]) -> Person:
    """Return a row, and what the person was told of single occurrences, as a protocol's value."""
    attendee = ItipAttendee(
        address=row["address"],
        name=row["name"],
        role=Role(row["role"]),
        partstat=PartStat(row["partstat"]),
    )
    return Person(
        attendee=attendee,
        method=Method(row["told_method"]) if row["told_method"] else None,
        sequence=row["told_sequence"],
        possible=row["told_possible"],
        stamp=as_time(row["told_stamp"]),
        knows_until=as_time(row["knows_until"]),
        asked=row["asked_sequence"],
        occurrences=tuple(map(_told, told)),
    )


def _told(row: ToldColumns) -> ItipToldOccurrence:
    return ItipToldOccurrence(
        recurrence_id=RecurrenceId.from_text(row["recurrence_id"]),
        method=Method(row["method"]),
        sequence=row["sequence"],
        possible=row["possible"],
        alone=row["alone"],
        ends_at=datetime.fromisoformat(row["ends_at"]),
    )


def as_time(text: str | None) -> datetime | None:
    """Return the instant that PostgreSQL wrote as JSON."""
    return None if text is None else datetime.fromisoformat(text)
