"""Pages that show rows and never change them."""

from typing import Any

from django.contrib import admin
from django.forms import Media
from django.http import HttpRequest


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """No add, no change, no delete. Only the view permission has an effect here."""

    list_per_page = 50
    show_full_result_count = False  # the paginator has counted the table already

    @property
    def media(self) -> Media:
        return super().media + Media(css={"all": ["meetings/admin.css"]})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A stored meeting is what its attendees were told.
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A meeting's UID and SEQUENCE must not be forgotten (RFC 5546 §3.2.5).
        return False
