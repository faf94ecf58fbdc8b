"""Mails as they were sent, and their deliveries to each recipient."""

import zlib

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
from meetings.models import Delivery, DeliveryState, Mail, MailBytes, Meeting, Sender

_HEADERS = (
    "subject", "meeting_link", "method", "sequence", "recurrence_id", "stamp", "compared_with",
    "message_id", "envelope_from",
)  # fmt: skip
_CONTENT = ("file", "deliveries", "body", "calendar", "source")


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    """One mail. A meeting and a delivery link to it; there is no list of mails."""

    fieldsets = ((None, {"fields": _HEADERS}), (_("Mail"), {"fields": _CONTENT}))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # not in the index

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mail]:
        return super().get_queryset(request).select_related("meeting", "bytes")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        return [path("<int:object_id>/eml/", view, name="meetings_mail_eml"), *super().get_urls()]

    def file_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The exact bytes that the mail server got, as a file for any mail program."""
        mail = get_object_or_404(self.get_queryset(request), pk=object_id)
        if not self.has_view_permission(request, mail):
            raise PermissionDenied
        octets = _octets(mail)
        if octets is None:
            raise Http404
        name = f"{mail.meeting.ical_uid}-{mail.sequence}-{mail.method}.eml"
        disposition = content_disposition_header(
            as_attachment=True, filename=get_valid_filename(name)
        )
        headers = {"Content-Disposition": disposition or "attachment"}
        return HttpResponse(octets, content_type="message/rfc822", headers=headers)

    @admin.display(description=_("meeting"))
    def meeting_link(self, mail: Mail) -> SafeString:
        return _link_to(mail.meeting)

    @admin.display(description=_("file"))
    def file(self, mail: Mail) -> SafeString:
        octets = _octets(mail)
        if octets is None:
            return SafeString(_("no longer kept"))
        url = reverse("admin:meetings_mail_eml", args=[mail.pk])
        count = len(octets)
        size = ngettext("%(count)d byte", "%(count)d bytes", count) % {"count": count}
        return format_html('<a href="{}">{}</a> ({})', url, _("Download .eml"), size)

    @admin.display(description=_("deliveries"))
    def deliveries(self, mail: Mail) -> SafeString:
        url = reverse("admin:meetings_delivery_changelist")
        count = mail.deliveries.count()
        return format_html('<a href="{}?mail__id__exact={}">{}</a>', url, mail.pk, count)

    @admin.display(description=_("text"))
    def body(self, mail: Mail) -> SafeString:
        return _shown(read_parts(_octets(mail) or b"").text)

    @admin.display(description=_("calendar"))
    def calendar(self, mail: Mail) -> SafeString:
        return _shown(read_parts(_octets(mail) or b"").calendar)

    @admin.display(description=_("source"))
    def source(self, mail: Mail) -> SafeString:
        text = (_octets(mail) or b"").decode("utf-8", "replace")
        return format_html(
            '<details><summary>{}</summary><pre class="mail">{}</pre></details>', _("Show"), text
        )


def _octets(mail: Mail) -> bytes | None:
    """The mail's octets; None where they are no longer kept."""
    try:
        return zlib.decompress(mail.bytes.raw)
    except MailBytes.DoesNotExist:
        return None


def _link_to(meeting: Meeting) -> SafeString:
    url = reverse("admin:meetings_meeting_change", args=[meeting.pk])
    return format_html('<a href="{}">{}</a>', url, meeting.summary)


def _shown(text: str) -> SafeString:
    return format_html('<pre class="mail">{}</pre>', text) if text else SafeString("–")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Each mail to each person, and what the mail server said."""

    list_display = (
        "recipient",
        "state_chip",
        "method",
        "meeting_link",
        "attempt",
        "last_reply",
        "finished_at",
    )
    list_filter = ("state", "mail__method")
    list_select_related = ("mail", "meeting", "attendee")
    search_fields = ("attendee__address", "meeting__uid", "meeting__ical_uid", "meeting__summary")
    search_help_text = _("Address of the recipient, UID or subject of the meeting")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    fields = (
        "recipient", "state_chip", "attempt", "unknown_ends", "free_ends", "last_reply",
        "meeting_link", "mail_link", "sending_process", "created_at", "finished_at",
    )  # fmt: skip

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:  # type: ignore[override]
        # A meeting's page links to the deliveries of one of its versions.
        if lookup in ("mail__meeting__id__exact", "mail__sequence__exact"):
            return True
        return super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("recipient"), ordering="attendee__address")
    def recipient(self, delivery: Delivery) -> str:
        return delivery.attendee.address

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

    @admin.display(description=_("sending process"))
    def sending_process(self, delivery: Delivery) -> str:
        # The row of a process goes some time after its end.
        senders = Sender.objects.filter(pk__in=[delivery.sender_id])
        return str(senders.first() or "–")
