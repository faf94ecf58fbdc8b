"""The list of meetings, and the page of one meeting: its attendees, versions and mails."""

from typing import Any, Protocol

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from meetings.admin.actions import (
    CANCEL,
    RESEND,
    MeetingAction,
    bring_selected_up_to_date,
    run_action,
)
from meetings.admin.chips import chip, open_mail_chips
from meetings.admin.filters import MailFilter, TimeFilter
from meetings.admin.people import needs_mail, people_in_words
from meetings.admin.read_only import ReadOnlyAdmin
from meetings.admin.versions import version_in_words
from meetings.imip.wording.recurrence import recurrence_in_words
from meetings.imip.wording.when import when_in_words
from meetings.itip.event import Event
from meetings.models import Meeting, MeetingStatus
from meetings.models.outbox.look import look_at
from meetings.queries.history import VERSIONS_SHOWN, history_of
from meetings.queries.open_mail import OpenMail, open_mail
from meetings.queries.standing import Standing, standing_of

_TIME_AND_PLACE = ("when_in_words", "recurrence", "occurrences", "reminder_in_words", "location")
_TECHNICAL = (
    "client", "uid", "sequence", "whole_sequence", "plan", "due_at", "continues", "continues_from",
    "continuations", "start", "end", "tzid", "rrule", "exdates", "ends_at", "language", "thread",
    "created_at", "updated_at",
)  # fmt: skip


