"""The loop of one machine: what it delivers, how it ends, and that several are as safe as one."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from meetings.models import Delivery, DeliveryState
from tests.operations.test_record import Away, away
from tests.support.background import Process, environment, queue, states, wait_until
from tests.support.smtp_server import HANG, ScriptedSMTP

__all__ = ["away"]

Start = Callable[..., Process]


@pytest.fixture
def own_signals() -> Iterator[None]:
    """The command sets handlers of its own; the tests' are put back."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def start(transactional_db: None, mail_server: ScriptedSMTP, tmp_path: Path) -> Iterator[Start]:
    """Start ``manage.py deliver_mail``; all of them have ended when the test has."""
    running: list[Process] = []

    def one(*options: str) -> Process:
        log = tmp_path / f"deliver_mail-{len(running)}.log"
        env = environment(mail_server, LOG_LEVEL="INFO")
        running.append(Process(log, env, "manage.py", "deliver_mail", *options))
        return running[-1]

    yield one
    for process in running:
        process.close()


def done() -> bool:
    return set(states()) == {DeliveryState.SENT}


@pytest.mark.usefixtures("db", "own_signals")
def test_once_delivers_what_is_due_and_ends(mail_server: ScriptedSMTP) -> None:
    for number in range(3):
        queue(f"meeting-{number}")
    call_command("deliver_mail", "--once")
    assert done()
    assert len(mail_server.received) == 3


@pytest.mark.usefixtures("transactional_db", "own_signals", "mail_server")
def test_once_ends_also_when_somebody_else_has_in_hand_what_is_due() -> None:
    queue()
    locked, ended = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                list(Delivery.objects.select_for_update())
                locked.set()
                ended.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        locked.wait()
        call_command("deliver_mail", "--once")
        assert not held.done()
        ended.set()
    assert set(states()) == {DeliveryState.QUEUED}


@pytest.mark.usefixtures("transactional_db", "own_signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("options", [(), ("--once",)], ids=["loop", "once"])
def test_a_signal_ends_it_after_the_message_in_hand(
    mail_server: ScriptedSMTP, number: signal.Signals, options: tuple[str, ...]
) -> None:
    queue("one")
    queue("two")

    def interrupt(_: str) -> str:
        os.kill(os.getpid(), number)
        return "250 2.0.0 queued"

    mail_server.scripts["dot"] = interrupt
    call_command("deliver_mail", *options)
    assert states() == [DeliveryState.SENT] * 2 + [DeliveryState.QUEUED] * 2
    assert len(mail_server.received) == 1


def test_the_process_delivers_what_comes_and_ends_with_success_when_it_is_told_to(
    start: Start,
) -> None:
    process = start()
    queue("one")
    wait_until(done, "the first")
    queue("two")
    wait_until(done, "the second")
    process.signal(signal.SIGTERM)
    assert process.wait() == 0


def test_a_process_that_is_told_to_end_while_a_mail_is_under_way_records_it_first(
    start: Start, mail_server: ScriptedSMTP
) -> None:
    queue("one")
    queue("two")
    at_the_dot, go_on = threading.Event(), threading.Event()

    def dot(_: str) -> str:
        at_the_dot.set()
        go_on.wait(30)
        return "250 2.0.0 queued"

    mail_server.scripts["dot"] = dot
    process = start()
    assert at_the_dot.wait(30)
    process.signal(signal.SIGTERM)
    assert process.process.poll() is None
    go_on.set()
    assert process.wait() == 0
    assert states() == [DeliveryState.SENT] * 2 + [DeliveryState.QUEUED] * 2


def test_two_copies_send_each_mail_once(start: Start, mail_server: ScriptedSMTP) -> None:
    for number in range(40):
        queue(f"meeting-{number}")
    start()
    start()
    wait_until(done, "all of them")
    # Two may share the recipients of one message between them, so it is pairs that must be unique.
    got = [
        (transaction.raw, address)
        for transaction in mail_server.received
        for address in transaction.recipients
    ]
    assert (len(set(got)), len(got)) == (80, 80)


def test_what_a_killed_process_had_claimed_is_sent_by_another_when_the_lease_ends(
    start: Start, mail_server: ScriptedSMTP
) -> None:
    queue()
    mail_server.scripts["mail"] = HANG
    killed = start()
    wait_until(lambda: set(states()) == {DeliveryState.SENDING}, "its claim")
    killed.signal(signal.SIGKILL)
    killed.wait()
    mail_server.scripts["mail"] = "250 ok"
    start()
    queue("another")
    wait_until(lambda: states()[2:] == [DeliveryState.SENT] * 2, "what nobody had claimed")
    assert states()[:2] == [DeliveryState.SENDING] * 2
    Delivery.objects.filter(state=DeliveryState.SENDING).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
    wait_until(done, "what the killed one had claimed")
    assert len(mail_server.accepted) == 2


def test_it_outlives_a_database_that_goes_away_and_says_so_once(start: Start, away: Away) -> None:
    process = start()
    queue("one")
    wait_until(done, "the first")
    away(1.5)
    wait_until(lambda: "the database is away" in process.said(), "its complaint")
    wait_until(lambda: _queued("two"), "the database")
    wait_until(done, "the second")
    assert process.said().count("the database is away") == 1
    assert process.process.poll() is None


def _queued(uid: str) -> bool:
    try:
        return queue(uid).pending
    except OperationalError:
        connection.close()
        return False
