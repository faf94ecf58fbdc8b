"""What is published when, what the tasks do, and that a broker that is away costs a caller nothing."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection

from meetings import tasks as composed_mails
from meetings import trouble
from meetings.models import Delivery, DeliveryState, Mail
from meetings.operations.steps import publisher
from tests.operations.conftest import Do, send, update
from tests.operations.test_record import Away, away
from tests.support.background import PROJECT, environment, queue, states, wait_until
from tests.support.cast import BOB
from tests.support.smtp_server import ScriptedSMTP
from tests.workers.conftest import Queue

__all__ = ["away", "send", "update"]

pytestmark = pytest.mark.django_db(transaction=True)
Task = tuple[str, list[int]]


def taken(tasks: Queue) -> Task:
    """The next task, once it is there."""
    found: list[Task] = []

    def take() -> bool:
        task = tasks.take()
        found.extend([task] if task else [])
        return bool(task)

    wait_until(take, "a task")
    return found[0]


def test_what_a_call_leaves_queued_is_published_after_its_commit(
    tasks: Queue, mail_server: ScriptedSMTP
) -> None:
    queue()
    assert taken(tasks) == (publisher.DELIVER, [Mail.objects.get().pk])


def test_what_a_call_has_sent_or_will_try_again_later_is_not_published(
    send: Do, tasks: Queue, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "451 4.3.0 try later"}
    assert send().pending
    queue("a sign that all before it is there")
    assert taken(tasks) == (publisher.DELIVER, [Mail.objects.order_by("pk")[1].pk])


def test_what_the_time_budget_does_not_suffice_for_is_published(
    send: Do, update: Do, tasks: Queue, mail_server: ScriptedSMTP
) -> None:
    send()

    # Carol's CANCEL takes all the time that there is; the REQUEST to Bob is left.
    def slowly(_: str) -> str:
        mail_server.stopped.wait(0.4)
        return "250 2.0.0 queued"

    mail_server.scripts["dot"] = slowly
    receipt = update(attendees=(BOB,), budget=0.3)
    assert receipt.recipients[BOB.address] is DeliveryState.QUEUED
    assert taken(tasks) == (publisher.DELIVER, [Mail.objects.order_by("-pk")[0].pk])


def test_many_messages_of_one_call_are_left_to_one_sweep(tasks: Queue) -> None:
    publisher.publish(range(publisher.MOST_AT_ONCE + 1))
    assert taken(tasks) == (publisher.SWEEP, [])
    assert tasks.take() is None


def test_the_task_delivers(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    queue()
    composed_mails.deliver(Mail.objects.get().pk)
    assert states() == [DeliveryState.SENT] * 2
    composed_mails.deliver(4711)


def test_the_sweep_publishes_what_is_due(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    queue("one")
    queue("two")
    assert {taken(tasks)[0], taken(tasks)[0]} == {publisher.DELIVER}
    composed_mails.sweep()
    assert [taken(tasks)[1], taken(tasks)[1]] == [
        [pk] for pk in Mail.objects.values_list("pk", flat=True)
    ]
    Delivery.objects.update(state=DeliveryState.SENT)
    composed_mails.sweep()
    assert tasks.take() is None


def test_the_task_of_every_hour_drops_old_bytes(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    queue()
    Delivery.objects.update(state=DeliveryState.SENT)
    Mail.objects.update(created_at="2020-01-01T00:00:00Z")
    composed_mails.drop_old_bytes()
    assert Mail.objects.get().raw is None


def test_tasks_end_quietly_while_the_database_is_away(
    away: Away, tasks: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    away(0.5)
    for task in (lambda: composed_mails.deliver(1), composed_mails.sweep):
        trouble.forget()
        caplog.clear()
        connection.close()
        task()
        assert [
            record for record in caplog.records if "database is unavailable" in record.getMessage()
        ]
    wait_until(_answers, "the database")


def _answers() -> bool:
    connection.close()
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    return True


@contextmanager
def port_of(kind: str) -> Iterator[int]:
    """A port where nobody listens, or where somebody does who never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "silent":
            listener.listen(100)
        yield listener.getsockname()[1]


PROGRAM = """
import sys, threading, time
import meeting_server.wsgi
from meetings.operations.steps import publisher
from meetings.operations.steps.wake import wake
spent = []
for number in range(200):
    began = time.perf_counter()
    wake([number])
    spent.append(time.perf_counter() - began)
    time.sleep(0.01)
print(sorted(spent)[100])
"""


@pytest.mark.parametrize("kind", ["refused", "silent"])
def test_a_broker_that_is_away_costs_a_call_nothing_and_is_said_once(
    kind: str, mail_server: ScriptedSMTP
) -> None:
    with port_of(kind) as port:
        env = environment(mail_server, CELERY_BROKER_URL=f"amqp://127.0.0.1:{port}//")
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=PROJECT,
            env=env,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    # The median: a call that waited for the broker would cost seconds, each of them.
    assert float(ended.stdout) < 0.02
    assert ended.stderr.count("the message broker is away") == 1


def test_without_a_broker_nothing_of_celery_is_loaded_to_serve() -> None:
    program = (
        "import meeting_server.wsgi, meetings.api.calls.view, sys;"
        " print('celery' in sys.modules, 'kombu' in sys.modules)"
    )
    env = {name: value for name, value in os.environ.items() if name != "CELERY_BROKER_URL"}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env=env,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert ended.stdout.split() == ["False", "False"]
