"""The meeting as its organizer keeps it."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from meetings.itip.event import Attendee, Event, Organizer, Override, Status
from meetings.itip.recurrence.rule import Rule
from meetings.models.client import Client
from meetings.models.fields import WallClockField


class MeetingStatus(models.TextChoices):
    """STATUS of the whole meeting (RFC 5545 §3.8.1.11)."""

    CONFIRMED = "CONFIRMED", _("confirmed")
    CANCELLED = "CANCELLED", _("cancelled")


class Meeting(models.Model):
    """A VEVENT as its organizer keeps it, and whose it is.

    ``uid`` is what its client calls it. ``ical_uid`` is its identity for life, in each calendar.
    ``plan`` rises with everything that decides anew what people are to be told: who stores compares
    it with what they read. ``due_at`` is the queue: from then on somebody has to be told something.
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
    plan = models.PositiveBigIntegerField(_("plan"), default=0)
    due_at = models.DateTimeField(_("due"), null=True)
    passed_over = models.BooleanField(
        _("somebody was passed over"),
        default=False,
        help_text=_("A mail to them was under way, so more is to be told when that has ended."),
    )
    status = models.CharField(
        _("status"), max_length=9, choices=MeetingStatus, default=MeetingStatus.CONFIRMED
    )
    sequence = models.PositiveIntegerField("SEQUENCE", default=0)
    whole_sequence = models.PositiveIntegerField(
        _("SEQUENCE of the whole"),
        default=0,
        help_text=_("That of the last version that was about the whole."),
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
    continues = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name=_("continues"),
        null=True,
        blank=True,
        related_name="continued_by",
        help_text=_("The series that this one continues."),
    )
    continues_from = WallClockField(
        _("continues from"), null=True, help_text=_("The occurrence with which it begins.")
    )
    created_at = models.DateTimeField(_("created"), db_default=Now())
    updated_at = models.DateTimeField(_("updated"), db_default=Now())

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
            models.Index(
                fields=["due_at"], condition=models.Q(due_at__isnull=False), name="meeting_due"
            ),
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

    def event(self, people: Iterable[Attendee], overrides: Iterable[Override]) -> Event:
        """Return the row as a value of the protocol, with its list and its single occurrences."""
        return Event(
            uid=self.ical_uid,
            summary=self.summary,
            start=self.start,
            end=self.end,
            tzid=self.tzid,
            organizer=Organizer(address=self.organizer_address, name=self.organizer_name),
            attendees=tuple(people),
            description=self.description,
            location=self.location,
            all_day=self.all_day,
            rule=Rule.from_text(self.rrule) if self.rrule else None,
            exdates=tuple(datetime.fromisoformat(text) for text in self.exdates),
            overrides=tuple(overrides),
            reminder=self.reminder,
            sequence=self.sequence,
            whole_sequence=self.whole_sequence,
            status=Status(self.status),
            comment=self.comment,
        )


class EventColumns(TypedDict):
    """The columns of a meeting's row that an event fills, as JSON."""

    status: str
    sequence: int
    whole_sequence: int
    organizer_address: str
    organizer_name: str
    summary: str
    description: str
    location: str
    start: str
    end: str
    tzid: str
    all_day: bool
    rrule: str
    exdates: list[str]
    reminder: int | None
    ends_at: str
    comment: str


def event_columns(event: Event) -> EventColumns:
    """Return the columns that ``event`` fills, but for its people and single occurrences."""
    return {
        "status": event.status.value,
        "sequence": event.sequence,
        "whole_sequence": event.whole_sequence,
        "organizer_address": event.organizer.address,
        "organizer_name": event.organizer.name,
        "summary": event.summary,
        "description": event.description,
        "location": event.location,
        "start": event.start.isoformat(),
        "end": event.end.isoformat(),
        "tzid": event.tzid,
        "all_day": event.all_day,
        "rrule": str(event.rule or ""),
        "exdates": [left_out.isoformat() for left_out in event.exdates],
        "reminder": event.reminder,
        "ends_at": event.ends_at.isoformat(),
        "comment": event.comment,
    }
