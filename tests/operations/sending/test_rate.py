"""The mail server is given so many mails a minute, by all processes together."""

import pytest
from pytest_django import Settings

from meetings.models.outbox import server
from meetings.operations import work
from tests.support.background import deliver, pass_time
from tests.support.cast import BOB, CAROL
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import recipients, send

pytestmark = pytest.mark.usefixtures("db", "mail_server")

QUEUED = {BOB.address: "queued", CAROL.address: "queued"}


def test_rate_spreads_mails_evenly(settings: Settings) -> None:
    settings.MEETINGS_SMTP_RATE = 60.0
    waits = [server.take_slot(patience=10.0) for _ in range(4)]
    # Not quite a second apart: a mail that leaves a little late is no 61st of a minute.
    assert [round(wait, 1) for wait in waits if wait is not None] == [0.0, 1.0, 2.1, 3.1]
    assert server.take_slot(patience=1.0) is None
    pass_time(minutes=1)
    assert server.take_slot(patience=0.0) == 0.0
    assert server.take_slot(patience=0.0) is None


def test_call_beyond_the_rate_is_left_to_the_background(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_RATE = 1.0
    assert send().told
    assert recipients(send(uid="meeting-2", budget=1)) == QUEUED
    assert work.claim() == []
    pass_time(minutes=1)
    deliver()
    assert states() == ["sent", "sent", "dropped", "dropped", "sent", "sent"]
