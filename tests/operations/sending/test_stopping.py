"""A process that is told to end begins nothing more, and what it sends has a little time."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from pytest_django import Settings

from meetings.models import Delivery, Meeting
from meetings.operations.steps.sending.ending import sending_ended
from meetings.operations.steps.sending.threads import sender_threads
from tests.support.background import deliver
from tests.support.beside import BEGUN, copies, in_a_thread
from tests.support.cast import BOB, CAROL
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import send
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("mail_server")]


def test_stop_lets_a_mail_end_and_begins_no_other(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1
    gate = mail_server.hold("dot")
    with sending_ended():
        assert send(budget=BEGUN).pending
        gate.wait_for_client()
        sender_threads.stop()
        gate.open()
    assert sorted(states()) == ["dropped", "sent"]
    assert Meeting.objects.get().due_at is not None
    deliver()
    assert copies(mail_server) == {BOB.address: 1, CAROL.address: 1}


def test_stop_cuts_what_takes_too_long(mail_server: ScriptedSMTP, settings: Settings) -> None:
    settings.MEETINGS_STOP_TIMEOUT = 0.0
    gate = mail_server.hold("dot")
    with sending_ended():
        assert send(budget=BEGUN).pending
        gate.wait_for_client()
    assert states() == ["unknown", "unknown"]
    assert set(Delivery.objects.values_list("unknown_ends", flat=True)) == {1}
    gate.open()
    mail_server.scripts["dot"] = "250 2.0.0 queued"
    deliver()
    assert states() == ["sent", "sent"]
    assert len({mail.raw for mail in mail_server.received}) == 1


@pytest.mark.parametrize("moment", ["mail", "data"])
def test_mail_that_is_cut_before_its_dot_goes_on(mail_server: ScriptedSMTP, moment: str) -> None:
    gate = mail_server.hold(moment)
    with ThreadPoolExecutor(1) as pool:
        call = in_a_thread(pool, partial(send, budget=PATIENCE))
        gate.wait_for_client()
        with sending_ended():
            sender_threads.stop(at_once=True)
        standing = call.result()
    gate.open()
    assert (standing.error, standing.pending) == ("", True)
    deliver()
    assert copies(mail_server) == {BOB.address: 1, CAROL.address: 1}


def test_stopped_process_begins_nothing(mail_server: ScriptedSMTP) -> None:
    sender_threads.stop()
    assert send(budget=PATIENCE).pending
    assert mail_server.connections == 0
    sender_threads.go_on()
    deliver()
    assert states() == ["sent", "sent"]
