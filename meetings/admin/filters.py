"""Filters of the list of meetings."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from meetings.models import DeliveryState
from meetings.models.delivery import LIVE
from meetings.queries.current import current_deliveries


class MailFilter(admin.SimpleListFilter):
    """By the state of the current version's deliveries."""

    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("failed", _("Failed for at least one recipient")),
            ("pending", _("Pending")),
            ("sent", _("Sent to all recipients")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        current = current_deliveries().filter(meeting=OuterRef("pk"))
        match self.value():
            case "failed":
                return queryset.filter(Exists(current.filter(state=DeliveryState.FAILED)))
            case "pending":
                return queryset.filter(Exists(current.filter(state__in=LIVE)))
            case "sent":
                not_sent = current.exclude(state=DeliveryState.SENT)
                return queryset.filter(Exists(current), ~Exists(not_sent))
        return queryset


class TimeFilter(admin.SimpleListFilter):
    """By the time of the meeting. A series ends with its last occurrence."""

    title = _("time")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("ahead", _("Not ended")),
            ("week", _("Starts within 7 days")),
            ("over", _("Ended")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        match self.value():
            case "ahead":
                return queryset.filter(ends_at__gte=now)
            case "week":
                # Starts are wall-clock times of many zones, compared with the server's own.
                # That is exact to a day, which is enough to find a meeting.
                wall_clock = timezone.make_naive(now)
                return queryset.filter(start__range=(wall_clock, wall_clock + timedelta(days=7)))
            case "over":
                return queryset.filter(ends_at__lt=now)
        return queryset
