"""Real Celery workers on a real RabbitMQ: everybody is told, though tasks and workers are lost."""

import signal

import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings

from meetings.models import Delivery, DeliveryState, Meeting, Sender
from meetings.operations.steps import publisher
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import queue
from tests.support.waiting import wait_until
from tests.workers.conftest import Queue, Start

SWEEP = "meetings.tasks.sweep"


def all_sent() -> bool:
    return set(states()) == {DeliveryState.SENT}


def a_process_is_served() -> bool:
    return Sender.objects.filter(served_at__isnull=False).exists()


@pytest.mark.direct
def test_worker_delivers_and_keeps_its_connection(
    start_worker: Start, mail_server: ScriptedSMTP
) -> None:
    def connected() -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT backend_start::text FROM pg_stat_activity"
                " WHERE application_name = 'worker under test'"
                " AND query NOT LIKE '%meetings_sender%'"  # the heartbeat's own connection
            )
            return {start for (start,) in cursor.fetchall()}

    start_worker(PGAPPNAME="worker under test", WORKER_THREADS="1")
    queue("one")
    wait_until(all_sent, "the first")
    wait_until(a_process_is_served, "the heartbeat that says so, on a connection of its own")
    first = connected()
    queue("two")
    wait_until(lambda: states() == [DeliveryState.SENT] * 4, "the second")
    assert first
    assert connected() == first
    assert len(mail_server.received) == 2


def test_worker_says_at_once_that_it_has_a_connection(
    start_worker: Start, mail_server: ScriptedSMTP
) -> None:
    start_worker(MEETINGS_LEASE="600")  # its heart beats by time every 200 seconds
    queue()
    wait_until(a_process_is_served, "what the heartbeat says")


def test_stopping_worker_finishes_the_mail_in_hand(
    start_worker: Start, mail_server: ScriptedSMTP
) -> None:
    gate = mail_server.hold("dot")
    worker = start_worker()
    queue()
    gate.wait_for_client()
    worker.signal(signal.SIGTERM)
    wait_until(lambda: "Warm shutdown" in worker.said(), "its word on the signal")
    gate.open()
    assert worker.wait() == 0
    assert all_sent()


def test_mail_of_killed_worker_is_sent_by_another(
    start_worker: Start, tasks: Queue, mail_server: ScriptedSMTP
) -> None:
    gate = mail_server.hold("mail")
    killed = start_worker()
    queue()
    gate.wait_for_client()
    killed.kill()
    mail_server.scripts["mail"] = "250 ok"
    # The lease has ended when RabbitMQ gives the task to the other worker: no sweep is needed.
    Sender.objects.update(alive_until=Now())
    start_worker()
    wait_until(all_sent, "the task that was given back")
    assert len(mail_server.accepted) == 1
    assert set(Delivery.objects.values_list("attempt", flat=True)) == {2}


def test_returned_task_sends_nothing_of_a_living_sender(
    start_worker: Start, mail_server: ScriptedSMTP, settings: Settings
) -> None:
    gate = mail_server.hold("dot")
    settings.MEETINGS_WAKE = ""
    queue()
    meeting_ids = list(Meeting.objects.values_list("pk", flat=True))
    # One thread mails the people. The same task given to another one finds them in good hands.
    worker = start_worker(LOG_LEVEL="DEBUG")
    publisher.send(publisher.DELIVER, [meeting_ids])
    gate.wait_for_client()
    publisher.send(publisher.DELIVER, [meeting_ids])
    wait_until(lambda: worker.said().count("succeeded") == 1, "the second task")
    assert Meeting.objects.get().passed_over
    gate.open()
    wait_until(all_sent, "the first task")
    assert len(mail_server.received) == 1


def test_several_workers_send_each_mail_once(
    start_worker: Start, mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_WAKE = ""
    for number in range(50):
        queue(f"meeting-{number}")
    for _ in range(3):
        start_worker()
    # Each meeting is in many tasks, as after broken connections and doubled sweeps.
    meeting_ids = list(Meeting.objects.values_list("pk", flat=True))
    for first in range(0, 50, 5):
        publisher.send(publisher.DELIVER, [meeting_ids[first : first + 20]])
        publisher.send(SWEEP, [])
    wait_until(lambda: states() == [DeliveryState.SENT] * 100, "all of them")
    assert len(mail_server.received) == 50
    assert len({transaction.raw for transaction in mail_server.received}) == 50


def test_sweep_of_beat_recovers_a_purged_queue(
    start_worker: Start, tasks: Queue, mail_server: ScriptedSMTP
) -> None:
    for number in range(5):
        queue(f"meeting-{number}")
    purged = 0

    def purge() -> bool:
        nonlocal purged
        purged += tasks.purge()
        return purged == 5

    wait_until(purge, "the five tasks, to throw them away")
    start_worker()
    start_worker("beat")
    wait_until(lambda: states() == [DeliveryState.SENT] * 10, "the sweep")
    assert len(mail_server.received) == 5
