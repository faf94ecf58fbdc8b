"""The processes that send mail, and the switch that stops them all."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Sender(models.Model):
    """A process that sends. Its deliveries are its own for as long as it says that it lives."""

    kind = models.CharField(_("kind"), max_length=20, help_text=_("name of the program"))
    host = models.CharField(_("host"), max_length=255)
    alive_until = models.DateTimeField(_("alive until"))
    connections = models.PositiveSmallIntegerField(
        _("connections"),
        db_default=0,
        help_text=_("Connections to the mail server in use when it last said that it lives."),
    )
    served_at = models.DateTimeField(
        _("served at"),
        null=True,
        help_text=_("When it last had a connection to the mail server, as its heartbeat said."),
    )
    replied_at = models.DateTimeField(
        _("replied at"),
        null=True,
        help_text=_("When the mail server last replied to it, as of when it last said it lives."),
    )

    class Meta:
        verbose_name = _("sending process")
        verbose_name_plural = _("sending processes")

    def __str__(self) -> str:
        return f"{self.kind} on {self.host}"


class Pause(models.Model):
    """While there is a row, no process begins to send. There is one at most."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    since = models.DateTimeField(_("since"), db_default=Now())
    by = models.CharField(_("by"), max_length=200)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_pause")]

    def __str__(self) -> str:
        return f"{self.by}: {self.reason}" if self.reason else self.by
