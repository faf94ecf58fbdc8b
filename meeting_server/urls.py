"""Where requests go: the API at /meeting_server/, the operators' pages at /admin/."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from meetings.api.calls.view import MeetingView

# A POST that misses the endpoint must not be redirected to a login page.
to_admin = RedirectView.as_view(pattern_name="admin:index", http_method_names=["get", "head"])

urlpatterns = [
    path("", to_admin),
    path("meeting_server/", include("meetings.api.urls")),
    # A POST without the slash would be redirected and would lose its body.
    path("meeting_server", MeetingView.as_view()),
    path("admin/", admin.site.urls),
]

handler400 = "meetings.api.errors.bad_request"
handler500 = "meetings.api.errors.server_error"
