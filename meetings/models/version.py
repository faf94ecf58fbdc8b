"""The versions of a meeting, one for each SEQUENCE."""

from importlib.metadata import version

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from meetings.models.meeting import Meeting

TZDATA = version("tzdata")


def tzdata_version() -> str:
    """Return the version of the zones' laws in force here, such as ``2026.6`` (interop Z7)."""
    return TZDATA


class Version(models.Model):
    """One version of a meeting: what changed, who asked, when."""

    meeting = models.ForeignKey(
        Meeting,
        models.CASCADE,
        db_index=False,  # sequence_once_a_meeting begins with it
        verbose_name=_("meeting"),
        related_name="versions",
    )
    sequence = models.PositiveIntegerField("SEQUENCE")
    changes = models.JSONField(
        _("changes"), default=dict, help_text=_("Property → old and new value.")
    )
    comment = models.TextField(_("reason"), blank=True)
    asked_by = models.CharField(_("asked by"), max_length=200)
    tzdata = models.CharField(
        _("time zone data"),
        max_length=20,
        default=tzdata_version,
        help_text=_("The version of the time zone data that its mails were made with."),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ("sequence",)
        constraints = [
            models.UniqueConstraint(fields=["meeting", "sequence"], name="sequence_once_a_meeting")
        ]

    def __str__(self) -> str:
        return f"SEQUENCE {self.sequence}"
