"""``manage.py deliver_mail``: what it delivers, how it ends, and several at once."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from meetings.models import Meeting
from tests.support.background import end_leases
from tests.support.cast import BOB
from tests.support.readers.mail import mails_to
from tests.support.servers.database import Outage, another_session
from tests.support.servers.environments import on_test_database
from tests.support.servers.processes import Process
from tests.support.servers.smtp_server import HANG, ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import queue
from tests.support.waiting import wait_until

Start = Callable[..., Process]


@pytest.fixture
def start_loop(
    transactional_db: None, mail_server: ScriptedSMTP, tmp_path: Path
) -> Iterator[Start]:
    """Start ``manage.py deliver_mail``. The processes end with the test."""
    with ExitStack() as running:
        numbers = count()

        def start(*options: str) -> Process:
            log = tmp_path / f"deliver_mail-{next(numbers)}.log"
            env = on_test_database(mail_server)
            return running.enter_context(Process(log, env, "manage.py", "deliver_mail", *options))

        yield start


def done() -> bool:
    """Whether everybody was told."""
    return set(states()) == {"sent"} and not due()


def due() -> list[str]:
    """The meetings whose people are to be told something."""
    found = Meeting.objects.exclude(due_at=None).order_by("pk")
    return list(found.values_list("uid", flat=True))


@pytest.mark.usefixtures("db", "own_signals")
def test_once_delivers_due_mail_and_ends(mail_server: ScriptedSMTP) -> None:
    for number in range(3):
        queue(f"meeting-{number}")
    call_command("deliver_mail", "--once")
    assert done()
    assert len(mail_server.received) == 3


@pytest.mark.usefixtures("transactional_db", "own_signals", "mail_server")
def test_once_ends_if_a_due_meeting_is_locked() -> None:
    queue()
    with another_session() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM meetings_meeting FOR UPDATE")
        call_command("deliver_mail", "--once")
    assert (states(), due()) == ([], ["meeting-1"])


@pytest.mark.usefixtures("transactional_db", "own_signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("options", [(), ("--once",)], ids=["loop", "once"])
def test_signal_ends_it_after_the_current_mail(
    mail_server: ScriptedSMTP,
    settings: Settings,
    number: signal.Signals,
    options: tuple[str, ...],
) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 0  # the thread that the signal interrupts is the one
    queue("one")
    queue("two")

    def interrupt(_: str) -> str:
        os.kill(os.getpid(), number)
        return "250 2.0.0 queued"

    mail_server.scripts["dot"] = interrupt
    call_command("deliver_mail", *options)
    assert (states(), due()) == (["sent", "sent"], ["two"])
    assert len(mail_server.received) == 1


def test_process_delivers_until_sigterm_and_exits_0(
    start_loop: Start,
) -> None:
    process = start_loop()
    queue("one")
    wait_until(done, "the first")
    queue("two")
    wait_until(done, "the second")
    process.signal(signal.SIGTERM)
    assert process.wait() == 0


def test_sigterm_while_sending_records_the_mail(
    start_loop: Start, mail_server: ScriptedSMTP
) -> None:
    queue("one")
    gate = mail_server.hold("dot")
    process = start_loop()
    gate.wait_for_client()
    process.signal(signal.SIGTERM)
    assert process.runs
    gate.open()
    assert process.wait() == 0
    assert (states(), due()) == (["sent", "sent"], [])


def test_two_processes_send_each_mail_once(start_loop: Start, mail_server: ScriptedSMTP) -> None:
    for number in range(40):
        queue(f"meeting-{number}")
    start_loop()
    start_loop()
    wait_until(lambda: len(states()) == 80 and done(), "all of them")
    uids = [mail.vevent.uid.value for mail in mails_to(BOB.address, mail_server)]
    assert sorted(uids) == sorted(f"meeting-{number}" for number in range(40))
    assert len(mail_server.received) == 40


def test_mail_of_killed_process_goes_again_after_its_lease(
    start_loop: Start, mail_server: ScriptedSMTP
) -> None:
    queue()
    mail_server.scripts["mail"] = HANG
    killed = start_loop()
    wait_until(lambda: states() == ["sending", "sending"], "its mail")
    killed.signal(signal.SIGKILL)
    killed.wait()
    mail_server.scripts["mail"] = "250 ok"
    queue("another")
    start_loop()
    wait_until(lambda: states()[2:] == ["sent", "sent"], "the other mail")
    assert states()[:2] == ["sending", "sending"]
    end_leases()
    wait_until(done, "the mail of the killed process")
    assert len(mail_server.accepted) == 2


def test_process_survives_a_database_outage(start_loop: Start, outage: Outage) -> None:
    process = start_loop()
    queue("one")
    wait_until(done, "the first")
    outage.begin()
    wait_until(lambda: "The database is unavailable" in process.said(), "its report")
    outage.end()
    queue("two")
    wait_until(done, "the second")
    said = process.said()
    assert said.count("The database is unavailable") - said.count("more in the last 60 s") == 1
    assert process.runs
