"""The paths below /meeting_server/."""

from django.urls import path, re_path

from meetings.api.errors import not_found
from meetings.api.views import MeetingView

urlpatterns = [
    path("", MeetingView.as_view(), name="meetings"),
    re_path("", not_found),
]
