"""The clients: the programs that own meetings."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Clients(models.Manager["Client"]):
    """Finds the one client that is no program with a key."""

    def local(self) -> "Client":
        """Return the client of the calls without a key. It is made when it is first needed."""
        # Two first calls at once: the constraint refuses the second row, and get_or_create then
        # reads the first.
        client, _is_new = self.get_or_create(is_local=True, defaults={"name": "local"})
        return client


class Client(models.Model):
    """A program that sends meetings, such as an HR system. It sees only its own meetings."""

    name = models.CharField(_("name"), max_length=100)
    is_local = models.BooleanField(
        _("calls without a key"),
        default=False,
        editable=False,
        help_text=_("Calls from this machine that need no API key belong to this client."),
    )

    objects = Clients()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ("name", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["is_local"], condition=models.Q(is_local=True), name="one_local_client"
            )
        ]

    def __str__(self) -> str:
        return self.name
