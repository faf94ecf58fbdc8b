"""What one process learns of the mail server from what others see of it."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from pytest_django import Settings

from meetings.deadline import Deadline
from meetings.models import Delivery, MailServer, Sender
from meetings.models.outbox import server
from meetings.models.outbox.state import ALL_WELL, MOST_HANGS
from meetings.operations.steps.sending import mail_server as known
from meetings.operations.steps.sending.sender import current_lease, renew_lease, renew_leases
from meetings.transport.outcome import Loss, Outcome, Phase, SendStatus
from meetings.transport.send import connections_allowed, mails_without_reply
from meetings.transport.smtp.pool import lend
from meetings.transport.smtp.pooled import Limits
from meetings.transport.smtp.session import Server
from tests.support.background import deliver, pass_time
from tests.support.beside import in_a_thread, rest
from tests.support.cast import BOB, CAROL
from tests.support.servers.smtp_server import (
    DEFAULTS,
    HANG,
    TOO_MANY_CONNECTIONS,
    ScriptedSMTP,
)
from tests.support.stories import queue, recipients, send
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.usefixtures("db", "mail_server")

SILENT = Outcome(SendStatus.DEFERRED, "no reply", phase=Phase.RCPT, loss=Loss.SILENT)


@pytest.fixture(autouse=True)
def knows_nothing_of_others(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test has taught this process is forgotten."""
    monkeypatch.setattr(known, "_replied_at", None)
    monkeypatch.setattr(known, "_told_others_at", -known._PATIENCE)
    yield
    known.note(ALL_WELL)


def ago(seconds: float | None) -> CombinedExpression | None:
    return None if seconds is None else Now() - timedelta(seconds=seconds)


def another_process(
    *, served_ago: float | None = None, replied_ago: float | None = None, alive: bool = True
) -> Sender:
    """One that last had a connection, or a reply, so many seconds ago; None for never."""
    return Sender.objects.create(
        kind="web",
        host="b",
        alive_until=Now() + timedelta(seconds=60 if alive else -60),
        served_at=ago(served_ago),
        replied_at=ago(replied_ago),
    )


def turned_away() -> int:
    return MailServer.objects.values_list("turned_away", flat=True).first() or 0


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


def test_process_without_a_connection_waits_while_another_is_served(
    mail_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.transport.smtp.pool._BETWEEN_TRIES", 0.01)
    another_process(served_ago=5)
    refused = [TOO_MANY_CONNECTIONS] * 3
    mail_server.scripts["banner"] = [*refused, DEFAULTS["banner"]]
    assert send().told
    assert turned_away() == 1  # it says so once in a while
    assert MailServer.objects.get().paused_until is None


@pytest.mark.parametrize(
    ("served_ago", "alive"), [(-60.0, False), (60.0, True)], ids=["dead", "long ago"]
)
def test_server_that_serves_nobody_is_left_alone(
    mail_server: ScriptedSMTP, settings: Settings, served_ago: float, alive: bool
) -> None:
    settings.MEETINGS_LEASE = 30.0
    another_process(served_ago=served_ago, alive=alive)
    mail_server.scripts["banner"] = TOO_MANY_CONNECTIONS
    assert send().error
    assert MailServer.objects.filter(paused_until__gt=Now(), busy=1).exists()


def test_process_that_is_refused_waits_for_what_others_are_about_to_say(
    mail_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.transport.smtp.pool._BETWEEN_TRIES", 0.01)
    monkeypatch.setattr(time, "sleep", lambda _: another_process(served_ago=0))
    mail_server.scripts["banner"] = [TOO_MANY_CONNECTIONS, DEFAULTS["banner"]]
    assert send().told
    assert not MailServer.objects.filter(paused_until__isnull=False).exists()


def test_heartbeat_says_that_a_connection_is_there_before_any_reply(
    mail_server: ScriptedSMTP,
) -> None:
    ours = current_lease()
    renew_lease(ours)
    assert Sender.objects.get().served_at is None
    server_ = Server(host=mail_server.host, port=mail_server.port, our_name="a.example.com")
    with lend(server_, Limits(), Deadline(PATIENCE)) as place:
        place.open(Deadline(PATIENCE))
        renew_lease(ours)
        sender = Sender.objects.get()
        assert sender.served_at
        assert sender.replied_at is None


def test_process_is_not_served_by_its_own_replies(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    assert send().told
    renew_lease(current_lease())
    mail_server.drop_connections()
    mail_server.scripts["banner"] = TOO_MANY_CONNECTIONS
    assert send(uid="meeting-2").error
    assert MailServer.objects.get().busy == 1


def test_pause_that_another_process_has_begun_holds(
    mail_server: ScriptedSMTP, django_assert_num_queries: Any
) -> None:
    another_process(served_ago=5)
    server.was_busy()
    ours = current_lease().sender_id
    with django_assert_num_queries(1):
        assert not known.is_served_elsewhere(ours)


def test_process_makes_way_when_it_hears_of_one_that_was_turned_away(
    mail_server: ScriptedSMTP,
) -> None:
    assert send().told
    renew_lease(current_lease())
    known.is_served_elsewhere(another_process(served_ago=5).pk)
    assert connections_allowed() == 8  # not for itself
    other = another_process(served_ago=5)
    assert server.was_turned_away(other.pk, counts=False)
    renew_lease(current_lease())
    assert connections_allowed() == 8
    assert server.was_turned_away(other.pk, counts=True)
    renew_lease(current_lease())
    assert connections_allowed() == 1
    wait_until(lambda: "QUIT" in mail_server.verbs(), "the end of the idle connection")


def test_new_process_makes_no_way_for_what_was_long_before(
    mail_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send().told
    monkeypatch.setattr(known, "_turned_away", None)
    MailServer.objects.create(turned_away=7)
    renew_lease(current_lease())
    assert connections_allowed() == 8


def test_mail_that_was_too_much_at_once_goes_on_without_its_call(
    mail_server: ScriptedSMTP,
) -> None:
    mail_server.scripts["dot"] = ["432 4.3.2 sender thread limit exceeded", DEFAULTS["dot"]]
    another = Server(host=mail_server.host, port=mail_server.port, our_name="another.example.com")
    with lend(another, Limits(), Deadline(PATIENCE)):
        standing = send()
    assert recipients(standing) == {BOB.address: "queued", CAROL.address: "queued"}
    deliver()
    assert [len(mail.recipients) for mail in mail_server.accepted] == [2]
    assert set(Delivery.objects.values_list("free_ends", flat=True)) == {1}


def test_mail_that_is_too_much_beside_those_of_others_goes_on_after_a_pause(
    mail_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.transport.smtp.pool._BETWEEN_TRIES", 0.01)
    another_process(served_ago=5)
    mail_server.scripts["dot"] = ["432 4.3.2 sender thread limit exceeded", DEFAULTS["dot"]]
    assert recipients(send()) == {BOB.address: "queued", CAROL.address: "queued"}
    deliver()
    assert not mail_server.accepted
    assert connections_allowed() == 1
    pass_time(minutes=1)
    deliver()
    assert [len(mail.recipients) for mail in mail_server.accepted] == [2]
    assert set(Delivery.objects.values_list("free_ends", flat=True)) == {0}


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
