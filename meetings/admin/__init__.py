"""Operators' pages at /admin/: everything can be looked at, nothing is changed by hand.

What an operator starts from here (cancel, resend) runs through the operations, as a program's call
does.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from meetings.admin.api_keys import ApiKeyAdmin
from meetings.admin.mail import DeliveryAdmin, MessageAdmin
from meetings.admin.meetings import MeetingAdmin

__all__ = ["ApiKeyAdmin", "DeliveryAdmin", "MeetingAdmin", "MessageAdmin"]

admin.site.site_header = "Meeting Server"
admin.site.site_title = "Meeting Server"
# There is no site beside these pages, and they are few: the room is for the lists.
admin.site.site_url = None
admin.site.enable_nav_sidebar = False
admin.site.index_title = _("Operators' pages")
