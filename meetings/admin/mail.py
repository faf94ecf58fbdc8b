"""Mails as they were sent, and their deliveries to each recipient."""

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
from django.utils.translation import ngettext

from meetings.admin.chips import chip
from meetings.admin.read_only import ReadOnlyAdmin
from meetings.imip.parts import read_parts
from meetings.models import Delivery, DeliveryState, Mail, Meeting
from meetings.models.delivery import DeliveryQuerySet
from meetings.operations.try_again import try_again

_HEADERS = (
    "subject", "meeting", "method", "sequence", "dtstamp", "message_id", "envelope_from",
)  # fmt: skip
_CONTENT = ("file", "deliveries", "body", "calendar", "source")


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    """One mail. A meeting and a delivery link to it; there is no list of mails."""

    fieldsets = ((None, {"fields": _HEADERS}), (_("Mail"), {"fields": _CONTENT}))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # not in the index

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mail]:
        return super().get_queryset(request).select_related("version__meeting")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        return [path("<int:object_id>/eml/", view, name="meetings_mail_eml"), *super().get_urls()]

    def file_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The exact bytes that the mail server got, as a file for any mail program."""
        mail = get_object_or_404(self.get_queryset(request), pk=object_id)
        if not self.has_view_permission(request, mail):
            raise PermissionDenied
        if mail.raw is None:
            raise Http404
        name = f"{mail.version.meeting.ical_uid}-{mail.version.sequence}-{mail.method}.eml"
        disposition = content_disposition_header(
            as_attachment=True, filename=get_valid_filename(name)
        )
        headers = {"Content-Disposition": disposition or "attachment"}
        return HttpResponse(bytes(mail.raw), content_type="message/rfc822", headers=headers)

    @admin.display(description=_("meeting"))
    def meeting(self, mail: Mail) -> SafeString:
        return _link_to(mail.version.meeting)

    @admin.display(description="SEQUENCE")
    def sequence(self, mail: Mail) -> int:
        return mail.version.sequence

    @admin.display(description=_("file"))
    def file(self, mail: Mail) -> SafeString:
        if mail.raw is None:
            return SafeString(_("no longer kept"))
        url = reverse("admin:meetings_mail_eml", args=[mail.pk])
        count = len(mail.raw)
        size = ngettext("%(count)d byte", "%(count)d bytes", count) % {"count": count}
        return format_html('<a href="{}">{}</a> ({})', url, _("Download .eml"), size)

    @admin.display(description=_("deliveries"))
    def deliveries(self, mail: Mail) -> SafeString:
        url = reverse("admin:meetings_delivery_changelist")
        count = mail.deliveries.count()
        return format_html('<a href="{}?mail__id__exact={}">{}</a>', url, mail.pk, count)

    @admin.display(description=_("text"))
    def body(self, mail: Mail) -> SafeString:
        return _shown(read_parts(bytes(mail.raw or b"")).text)

    @admin.display(description=_("calendar"))
    def calendar(self, mail: Mail) -> SafeString:
        return _shown(read_parts(bytes(mail.raw or b"")).calendar)

    @admin.display(description=_("source"))
    def source(self, mail: Mail) -> SafeString:
        text = bytes(mail.raw or b"").decode("utf-8", "replace")
        return format_html(
            '<details><summary>{}</summary><pre class="mail">{}</pre></details>', _("Show"), text
        )


def _link_to(meeting: Meeting) -> SafeString:
    url = reverse("admin:meetings_meeting_change", args=[meeting.pk])
    return format_html('<a href="{}">{}</a>', url, meeting.summary)


def _shown(text: str) -> SafeString:
    return format_html('<pre class="mail">{}</pre>', text) if text else SafeString("–")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """The outbox."""

    list_display = (
        "address",
        "state_chip",
        "method",
        "meeting_link",
        "attempt",
        "last_reply",
        "finished_at",
    )
    list_filter = ("state", "mail__method")
    search_fields = ("address", "meeting__uid", "meeting__ical_uid", "meeting__summary")
    search_help_text = _("Address of the recipient, UID or subject of the meeting")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    actions = ("try_again",)
    fields = (
        "address", "state_chip", "attempt", "last_reply", "may_have_left", "meeting_link",
        "mail_link", "created_at", "due_at", "finished_at", "lease_until", "expires_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        # The bytes of a mail are large, and no column shows them.
        return super().get_queryset(request).select_related("mail", "meeting").defer("mail__raw")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:  # type: ignore[override]
        # A meeting's page links to the deliveries of one of its versions.
        if lookup == "mail__version__id__exact":
            return True
        return super().lookup_allowed(lookup, value, request)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("meetings.resend_meeting")

    @admin.action(description=_("Try failed deliveries again"), permissions=["resend"])
    def try_again(self, request: HttpRequest, queryset: DeliveryQuerySet) -> None:
        selected = Delivery.objects.filter(pk__in=[delivery.pk for delivery in queryset])
        count = try_again(selected)
        text = ngettext(
            "%(count)d delivery will be tried again in the background.",
            "%(count)d deliveries will be tried again in the background.",
            count,
        )
        self.message_user(request, text % {"count": count})

    @admin.display(description=_("state"), ordering="state")
    def state_chip(self, delivery: Delivery) -> SafeString:
        return chip(DeliveryState(delivery.state))

    @admin.display(description="METHOD")
    def method(self, delivery: Delivery) -> str:
        return delivery.mail.method

    @admin.display(description=_("meeting"))
    def meeting_link(self, delivery: Delivery) -> SafeString:
        return _link_to(delivery.meeting)

    @admin.display(description=_("mail"))
    def mail_link(self, delivery: Delivery) -> SafeString:
        url = reverse("admin:meetings_mail_change", args=[delivery.mail.pk])
        return format_html('<a href="{}">{}</a>', url, delivery.mail)
