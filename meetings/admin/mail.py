"""Each mail as it left, and what became of it with each recipient."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.text import get_valid_filename
from django.utils.translation import gettext_lazy as _

from meetings.admin.chips import chip
from meetings.admin.read_only import ReadOnlyAdmin
from meetings.models import Delivery, Mail, Meeting
from meetings.models.delivery import DeliveryQuerySet
from meetings.operations.try_again import try_again
from meetings.transport.third_party.frozen import parse


def _meeting_link(meeting: Meeting) -> SafeString:
    url = reverse("admin:meetings_meeting_change", args=[meeting.pk])
    return format_html('<a href="{}">{}</a>', url, meeting.summary)


@admin.register(Mail)
class MessageAdmin(ReadOnlyAdmin):
    """One mail: reached from its meeting or its deliveries, and so not listed by itself."""

    fieldsets = (
        (
            None,
            {
                "fields": (
                    "subject",
                    "meeting",
                    "method",
                    "sequence",
                    "dtstamp",
                    "message_id",
                    "envelope_from",
                )
            },
        ),
        (_("The mail"), {"fields": ("file", "deliveries", "body", "calendar", "source")}),
    )

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Not in the index."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mail]:
        """With the meeting."""
        return super().get_queryset(request).select_related("version__meeting")

    def get_urls(self) -> list[URLPattern]:
        """Django's, and the file."""
        view = self.admin_site.admin_view(self.file_view)
        return [path("<int:object_id>/eml/", view, name="meetings_mail_eml"), *super().get_urls()]

    def file_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The exact bytes that were handed to the mail server, as a file for any mail program."""
        message = get_object_or_404(self.get_queryset(request), pk=object_id)
        if not self.has_view_permission(request, message):
            raise PermissionDenied
        if message.raw is None:
            raise Http404
        name = get_valid_filename(
            f"{message.version.meeting.uid}-{message.version.sequence}-{message.method}.eml"
        )
        disposition = content_disposition_header(as_attachment=True, filename=name)
        headers = {"Content-Disposition": disposition or "attachment"}
        return HttpResponse(bytes(message.raw), content_type="message/rfc822", headers=headers)

    @admin.display(description=_("meeting"))
    def meeting(self, message: Mail) -> SafeString:
        """A link to it."""
        return _meeting_link(message.version.meeting)

    @admin.display(description="SEQUENCE")
    def sequence(self, message: Mail) -> int:
        """Of the version that the mail tells."""
        return message.version.sequence

    @admin.display(description=_("file"))
    def file(self, message: Mail) -> SafeString:
        """A link to it."""
        if message.raw is None:
            return SafeString(_("no longer kept"))
        url = reverse("admin:meetings_mail_eml", args=[message.pk])
        return format_html(
            '<a href="{}">{}</a> ({} bytes)', url, _("Download .eml"), len(message.raw)
        )

    @admin.display(description=_("deliveries"))
    def deliveries(self, message: Mail) -> SafeString:
        """A link to the list of them."""
        url = reverse("admin:meetings_delivery_changelist")
        return format_html(
            '<a href="{}?mail__id__exact={}">{}</a>', url, message.pk, message.deliveries.count()
        )

    @admin.display(description=_("text"))
    def body(self, message: Mail) -> SafeString:
        """The plain text, decoded."""
        return _part(message, "text/plain")

    @admin.display(description=_("calendar"))
    def calendar(self, message: Mail) -> SafeString:
        """The iCalendar object, decoded."""
        return _part(message, "text/calendar")

    @admin.display(description=_("source"))
    def source(self, message: Mail) -> SafeString:
        """The bytes as they are."""
        text = bytes(message.raw or b"").decode("utf-8", "replace")
        return format_html(
            '<details><summary>{}</summary><pre class="mail">{}</pre></details>', _("Show"), text
        )


def _part(message: Mail, content_type: str) -> SafeString:
    parts = [
        part
        for part in parse(bytes(message.raw or b"")).walk()
        if part.get_content_type() == content_type
    ]
    payload = parts[0].get_payload(decode=True) if parts else b""
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return (
        format_html('<pre class="mail">{}</pre>', text.replace("\r\n", "\n"))
        if text
        else SafeString("–")
    )


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """The outbox."""

    list_display = (
        "address",
        "condition",
        "method",
        "meeting_link",
        "attempt",
        "last_reply",
        "finished_at",
    )
    list_filter = ("state", "mail__method")
    search_fields = ("address", "meeting__uid", "meeting__summary")
    search_help_text = _("Address of the recipient, UID or subject of the meeting")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    actions = ("try_again",)
    fields = (
        "address", "condition", "attempt", "last_reply", "may_have_left", "meeting_link", "mail",
        "created_at", "due_at", "finished_at", "lease_until", "expires_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """With message and meeting, without the messages' bytes."""
        return super().get_queryset(request).select_related("mail", "meeting").defer("mail__raw")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:  # type: ignore[override]
        """A meeting's page links to the deliveries of one of its versions."""
        return lookup == "mail__version__id__exact" or super().lookup_allowed(
            lookup, value, request
        )

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whoever may mail a meeting again may have a failed delivery tried again."""
        return request.user.has_perm("meetings.resend_meeting")

    @admin.action(description=_("Try the failed ones again"), permissions=["resend"])
    def try_again(self, request: HttpRequest, queryset: DeliveryQuerySet) -> None:
        """The same bytes, in the background."""
        chosen = Delivery.objects.filter(pk__in=[delivery.pk for delivery in queryset])
        self.message_user(
            request, _("%d will be tried again, in the background.") % try_again(chosen)
        )

    @admin.display(description=_("state"), ordering="state")
    def condition(self, delivery: Delivery) -> SafeString:
        """The state, coloured."""
        return chip(delivery.state)

    @admin.display(description="METHOD")
    def method(self, delivery: Delivery) -> str:
        """Of the message."""
        return delivery.mail.method

    @admin.display(description=_("meeting"))
    def meeting_link(self, delivery: Delivery) -> SafeString:
        """A link to it."""
        return _meeting_link(delivery.meeting)

    @admin.display(description=_("mail"))
    def mail(self, delivery: Delivery) -> SafeString:
        """A link to it."""
        url = reverse("admin:meetings_mail_change", args=[delivery.mail.pk])
        return format_html('<a href="{}">{}</a>', url, delivery.mail)
