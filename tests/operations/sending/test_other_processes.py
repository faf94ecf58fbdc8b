"""What one process learns of the mail server from what others see of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from pytest_django import Settings

from meetings.deadline import Deadline
from meetings.models import Delivery, MailServer, Sender
from meetings.models.outbox import server
from meetings.models.outbox.state import ALL_WELL, MOST_HANGS
from meetings.operations.steps.sending import mail_server as known
from meetings.operations.steps.sending.sender import current_lease, renew_lease, renew_leases
from meetings.transport.outcome import Loss, Outcome, Phase, SendStatus
from meetings.transport.send import mails_without_reply
from tests.support.background import deliver, pass_time
from tests.support.beside import in_a_thread, rest
from tests.support.other_processes import another_process
from tests.support.servers.smtp_server import DEFAULTS, HANG, ScriptedSMTP
from tests.support.stories import queue, send
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.usefixtures("db", "mail_server", "knows_nothing_of_others")

SILENT = Outcome(SendStatus.DEFERRED, "no reply", phase=Phase.RCPT, loss=Loss.SILENT)


def test_heartbeat_says_when_the_mail_server_last_replied(mail_server: ScriptedSMTP) -> None:
    renew_lease(current_lease())
    assert Sender.objects.get().replied_at is None
    assert send().told
    renew_lease(current_lease())
    replied_at = Sender.objects.get().replied_at
    assert replied_at
    renew_lease(current_lease())
    again = Sender.objects.get().replied_at
    assert again
    assert abs(again - replied_at) < timedelta(seconds=1)  # the same moment, measured twice


def test_refusal_is_no_reply_that_shows_that_the_server_works(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["mail"] = "421 4.3.2 closing"
    assert send().error
    renew_lease(current_lease())
    assert Sender.objects.get().replied_at is None


def test_hang_is_none_where_another_process_got_a_reply_meanwhile(settings: Settings) -> None:
    settings.MEETINGS_LEASE = 30.0
    another_process(replied_ago=20)
    assert server.hung(lasted=30) is None
    assert not MailServer.objects.exists()
    state = server.hung(lasted=10)
    assert state
    assert state.hangs == 1


def test_hang_is_none_where_no_heartbeat_may_have_said_the_reply_yet(settings: Settings) -> None:
    settings.MEETINGS_LEASE = 30.0
    another_process(replied_ago=8)
    assert server.hung(lasted=1) is None


def test_hang_of_a_transaction_counts_from_its_begin(settings: Settings) -> None:
    settings.MEETINGS_LEASE = 30.0
    another_process(replied_ago=20)
    assert known.may_begin(Deadline(PATIENCE))
    known.learn([SILENT])
    assert MailServer.objects.get().hangs == 1


def test_probes_come_less_often_the_longer_a_server_hangs() -> None:
    closed_for = []
    for _ in range(MOST_HANGS + 5):
        state = server.hung(lasted=30, probes=True)
        assert state
        closed_for.append(round(state.closed_for))
        pass_time(hours=1)
    assert closed_for[: MOST_HANGS - 1] == [0] * (MOST_HANGS - 1)
    assert closed_for[MOST_HANGS - 1 :] == [5, 10, 20, 40, 60, 60]


def test_hangs_of_one_moment_put_off_no_probe() -> None:
    for _ in range(MOST_HANGS + 20):
        state = server.hung(lasted=30)
    assert state
    assert (state.hangs, round(state.closed_for)) == (MOST_HANGS, 5)


@contextmanager
def probe() -> Iterator[None]:
    """This thread's turn to try a server that hung."""
    for _ in range(MOST_HANGS):
        server.hung(lasted=30)
    pass_time(hours=1)
    renew_lease(current_lease())
    with known.turn():
        assert known.may_begin(Deadline(PATIENCE))
        yield


def test_hang_of_a_probe_is_counted() -> None:
    with probe():
        known.learn([SILENT])
    assert MailServer.objects.get().hangs == MOST_HANGS + 1


def test_turn_of_a_probe_that_hangs_ends_with_it_where_the_server_had_no_room_before() -> None:
    server.was_busy()
    with probe():
        assert server.was_busy().busy == 1  # another process is refused meanwhile
        known.learn([SILENT])
    pass_time(seconds=11)
    assert server.may_probe()


def test_hang_ends_no_pause_for_want_of_room() -> None:
    for _ in range(MOST_HANGS - 1):
        server.hung(lasted=30)
    for _ in range(4):
        pass_time(minutes=10)
        server.was_busy()
    server.hung(lasted=30)
    pass_time(seconds=11)
    assert not server.may_probe()


def test_probe_whose_hang_is_none_gives_its_turn_back() -> None:
    with probe():
        another_process(replied_ago=0)
        known.learn([SILENT])
    assert not server.may_probe()
    pass_time(seconds=6)
    assert server.may_probe()


def test_probe_that_hangs_lengthens_nobodys_pause(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = 0.05
    mail_server.scripts["rcpt"] = HANG
    for _ in range(MOST_HANGS):
        known.note(server.hung(lasted=30) or ALL_WELL)
    queue()
    for _ in range(3):
        pass_time(minutes=10)
        deliver()
    first = Delivery.objects.order_by("pk")[0]
    assert (first.attempt, first.free_ends) == (3, 3)
    mail_server.scripts["rcpt"] = DEFAULTS["rcpt"]
    pass_time(minutes=10)
    deliver()
    assert mail_server.accepted


@pytest.mark.django_db(transaction=True)
def test_log_says_that_the_server_is_silent_after_the_dot(
    mail_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(known, "_LONG", 0.0)
    gate = mail_server.hold("dot")
    with ThreadPoolExecutor(1) as pool:
        call = in_a_thread(pool, partial(send))
        gate.wait_for_client()
        wait_until(lambda: mails_without_reply(0.0) == 1, "the wait for the reply")
        renew_leases()
        gate.open()
        assert call.result().told
    rest()
    renew_leases()
    lines = [line for line in caplog.messages if "final dot" in line]
    assert lines == ["mail server: no reply to the final dot for 0 seconds: mails: 1"]
