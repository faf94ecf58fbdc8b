"""The meeting as its organizer keeps it."""

import secrets
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from meetings.itip.event import Attendee as ItipAttendee
from meetings.itip.event import Event, Organizer, Override, Status
from meetings.itip.message import Version
from meetings.itip.recurrence.rule import Rule
from meetings.models.attendee import Attendee
from meetings.models.client import Client
from meetings.models.fields import WallClockField
from meetings.models.override import OccurrenceOverride, rows_of


class MeetingStatus(models.TextChoices):
    """STATUS of the whole meeting (RFC 5545 §3.8.1.11)."""

    CONFIRMED = "CONFIRMED", _("confirmed")
    CANCELLED = "CANCELLED", _("cancelled")


class MeetingQuerySet(models.QuerySet["Meeting"]):
    """What callers ask of meetings."""

    def of(self, client: Client) -> Self:
        """The meetings that ``client`` owns."""
        return self.filter(client=client)

    def free_ical_uid(self, uid: str) -> str:
        """Return ``uid`` if no meeting has it as its ical_uid, else ``uid`` with random digits.

        One query. The caller has reserved ``uid``, so that no other call gets the same one.
        """
        if not self.filter(ical_uid=uid).exists():
            return uid
        # Calendars take at most 255 characters (interop P5).
        return f"{uid[:246]}-{secrets.token_hex(4)}"


class Meeting(models.Model):
    """A VEVENT as its organizer keeps it, and whose it is.

    ``uid`` is what its client calls it. ``ical_uid`` is its identity for life, in each calendar.
    """

    client = models.ForeignKey(
        Client,
        models.PROTECT,
        verbose_name=_("client"),
        related_name="meetings",
        db_index=False,  # uid_once_a_client begins with it
    )
    uid = models.CharField(_("the client's uid"), max_length=255)
    ical_uid = models.CharField(
        "UID",
        max_length=255,
        help_text=_("It differs from the client's uid where another client sent that uid before."),
    )
    status = models.CharField(
        _("status"), max_length=9, choices=MeetingStatus, default=MeetingStatus.CONFIRMED
    )
    sequence = models.PositiveIntegerField("SEQUENCE", default=0)
    dtstamp = models.DateTimeField(
        "DTSTAMP", help_text=_("When the newest message was made. The next one gets a later time.")
    )
    organizer_address = models.CharField(_("organizer address"), max_length=320)
    organizer_name = models.CharField(_("organizer name"), max_length=255, blank=True)
    summary = models.CharField(_("subject"), max_length=1000)
    description = models.TextField(_("description"), blank=True)
    location = models.CharField(_("location"), max_length=1000, blank=True)
    start = WallClockField(
        _("start"),
        help_text=_(
            "Wall-clock time in the meeting's zone. A series has that of its first occurrence."
        ),
    )
    end = WallClockField(
        _("end"), help_text=_("Wall-clock time in the meeting's zone. The meeting ends before it.")
    )
    tzid = models.CharField(_("time zone"), max_length=64)
    all_day = models.BooleanField(_("all day"), default=False)
    rrule = models.CharField("RRULE", max_length=255, blank=True)
    exdates = models.JSONField("EXDATE", default=list, blank=True)
    reminder = models.PositiveIntegerField(
        _("reminder"), null=True, blank=True, help_text=_("Minutes before the start.")
    )
    ends_at = models.DateTimeField(
        _("end of the meeting"), help_text=_("The instant at which the last occurrence ends.")
    )
    comment = models.TextField(_("reason of the cancellation"), blank=True)
    language = models.CharField(_("language"), max_length=10)
    thread = models.CharField(_("first Message-ID"), max_length=255, blank=True)
    continues = models.OneToOneField(
        "self",
        models.PROTECT,
        verbose_name=_("continues"),
        null=True,
        blank=True,
        related_name="continued_by",
        help_text=_("The series that this one continues."),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now())
    updated_at = models.DateTimeField(_("updated"), db_default=Now())

    objects = MeetingQuerySet.as_manager()

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        ordering = ("-created_at",)
        permissions = [
            ("cancel_meeting", "Can cancel a meeting"),
            ("resend_meeting", "Can mail a meeting again"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["client", "uid"], name="uid_once_a_client"),
            models.UniqueConstraint(fields=["ical_uid"], name="ical_uid_once"),
        ]
        indexes = [
            models.Index(fields=["-created_at"]),
            models.Index(fields=["start"]),
            models.Index(fields=["organizer_address"]),
        ]

    def __str__(self) -> str:
        return self.summary

    @property
    def is_cancelled(self) -> bool:
        """Whether the organizer has cancelled the whole meeting."""
        return self.status == MeetingStatus.CANCELLED

    def event(self) -> Event:
        """Return the stored event as a value of the protocol.

        One query for the attendees, and one more for a series.
        """
        rows = list(self.overrides.all()) if self.rrule else []
        return Event(
            uid=self.ical_uid,
            summary=self.summary,
            start=self.start,
            end=self.end,
            tzid=self.tzid,
            organizer=Organizer(address=self.organizer_address, name=self.organizer_name),
            attendees=tuple(attendee.value() for attendee in self.attendees.all()),
            description=self.description,
            location=self.location,
            all_day=self.all_day,
            rule=Rule.from_text(self.rrule) if self.rrule else None,
            exdates=tuple(datetime.fromisoformat(text) for text in self.exdates),
            cancelled=tuple(row.recurrence_id for row in rows if row.is_cancelled),
            overrides=tuple(row.value() for row in rows if not row.is_cancelled),
            reminder=self.reminder,
            sequence=self.sequence,
            status=Status(self.status),
        )

    def store(self, version: Version, stored: Event | None) -> None:
        """Make ``version`` the meeting's state, and save it.

        ``stored`` is the event as it was read, None for a new meeting. Lists are written only where
        they differ from those of ``stored``.
        """
        event = version.event
        for name in _SAME_NAME:
            setattr(self, name, getattr(event, name))
        self.ical_uid, self.dtstamp = event.uid, version.dtstamp
        self.status, self.comment = event.status.value, version.comment
        self.organizer_address, self.organizer_name = event.organizer.address, event.organizer.name
        self.rrule = str(event.rule or "")
        self.exdates = [left_out.isoformat() for left_out in event.exdates]
        if self.pk:
            self.updated_at = Now()
        self.save()
        if stored is None or event.attendees != stored.attendees:
            self._store_attendees(event.attendees, is_new=stored is None)
        if stored is None or _single_occurrences(event) != _single_occurrences(stored):
            self._store_overrides(rows_of(event), is_new=stored is None)

    def _store_overrides(self, rows: list[OccurrenceOverride], *, is_new: bool) -> None:
        if not is_new:
            self.overrides.all().delete()
        for row in rows:
            row.meeting = self
        self.overrides.bulk_create(rows)

    def _store_attendees(self, people: tuple[ItipAttendee, ...], *, is_new: bool) -> None:
        rows = [Attendee.row(position, person) for position, person in enumerate(people)]
        for row in rows:
            row.meeting = self
        if not is_new:
            self.attendees.exclude(address_key__in=[row.address_key for row in rows]).delete()
        Attendee.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["meeting", "address_key"],
            update_fields=["address", "name", "role", "partstat", "position"],
        )


def _single_occurrences(
    event: Event,
) -> tuple[tuple[datetime, ...], tuple[Override, ...]]:
    return event.cancelled, event.overrides


_SAME_NAME = (
    "summary", "description", "location", "start", "end", "tzid", "all_day", "reminder",
    "sequence", "ends_at",
)  # fmt: skip
