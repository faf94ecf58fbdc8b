"""The mails that were made for a version, each with its exact bytes."""

from django.db import models
from django.db.models.functions import Now

from meetings.itip.message import Method
from meetings.models.version import Version


class Mail(models.Model):
    """One e-mail as it leaves: its bytes are frozen in the meeting's transaction."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="mails")
    method = models.CharField(
        "METHOD", max_length=7, choices=[(method.value, method.value) for method in Method]
    )
    message_id = models.CharField("Message-ID", max_length=255, unique=True)
    dtstamp = models.DateTimeField("DTSTAMP")
    subject = models.TextField()
    whole = models.BooleanField(
        default=True,
        db_default=True,
        help_text="About the whole meeting: it makes what is older superfluous.",
    )
    envelope_from = models.CharField(max_length=320)
    raw = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(raw__isnull=False),
                name="message_with_bytes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.message_id}"
