"""API keys: made here or by ``create_api_key``, shown once, revoked, never shown again."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import APIKey as LibrarysOwnKey

from meetings.models import ApiKey
from meetings.models.api_key import sender_pattern

# The API asks for keys of ours, which name their senders: the library's own open nothing.
admin.site.unregister(LibrarysOwnKey)


class SendersField(forms.CharField):
    """A list of sender patterns, edited one per line."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 40})

    def prepare_value(self, value: Any) -> Any:
        """The list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """The lines as a list."""
        return [sender_pattern(line) for line in super().clean(value).split("\n") if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists with lists."""
        return bool(
            super().has_changed(
                self.prepare_value(initial), "\n".join(str(data or "").splitlines())
            )
        )


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A key's name, senders, and end."""

    senders = SendersField(
        help_text=_(
            "Who may be the sender of a meeting that is sent with this key, one on each line: an address, or a pattern"
            " such as *@example.com."
        )
    )


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Making a key shows it once; revoking it is a tick that cannot be taken back."""

    form = ApiKeyForm
    list_display = (
        "name",
        "prefix",
        "speaks_for",
        "meetings",
        "created",
        "expiry_date",
        "has_expired",
        "revoked",
    )
    list_filter = ("revoked", "created")
    search_fields = ("name", "prefix")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """With the number of meetings."""
        queryset: QuerySet[ApiKey] = super().get_queryset(request)
        return queryset.annotate(meetings_made=Count("meetings"))

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """A new key has no prefix yet, and nobody makes one to revoke it."""
        return (
            "name",
            "senders",
            "respond_async",
            "expiry_date",
            *(("prefix", "revoked") if obj else ()),
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> tuple[str, ...]:
        """Of a revoked key everything: it is kept for the record."""
        fields = self.get_fields(request, obj)
        return fields if obj and obj.revoked else ("prefix",)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Save, and show a new key: this once."""
        if change:
            obj.save()
            return
        key = ApiKey.objects.assign_key(obj)
        obj.save()
        text = _(
            "The key of {} is {} – store it now: it is kept hashed, and cannot be shown again."
        )
        self.message_user(
            request,
            format_html(str(text), obj.name, format_html('<code class="key">{}</code>', key)),
            messages.WARNING,
        )

    @admin.display(description=_("senders"))
    def speaks_for(self, key: ApiKey) -> str:
        """Its patterns."""
        return ", ".join(key.senders)

    @admin.display(description=_("expired"), boolean=True, ordering="expiry_date")
    def has_expired(self, key: ApiKey) -> bool:
        """Whether its time is over."""
        return bool(key.has_expired)

    @admin.display(description=_("meetings"), ordering="meetings_made")
    def meetings(self, key: Any) -> int:
        """How many were sent with it."""
        return int(key.meetings_made)
