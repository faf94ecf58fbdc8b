"""Filters of the list of meetings."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from meetings.queries.open_mail import with_outstanding, with_pending


class MailFilter(admin.SimpleListFilter):
    """By what is still to be told to the people of a meeting."""

    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("outstanding", _("Outstanding for at least one person")),
            ("pending", _("Pending")),
            ("told", _("Everybody told")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        outstanding, pending = (found().values("pk") for found in (with_outstanding, with_pending))
        match self.value():
            case "outstanding":
                return queryset.filter(pk__in=outstanding)
            case "pending":
                return queryset.filter(pk__in=pending)
            case "told":
                return queryset.exclude(pk__in=outstanding).exclude(pk__in=pending)
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
