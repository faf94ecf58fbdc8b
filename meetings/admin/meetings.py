"""The list of meetings, and one meeting with its people, its versions and its mails."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from meetings.admin.actions import CANCEL, RESEND, Errand, carry_out
from meetings.admin.chips import chip, standing_chips, standings
from meetings.admin.filters import MailFilter, TimeFilter
from meetings.admin.read_only import ReadOnlyAdmin
from meetings.imip.wording.when import recurrence_in_words, when_in_words
from meetings.models import Meeting
from meetings.queries.history import VERSIONS_SHOWN, history_of, people_of


class MeetingList(ChangeList):
    """The list, with the standing of each meeting's mails: one query for a whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page's meetings and count their mails."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        found = standings(self.result_list)
        for meeting in self.result_list:
            meeting.standing = found[meeting.pk]


_TIME_AND_PLACE = ("when_in_words", "recurrence", "occurrences", "reminder_in_words", "location")
_RECORD = (
    "api_key", "version", "continues", "continued_by", "dtstamp", "start", "end", "tzid", "rrule", "exdates",
    "ends_at", "language", "thread", "created_at", "updated_at",
)  # fmt: skip


@admin.register(Meeting)
class MeetingAdmin(ReadOnlyAdmin):
    """Read-only but for two errands: cancel, and mail again."""

    list_display = ("subject", "when", "organizer_address", "version", "state", "mail", "uid")
    list_filter = ("status", MailFilter, TimeFilter, ("api_key", admin.RelatedOnlyFieldListFilter))
    search_fields = ("uid", "summary", "organizer_address", "attendees__address")
    search_help_text = _("UID, subject, address of the organizer or of an attendee")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    actions = ("cancel", "resend")
    fieldsets = (
        (None, {"fields": ("subject", "state", "uid", "organizer")}),
        (_("When and where"), {"fields": _TIME_AND_PLACE}),
        (_("Text"), {"fields": ("description", "comment")}),
        (_("For the record"), {"classes": ("collapse",), "fields": _RECORD}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list with standings."""
        return MeetingList

    def get_urls(self) -> list[URLPattern]:
        """Django's, and a page for each errand on one meeting."""
        own = [
            path(
                f"<int:object_id>/{errand.name}/",
                self.admin_site.admin_view(self.errand_view),
                {"errand": errand},
                name=f"meetings_meeting_{errand.name}",
            )
            for errand in (CANCEL, RESEND)
        ]
        return [*own, *super().get_urls()]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Meeting | None:
        """One meeting with its people and occurrences, which several of the page's fields read."""
        meeting = super().get_object(request, object_id, from_field)
        if meeting is not None:
            prefetch_related_objects([meeting], "attendees", "overrides")
        return meeting

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """One meeting, with where it stands with each person, and its versions."""
        meeting = context["original"]
        context |= {
            "people": people_of(meeting),
            "history": history_of(meeting, most=None if "all" in request.GET else VERSIONS_SHOWN),
            "may_cancel": self.has_cancel_permission(request) and not meeting.is_cancelled,
            "may_resend": self.has_resend_permission(request),
            "may_view_mail": request.user.has_perm("meetings.view_mail"),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def errand_view(self, request: HttpRequest, object_id: str, errand: Errand) -> HttpResponse:
        """The page of an errand on one meeting, and afterwards the meeting's own page."""
        if not (
            self.has_view_permission(request)
            and getattr(self, f"has_{errand.name}_permission")(request)
        ):
            raise PermissionDenied
        meeting = get_object_or_404(Meeting, pk=object_id)
        answer = carry_out(self, request, Meeting.objects.filter(pk=meeting.pk), errand)
        return answer or redirect("admin:meetings_meeting_change", meeting.pk)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whether the operator may cancel meetings."""
        return request.user.has_perm("meetings.cancel_meeting")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whether the operator may have mails sent again."""
        return request.user.has_perm("meetings.resend_meeting")

    @admin.action(permissions=["cancel"], description=_("Cancel selected %(verbose_name_plural)s"))
    def cancel(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> HttpResponse | None:
        """Ask for the reason, then mail CANCELs."""
        return carry_out(self, request, queryset, CANCEL)

    @admin.action(
        permissions=["resend"], description=_("Mail selected %(verbose_name_plural)s again")
    )
    def resend(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> HttpResponse | None:
        """Ask to whom, then mail the current version again."""
        return carry_out(self, request, queryset, RESEND)

    @admin.display(description=_("subject"), ordering="summary")
    def subject(self, meeting: Meeting) -> str:
        """SUMMARY, under the name that callers and attendees know it by."""
        return meeting.summary

    @admin.display(description=_("start"), ordering="start")
    def when(self, meeting: Meeting) -> SafeString:
        """Wall-clock start and its zone; marked when it repeats."""
        start = (
            f"{meeting.start:%Y-%m-%d}" if meeting.all_day else f"{meeting.start:%Y-%m-%d %H:%M}"
        )
        zone = _("all day") if meeting.all_day else meeting.tzid
        series = format_html(' <span title="{}">↻</span>', meeting.rrule) if meeting.rrule else ""
        return format_html(
            '<span class="nowrap">{}{}</span> <span class="quiet">{}</span>', start, series, zone
        )

    @admin.display(description="SEQUENCE", ordering="sequence")
    def version(self, meeting: Meeting) -> int:
        """SEQUENCE, in a column that is not wider than it must be."""
        return meeting.sequence

    @admin.display(description=_("status"), ordering="status")
    def state(self, meeting: Meeting) -> SafeString:
        """STATUS."""
        return chip(meeting.status.lower())

    @admin.display(description=_("mail"))
    def mail(self, meeting: Any) -> SafeString:
        """How many people's mails of the current version stand where."""
        return standing_chips(meeting.standing)

    @admin.display(description=_("organizer"))
    def organizer(self, meeting: Meeting) -> str:
        """Name and address."""
        return f"{meeting.organizer_name} <{meeting.organizer_address}>".strip()

    @admin.display(description=_("time"))
    def when_in_words(self, meeting: Meeting) -> str:
        """As the mail says it."""
        return when_in_words(meeting.event())

    @admin.display(description=_("recurrence"))
    def recurrence(self, meeting: Meeting) -> str:
        """As the mail says it."""
        return recurrence_in_words(meeting.event()) or "–"

    @admin.display(description=_("single occurrences"))
    def occurrences(self, meeting: Meeting) -> str:
        """Those that were changed or cancelled alone."""
        return "; ".join(str(override) for override in meeting.overrides.all()) or "–"

    @admin.display(description=_("reminder"))
    def reminder_in_words(self, meeting: Meeting) -> str:
        """Minutes before the start."""
        return "–" if meeting.reminder is None else f"{meeting.reminder} min"
