"""What an operator does in a browser: open a page, choose an action, submit its form."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from meetings.models import Meeting

LIST = "/admin/meetings/meeting/"


def page(client: Client, url: str) -> str:
    """The page's HTML."""
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def page_of(meeting: Meeting) -> str:
    """The path of a meeting's page."""
    return reverse("admin:meetings_meeting_change", args=[meeting.pk])


def choose(client: Client, action: str, *meetings: Meeting, **values: str) -> Any:
    """Choose an action for meetings of the list. With ``values``, also submit its form."""
    form = {"action": action, "_selected_action": [meeting.pk for meeting in meetings], **values}
    return client.post(LIST, form | ({"confirmed": "yes"} if values else {}))


def notices(response: Any) -> list[str]:
    """The messages to the operator, which the next page shows at its top."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def action_page(meeting: Meeting, name: str) -> str:
    """The path of an action on one meeting."""
    return reverse(f"admin:meetings_meeting_{name}", args=[meeting.pk])


def log_entries() -> list[str]:
    """What the admin's log has, oldest first."""
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
