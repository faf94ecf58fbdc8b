"""The pages of operators at /admin/. They show what is stored and change nothing by hand.

The actions (cancel, resend, bring up to date) run the same operations as the calls of a client.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from meetings.admin.api_keys import ApiKeyAdmin
from meetings.admin.mail import DeliveryAdmin, MailAdmin
from meetings.admin.meetings import MeetingAdmin
from meetings.admin.senders import SenderAdmin

__all__ = ["ApiKeyAdmin", "DeliveryAdmin", "MailAdmin", "MeetingAdmin", "SenderAdmin"]

admin.site.site_header = "Meeting Server"
admin.site.site_title = "Meeting Server"
admin.site.site_url = None  # there is no public site to link to
admin.site.enable_nav_sidebar = False  # few pages, and the lists need the width
admin.site.index_template = "admin/meetings/index.html"
admin.site.index_title = _("Operators' pages")
