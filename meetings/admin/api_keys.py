"""API keys: made here or by ``create_api_key``, shown once, and revoked."""

from typing import Any, Protocol

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import APIKey as LibraryApiKey

from meetings.models import ApiKey
from meetings.models.api_key import sender_pattern

# Only our own keys give access to the API. The library's keys name no senders.
admin.site.unregister(LibraryApiKey)


class SendersField(forms.CharField):
    """A list of sender patterns, edited one per line."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 40})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        lines = super().clean(value).split("\n")
        return [sender_pattern(line) for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        # The stored value is a list. A browser sends text, with CRLF.
        text = "\n".join(str(data or "").splitlines())
        return bool(super().has_changed(self.prepare_value(initial), text))


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A key, with its senders as lines."""

    senders = SendersField(
        label=_("Senders"),
        help_text=_(
            "Senders that this key may use, one per line:"
            " an address, or a pattern such as *@example.com."
        ),
    )


class _CountedKey(Protocol):
    """A key as ``ApiKeyAdmin.get_queryset`` annotates it."""

    meeting_count: int


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A new key is shown once. A revoked key stays revoked."""

    form = ApiKeyForm
    list_display = (
        "name",
        "client",
        "prefix",
        "sender_patterns",
        "meetings",
        "created",
        "expiry_date",
        "has_expired",
        "revoked",
    )
    list_filter = ("revoked", "created")
    list_select_related = ("client",)
    search_fields = ("name", "client__name", "prefix")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        queryset: QuerySet[ApiKey] = super().get_queryset(request)
        return queryset.annotate(meeting_count=Count("client__meetings"))

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        fields = ("name", "senders", "respond_async", "expiry_date")
        return (*fields, "client", "prefix", "revoked") if obj else fields

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> tuple[str, ...]:
        # A revoked key stays as a record of who could call.
        return self.get_fields(request, obj) if obj and obj.revoked else ("client", "prefix")

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        # Without its key a client could no longer reach its meetings. Such a key is revoked.
        if obj is not None and obj.client.meetings.exists():
            return False
        return bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            obj.save()
            return
        key = ApiKey.objects.assign_key(obj)
        obj.save()
        text = _(
            "The key of {} is {}. Store it now. Only its hash is kept, so it cannot be shown again."
        )
        shown = format_html('<code class="key">{}</code>', key)
        self.message_user(request, format_html(str(text), obj.name, shown), messages.WARNING)

    @admin.display(description=_("senders"))
    def sender_patterns(self, key: ApiKey) -> str:
        return ", ".join(key.senders)

    @admin.display(description=_("expired"), boolean=True, ordering="expiry_date")
    def has_expired(self, key: ApiKey) -> bool:
        return bool(key.has_expired)

    @admin.display(description=_("meetings"), ordering="meeting_count")
    def meetings(self, key: _CountedKey) -> int:
        return key.meeting_count
