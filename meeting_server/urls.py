"""Where requests go: the API at /meeting_server/, the operators' pages at /admin/."""

from django.contrib import admin
from django.urls import include, path

from meetings.api.calls.view import MeetingView

urlpatterns = [
    path("meeting_server/", include("meetings.api.urls")),
    # A POST without the slash would be redirected and so lose its body.
    path("meeting_server", MeetingView.as_view()),
    path("admin/", admin.site.urls),
]

handler400 = "meetings.api.errors.bad_request"
handler500 = "meetings.api.errors.server_error"