class MeetingList(ChangeList):
    """The list, with what is still to be told to the people of each meeting."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        found = open_mail(self.result_list)
        for meeting in self.result_list:
            meeting.open_mail = found[meeting.pk]


class _ListedMeeting(Protocol):
    """A meeting as ``MeetingList`` annotates it."""

    open_mail: OpenMail


class _ShownMeeting(Protocol):
    """A meeting as ``MeetingAdmin.get_object`` looked at it."""

    as_event: Event
    standing: Standing


@admin.register(Meeting)
class MeetingAdmin(ReadOnlyAdmin):
    """Meetings are read-only here. The actions run the same operations as calls."""

    list_display = (
        "subject",
        "when",
        "organizer_address",
        "sequence",
        "status_chip",
        "mail",
        "ical_uid",
    )
    list_filter = ("status", MailFilter, TimeFilter, ("client", admin.RelatedOnlyFieldListFilter))
    search_fields = ("uid", "ical_uid", "summary", "organizer_address", "attendees__address")
    search_help_text = _("UID, subject, address of the organizer or of an attendee")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    actions = ("cancel", "resend", "bring_up_to_date")
    fieldsets = (
        (None, {"fields": ("subject", "status_chip", "ical_uid", "organizer")}),
        (_("When and where"), {"fields": _TIME_AND_PLACE}),
        (_("Text"), {"fields": ("description", "comment")}),
        (_("Technical details"), {"classes": ("collapse",), "fields": _TECHNICAL}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Meeting]:
        return super().get_queryset(request).select_related("client")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return MeetingList

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<int:object_id>/{action.name}/",
                self.admin_site.admin_view(self.action_view),
                {"action": action},
                name=f"meetings_meeting_{action.name}",
            )
            for action in (CANCEL, RESEND)
        ]
        own.append(
            path(
                "<int:object_id>/bring_up_to_date/",
                self.admin_site.admin_view(require_POST(self.bring_up_to_date_view)),
                name="meetings_meeting_bring_up_to_date",
            )
        )
        return [*own, *super().get_urls()]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Meeting | None:
        meeting: Meeting | None = super().get_object(request, object_id, from_field)
        if meeting is None:
            return None
        found = look_at(meeting.pk)
        if found.stored is None:
            return None
        # Several fields of the page read what one look has found.
        vars(meeting).update(as_event=found.stored.event, standing=standing_of(found))
        return meeting

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        meeting = context["original"]
        history = history_of(meeting, most=None if "all" in request.GET else VERSIONS_SHOWN)
        may_resend = self.has_resend_permission(request)
        context |= {
            "people": people_in_words(meeting.standing),
            "attendee_count": sum(person.is_invited for person in meeting.standing.people),
            "versions": [version_in_words(found) for found in history.versions],
            "versions_left_out": history.left_out,
            "may_cancel": self.has_cancel_permission(request) and not meeting.is_cancelled,
            "may_resend": may_resend,
            "may_bring_up_to_date": may_resend and needs_mail(meeting.standing),
            "may_view_mail": request.user.has_perm("meetings.view_mail"),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def action_view(
        self, request: HttpRequest, object_id: int, action: MeetingAction
    ) -> HttpResponse:
        """An action on one meeting, from the meeting's page."""
        if not (self.has_view_permission(request) and request.user.has_perm(action.permission)):
            raise PermissionDenied
        meeting = get_object_or_404(Meeting, pk=object_id)
        response = run_action(self, request, Meeting.objects.filter(pk=meeting.pk), action)
        return response or redirect("admin:meetings_meeting_change", meeting.pk)

    def bring_up_to_date_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Bring one meeting up to date, from the meeting's page."""
        if not (self.has_view_permission(request) and self.has_resend_permission(request)):
            raise PermissionDenied
        meeting = get_object_or_404(Meeting, pk=object_id)
        self.bring_up_to_date(request, Meeting.objects.filter(pk=meeting.pk))
        return redirect("admin:meetings_meeting_change", meeting.pk)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CANCEL.permission)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RESEND.permission)

    @admin.action(permissions=["cancel"], description=_("Cancel selected %(verbose_name_plural)s"))
    def cancel(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> HttpResponse | None:
        return run_action(self, request, queryset, CANCEL)

    @admin.action(permissions=["resend"], description=_("Resend selected %(verbose_name_plural)s"))
    def resend(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> HttpResponse | None:
        return run_action(self, request, queryset, RESEND)

    @admin.action(
        permissions=["resend"], description=_("Bring selected %(verbose_name_plural)s up to date")
    )
    def bring_up_to_date(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        bring_selected_up_to_date(self, request, queryset)

    @admin.display(description=_("subject"), ordering="summary")
    def subject(self, meeting: Meeting) -> str:
        return meeting.summary

    @admin.display(description=_("start"), ordering="start")
    def when(self, meeting: Meeting) -> SafeString:
        """Wall-clock start and time zone; a series is marked with an arrow."""
        time_format = "%Y-%m-%d" if meeting.all_day else "%Y-%m-%d %H:%M"
        start = meeting.start.strftime(time_format)
        zone = _("all day") if meeting.all_day else meeting.tzid
        series = format_html(' <span title="{}">↻</span>', meeting.rrule) if meeting.rrule else ""
        return format_html(
            '<span class="nowrap">{}{}</span> <span class="quiet">{}</span>', start, series, zone
        )

    @admin.display(description=_("status"), ordering="status")
    def status_chip(self, meeting: Meeting) -> SafeString:
        return chip(MeetingStatus(meeting.status))

    @admin.display(description=_("mail"))
    def mail(self, meeting: _ListedMeeting) -> SafeString:
        return open_mail_chips(meeting.open_mail)

    @admin.display(description=_("organizer"))
    def organizer(self, meeting: Meeting) -> str:
        return f"{meeting.organizer_name} <{meeting.organizer_address}>".strip()

    @admin.display(description=_("time"))
    def when_in_words(self, meeting: _ShownMeeting) -> str:
        return when_in_words(meeting.as_event)

    @admin.display(description=_("recurrence"))
    def recurrence(self, meeting: _ShownMeeting) -> str:
        return recurrence_in_words(meeting.as_event) or "–"

    @admin.display(description=_("single occurrences"))
    def occurrences(self, meeting: Meeting) -> str:
        return "; ".join(map(str, meeting.overrides.all())) or "–"

    @admin.display(description=_("continued by"))
    def continuations(self, meeting: Meeting) -> SafeString:
        links = [
            (reverse("admin:meetings_meeting_change", args=[each.pk]), each.summary)
            for each in meeting.continued_by.order_by("continues_from")
        ]
        return format_html_join("; ", '<a href="{}">{}</a>', links) or SafeString("–")

    @admin.display(description=_("reminder"))
    def reminder_in_words(self, meeting: Meeting) -> str:
        if meeting.reminder is None:
            return "–"
        count = meeting.reminder
        return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}
