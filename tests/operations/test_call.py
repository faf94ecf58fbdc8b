"""Who asks: what they see, and for whom they may speak."""

import pytest
from django.utils import timezone

from meetings.deadline import Deadline
from meetings.models import ApiKey, Meeting
from meetings.operations.send_meeting import send_meeting
from meetings.operations.steps.call import Actor, Send
from meetings.operations.steps.errors import SenderNotPermitted
from tests.support.cast import ALICE, MALLORY, meeting
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stories import hr_system, send


@pytest.fixture
def api_key(db: None) -> ApiKey:
    return ApiKey.objects.create_key(name="HR", senders=["*@example.com"])[0]


def test_program_sees_only_meetings_of_its_client(
    mail_server: ScriptedSMTP, api_key: ApiKey
) -> None:
    send()
    assert hr_system().meetings.get().uid == "meeting-1"
    assert not Actor.of_key(api_key).meetings.exists()


@pytest.mark.usefixtures("mail_server")
def test_keys_of_one_client_see_the_same_meetings(api_key: ApiKey) -> None:
    send_meeting(
        Send(event=meeting(), language="en"),
        Actor.of_key(api_key),
        now=timezone.now(),
        deadline=Deadline(0),
    )
    another, _ = ApiKey.objects.create_key(name="HR 2", senders=[], client=api_key.client)
    assert Actor.of_key(another).meetings.get().uid == "meeting-1"


@pytest.mark.usefixtures("db", "mail_server")
def test_operator_acts_for_the_client_that_owns_the_meeting() -> None:
    send()
    stored = Meeting.objects.get()
    assert Actor.operator("admin", stored.client).meetings.get() == stored


def test_program_speaks_for_the_senders_of_its_key(api_key: ApiKey) -> None:
    Actor.of_key(api_key).require_sender(ALICE.address.upper())
    with pytest.raises(SenderNotPermitted):
        Actor.of_key(api_key).require_sender(MALLORY)


def test_operator_speaks_for_everybody(api_key: ApiKey) -> None:
    Actor.operator("admin", api_key.client).require_sender(MALLORY)
