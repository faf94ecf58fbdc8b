"""What the actions of an operator have in common."""

import pytest
from django.contrib import messages
from django.db import OperationalError
from django.test import Client

from meetings.admin.actions import MOST_AT_ONCE
from meetings.admin.notices import refused
from meetings.itip.errors import ZoneNotExpressible
from meetings.models import Meeting
from meetings.operations.steps.errors import Conflict, UnknownMeeting
from tests.admin.pages import LIST, action_page, choose, notices
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import sent

pytestmark = pytest.mark.django_db


def test_action_on_unknown_meeting_is_404(admin_client: Client) -> None:
    assert admin_client.get(f"{LIST}4711/cancel/").status_code == 404


def test_unexpected_error_stops_one_meeting_only(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored, other = sent(uid="1", summary="One"), sent(uid="2", summary="Two")
    Meeting.objects.filter(pk=stored.pk).update(tzid="Atlantis/Capital")
    assert sorted(notices(choose(admin_client, "cancel", stored, other, reason=" "))) == [
        "One: An unexpected error occurred. The server log has the details.",
        "Two: cancelled; 2 told",
    ]
    assert Meeting.objects.get(status="CANCELLED") == other


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OperationalError("server closed the connection"), "The database is unavailable"),
        (UnknownMeeting("1"), "no longer stored"),
        (Conflict("uid", "This meeting is over."), "This meeting is over."),
        (ZoneNotExpressible("No rule fits."), "No rule fits."),
    ],
)
def test_each_refusal_becomes_a_sentence(error: Exception, sentence: str) -> None:
    notice = refused(error)
    assert sentence in notice.text
    assert notice.level == messages.ERROR


@pytest.mark.parametrize("name", ["cancel", "resend"])
def test_viewer_may_not_run_an_action(viewer: Client, mail_server: ScriptedSMTP, name: str) -> None:
    stored = sent()
    url = action_page(stored, name)
    assert viewer.get(url).status_code == 403
    confirmed = {"confirmed": "yes", "reason": "", "what": "all"}
    assert viewer.post(url, confirmed).status_code == 403
    choose(viewer, name, stored, reason=" ", what="all")
    assert not Meeting.objects.get().is_cancelled
    assert len(mail_server.accepted) == 1


def test_action_on_too_many_meetings_is_refused(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = sent()
    copies = [
        Meeting(**{field: getattr(stored, field) for field in COPIED}, uid=str(n), ical_uid=str(n))
        for n in range(MOST_AT_ONCE)
    ]
    Meeting.objects.bulk_create(copies)
    assert notices(choose(admin_client, "cancel", *Meeting.objects.all(), reason=" ")) == [
        "Select at most 100 meetings at once."
    ]
    assert not Meeting.objects.filter(status="CANCELLED").exists()


COPIED = (
    "client",
    "organizer_address",
    "summary",
    "start",
    "end",
    "tzid",
    "ends_at",
    "language",
)
