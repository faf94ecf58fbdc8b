"""What an operator's browser does: reach a page, choose an action, answer the page that asks."""

from typing import Any

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
    """A meeting's address in the admin."""
    return reverse("admin:meetings_meeting_change", args=[meeting.pk])


def choose(client: Client, action: str, *meetings: Meeting, **answers: str) -> Any:
    """Choose an action for meetings of the list; with ``answers`` also answer the page that asks."""
    given = {"action": action, "_selected_action": [meeting.pk for meeting in meetings], **answers}
    return client.post(LIST, given | ({"confirmed": "yes"} if answers else {}))


def told(response: Any) -> list[str]:
    """What the operator is told at the top of the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]
