"""Who asks: what they see, and for whom they may speak."""

import pytest

from meetings.models import ApiKey
from meetings.operations.steps.call import Actor
from meetings.operations.steps.errors import SenderNotPermitted
from tests.support.cast import ALICE, MALLORY
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stories import send


@pytest.fixture
def api_key(db: None) -> ApiKey:
    key, _ = ApiKey.objects.create_key(name="HR", senders=["*@example.com"])
    assert isinstance(key, ApiKey)
    return key


def test_program_sees_only_its_own_meetings(mail_server: ScriptedSMTP, api_key: ApiKey) -> None:
    send()
    assert not Actor.of_key(api_key).meetings.exists()
    assert Actor.of_key(None).meetings.get().uid == "meeting-1"


@pytest.mark.usefixtures("db", "mail_server")
def test_operator_sees_every_meeting() -> None:
    send()
    assert Actor.operator("admin").meetings.get().uid == "meeting-1"


def test_program_speaks_for_the_senders_of_its_key(api_key: ApiKey) -> None:
    Actor.of_key(api_key).require_sender(ALICE.address.upper())
    with pytest.raises(SenderNotPermitted):
        Actor.of_key(api_key).require_sender(MALLORY)


def test_operator_speaks_for_everybody() -> None:
    Actor.operator("admin").require_sender(MALLORY)
