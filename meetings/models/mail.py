"""The mails that were made for a version, each with its exact bytes."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from meetings.itip.message import Method
from meetings.models.version import Version


class Mail(models.Model):
    """One e-mail as it leaves: its bytes are frozen in the meeting's transaction."""

    version = models.ForeignKey(
        Version, models.CASCADE, verbose_name=_("version"), related_name="mails"
    )
    method = models.CharField(
        "METHOD", max_length=7, choices=[(method.value, method.value) for method in Method]
    )
    message_id = models.CharField("Message-ID", max_length=255, unique=True)
    dtstamp = models.DateTimeField("DTSTAMP")
    subject = models.TextField(_("subject"))
    whole = models.BooleanField(
        _("whole meeting"),
        default=True,
        db_default=True,
        help_text=_("It is about the whole meeting, so it replaces every older mail."),
    )
    envelope_from = models.CharField(_("envelope sender"), max_length=320)
    raw = models.BinaryField(_("source"), null=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ("id",)
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(raw__isnull=False),
                name="mail_with_bytes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.message_id}"
