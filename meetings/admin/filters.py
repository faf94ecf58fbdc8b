"""What the list of meetings can be narrowed down to."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from meetings.admin.chips import current_deliveries
from meetings.models import DeliveryState
from meetings.models.delivery import LIVE


class MailFilter(admin.SimpleListFilter):
    """Where the mails of the current version stand."""

    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [
            ("failed", _("Failed for somebody")),
            ("waiting", _("Waiting")),
            ("sent", _("Sent to everybody")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The meetings that fit."""
        mine = current_deliveries().filter(meeting=OuterRef("pk"))
        match self.value():
            case "failed":
                return queryset.filter(Exists(mine.filter(state=DeliveryState.FAILED)))
            case "waiting":
                return queryset.filter(Exists(mine.filter(state__in=LIVE)))
            case "sent":
                return queryset.filter(
                    Exists(mine), ~Exists(mine.exclude(state=DeliveryState.SENT))
                )
        return queryset


class TimeFilter(admin.SimpleListFilter):
    """When the meeting takes place; a series until its last occurrence."""

    title = _("time")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [
            ("ahead", _("Not over yet")),
            ("week", _("Starts within 7 days")),
            ("over", _("Over")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The meetings that fit."""
        now = timezone.now()
        match self.value():
            case "ahead":
                return queryset.filter(ends_at__gte=now)
            case "week":
                # Wall-clock times of many zones are compared with the server's own: near enough to
                # look for one.
                wall_clock = timezone.make_naive(now)
                return queryset.filter(start__range=(wall_clock, wall_clock + timedelta(days=7)))
            case "over":
                return queryset.filter(ends_at__lt=now)
        return queryset
