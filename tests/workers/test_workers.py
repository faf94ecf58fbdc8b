"""Real Celery workers on a real RabbitMQ: each mail leaves, though tasks and workers are lost."""

import signal
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from meetings.models import Delivery, DeliveryState, Mail
from meetings.operations.steps import publisher
from tests.support.servers.smtp_server import HANG, ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import queue
from tests.support.waiting import wait_until
from tests.workers.conftest import Queue, Start


def all_sent() -> bool:
    return set(states()) == {DeliveryState.SENT}


def test_worker_delivers_and_keeps_its_connection(
    start_worker: Start, mail_server: ScriptedSMTP
) -> None:
    def sessions() -> set[int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'worker under test'"
            )
            return {pid for (pid,) in cursor.fetchall()}

    start_worker(PGAPPNAME="worker under test", WORKER_THREADS="1")
    queue("one")
    wait_until(all_sent, "the first")
    first = sessions()
    queue("two")
    wait_until(all_sent, "the second")
    assert first
    assert sessions() == first
    assert len(mail_server.received) == 2


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


def test_mail_of_killed_worker_is_sent_after_its_lease(
    start_worker: Start, tasks: Queue, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["mail"] = HANG
    killed = start_worker()
    queue()
    wait_until(lambda: set(states()) == {DeliveryState.SENDING}, "its claim")
    start_worker()
    mail_server.scripts["mail"] = "250 ok"
    # The lease has ended when RabbitMQ gives the task to the other worker: no sweep is needed.
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    killed.signal(signal.SIGKILL)
    wait_until(all_sent, "the task that was given back")
    assert len(mail_server.accepted) == 1
    assert set(Delivery.objects.values_list("attempt", flat=True)) == {2}


def test_returned_task_sends_nothing_under_a_lease(
    start_worker: Start, mail_server: ScriptedSMTP, settings: Settings
) -> None:
    worker = start_worker(LOG_LEVEL="DEBUG")
    settings.MEETINGS_WAKE = ""
    queue()
    Delivery.objects.update(
        state=DeliveryState.SENDING, lease_until=timezone.now() + timedelta(minutes=1)
    )
    publisher.send(publisher.DELIVER, [Mail.objects.get().pk])
    wait_until(lambda: "succeeded" in worker.said(), "the task")
    assert set(states()) == {DeliveryState.SENDING}
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    publisher.send(publisher.SWEEP, [])
    wait_until(all_sent, "the sweep")
    assert len(mail_server.received) == 1


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
    wait_until(all_sent, "the sweep")
    assert len(mail_server.received) == 5
