"""Who asks: what they see, and for whom they may speak."""

import pytest
from django.utils import timezone

from meetings.deadline import Deadline
from meetings.models import ApiKey, Meeting
from meetings.models.outbox.look import look
from meetings.operations.send_meeting import send_meeting
from meetings.operations.steps.call import Actor, Send
from meetings.operations.steps.errors import SenderNotPermitted
from tests.support.cast import ALICE, MALLORY, meeting
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stories import UID, hr_system, send


@pytest.fixture
def api_key(db: None) -> ApiKey:
    return ApiKey.objects.create_key(name="HR", senders=["*@example.com"])[0]


def sees(actor: Actor) -> bool:
    """Whether the meeting is one of the actor's client."""
    return look(actor.client, UID).stored is not None


def test_program_sees_only_meetings_of_its_client(
    mail_server: ScriptedSMTP, api_key: ApiKey
) -> None:
    send()
    assert sees(hr_system())
    assert not sees(Actor.of_key(api_key))


@pytest.mark.usefixtures("mail_server")
def test_keys_of_one_client_see_the_same_meetings(api_key: ApiKey) -> None:
    send_meeting(
        Send(event=meeting(), language="en"),
        Actor.of_key(api_key),
        now=timezone.now(),
        deadline=Deadline(0),
    )
    another, _ = ApiKey.objects.create_key(name="HR 2", senders=[], client=api_key.client)
    assert sees(Actor.of_key(another))


@pytest.mark.usefixtures("db", "mail_server")
def test_operator_acts_for_the_client_that_owns_the_meeting() -> None:
    send()
    assert sees(Actor.operator("admin", Meeting.objects.get().client))


def test_program_speaks_for_the_senders_of_its_key(api_key: ApiKey) -> None:
    Actor.of_key(api_key).require_sender(ALICE.address.upper())
    with pytest.raises(SenderNotPermitted):
        Actor.of_key(api_key).require_sender(MALLORY)


def test_operator_speaks_for_everybody(api_key: ApiKey) -> None:
    Actor.operator("admin", api_key.client).require_sender(MALLORY)
