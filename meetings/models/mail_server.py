"""How the mail server bears what all processes send: one row, because its limits are for all."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MailServer(models.Model):
    """The mail server as all processes see it. There is one row at most; none: all is well."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    paused_until = models.DateTimeField(
        _("paused until"), null=True, help_text=_("No transaction begins before.")
    )
    hangs = models.PositiveIntegerField(
        _("hangs"), default=0, help_text=_("Transactions without a reply, one after the other.")
    )
    busy = models.PositiveIntegerField(
        _("busy"), default=0, help_text=_("Times that it had no room for us, one after the other.")
    )
    turned_away = models.PositiveBigIntegerField(
        _("turned away"),
        db_default=0,
        help_text=_("Times that one process got no connection because others had them all."),
    )
    next_slot = models.DateTimeField(
        _("next slot"), null=True, help_text=_("When the next mail may leave, by the set rate.")
    )

    class Meta:
        verbose_name = _("mail server")
        verbose_name_plural = _("mail servers")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_mail_server")]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
