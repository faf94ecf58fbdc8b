"""One mail to one person. Its states, and who changes them, are drawn in ``models/outbox``."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from meetings.models.attendee import Attendee
from meetings.models.mail import Mail
from meetings.models.meeting import Meeting
from meetings.models.sender import Sender


class DeliveryState(models.TextChoices):
    """Where one mail to one person stands."""

    SENDING = "sending", _("sending")
    SENT = "sent", _("sent")
    REFUSED = "refused", _("refused")
    DEFERRED = "deferred", _("deferred")
    UNKNOWN = "unknown", _("outcome unknown")
    DROPPED = "dropped", _("dropped")


OPEN = (DeliveryState.SENDING, DeliveryState.DEFERRED, DeliveryState.UNKNOWN)
"""A person with an open delivery gets no other mail of the meeting: so their order holds."""


class Delivery(models.Model):
    """One mail to one person."""

    mail = models.ForeignKey(
        Mail,
        models.DO_NOTHING,
        db_constraint=False,
        related_name="deliveries",
        verbose_name=_("mail"),
    )
    meeting = models.ForeignKey(
        Meeting,
        models.CASCADE,
        db_index=False,
        related_name="deliveries",
        verbose_name=_("meeting"),
    )
    attendee = models.ForeignKey(
        Attendee,
        models.CASCADE,
        db_index=False,
        related_name="deliveries",
        verbose_name=_("recipient"),
    )
    state = models.CharField(_("state"), max_length=8, choices=DeliveryState)
    attempt = models.PositiveIntegerField(_("attempts"), default=1)
    unknown_ends = models.PositiveSmallIntegerField(
        _("unknown ends"), default=0, help_text=_("Attempts without the mail server's word.")
    )
    free_ends = models.PositiveIntegerField(
        _("free ends"), db_default=0, help_text=_("Attempts that said nothing of this mail.")
    )
    sender = models.ForeignKey(
        Sender,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="deliveries",
        verbose_name=_("sending process"),
    )
    last_reply = models.TextField(_("the mail server's last reply"), blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values), name="delivery_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["meeting"],
                condition=models.Q(state__in=OPEN),
                name="delivery_open",
            ),
            models.Index(
                fields=["sender"],
                condition=models.Q(state=DeliveryState.SENDING),
                name="delivery_sending",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attendee}: {self.get_state_display()}"
