"""The processes that have sent mail, as they say themselves."""

from typing import Protocol

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from meetings.admin.chips import labelled_chip
from meetings.admin.read_only import ReadOnlyAdmin
from meetings.models import Sender


class _MarkedSender(Protocol):
    """A sender as ``SenderAdmin.get_queryset`` annotates it."""

    is_alive: bool


@admin.register(Sender)
class SenderAdmin(ReadOnlyAdmin):
    """A process is shown from its first mail on.

    One that dies is shown until others have taken over its mails.
    """

    list_display = ("kind", "host", "life", "connections", "replied_at", "alive_until")
    list_display_links = None
    ordering = ("-alive_until",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sender]:
        # By PostgreSQL's clock, as the senders themselves compare it.
        is_alive = Q(alive_until__gt=Now())
        queryset: QuerySet[Sender] = super().get_queryset(request)
        return queryset.annotate(is_alive=is_alive)

    @admin.display(description=_("state"), ordering="alive_until")
    def life(self, sender: _MarkedSender) -> SafeString:
        if sender.is_alive:
            return labelled_chip("alive", _("alive"))
        return labelled_chip("dead", _("dead"))
