"""The paths below /meeting_server/."""

from django.urls import path, re_path

from meetings.api.calls.view import MeetingView
from meetings.api.errors import not_found

urlpatterns = [
    path("", MeetingView.as_view(), name="meetings"),
    re_path("", not_found),
]
