"""The mails that were made, each with its exact bytes."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from meetings.models.attendee import METHODS
from meetings.models.meeting import Meeting


class Mail(models.Model):
    """One e-mail as it leaves, and what it tells: enough to know if it still says what is due."""

    meeting = models.ForeignKey(
        Meeting, models.CASCADE, verbose_name=_("meeting"), related_name="mails"
    )
    sequence = models.PositiveIntegerField("SEQUENCE")
    method = models.CharField("METHOD", max_length=7, choices=METHODS)
    recurrence_id = models.CharField(
        "RECURRENCE-ID",
        max_length=100,
        blank=True,
        help_text=_("Empty for a mail about the whole meeting."),
    )
    excluded = models.JSONField(
        _("EXDATEs of its readers"),
        default=list,
        help_text=_("Occurrences that only its readers are not invited to."),
    )
    plain = models.BooleanField(
        _("series' own values"),
        default=False,
        help_text=_("It resets one occurrence before the whole follows."),
    )
    compared_with = models.PositiveIntegerField(
        _("compared with SEQUENCE"),
        null=True,
        help_text=_("The version that its text compares with."),
    )
    message_id = models.CharField("Message-ID", max_length=255)
    stamp = models.DateTimeField("DTSTAMP")
    subject = models.TextField(_("subject"))
    envelope_from = models.CharField(_("envelope sender"), max_length=320)
    ends_at = models.DateTimeField(
        _("tells until"), help_text=_("The end of the last thing that it tells.")
    )
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.method} {self.message_id}"


class MailBytes(models.Model):
    """The octets of a mail, compressed by zlib. Apart, so that they can go without rewriting it."""

    mail = models.OneToOneField(
        Mail,
        models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="bytes",
        verbose_name=_("mail"),
    )
    raw = models.BinaryField(_("source"))

    class Meta:
        verbose_name = _("source of a mail")
        verbose_name_plural = _("sources of mails")

    def __str__(self) -> str:
        return f"source of mail {self.mail_id}"
