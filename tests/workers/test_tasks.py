"""What is published when, what the tasks do, and that no call waits for a broker."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from meetings import tasks as celery_tasks
from meetings import trouble
from meetings.models import Delivery, DeliveryState, Mail
from meetings.operations.steps import publisher
from tests.support.cast import BOB
from tests.support.servers.database import Outage
from tests.support.servers.environments import environment, on_test_database
from tests.support.servers.processes import run
from tests.support.servers.smtp_server import HANG, ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import queue, send, update
from tests.support.waiting import wait_until
from tests.workers.conftest import Queue

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


def test_queued_mail_is_published_after_commit(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    queue()
    assert taken(tasks) == (publisher.DELIVER, [Mail.objects.get().pk])


def test_sent_and_deferred_mail_is_not_published(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "451 4.3.0 try later"}
    assert send().pending
    queue("a sign that all before it is there")
    assert taken(tasks) == (publisher.DELIVER, [Mail.objects.order_by("pk")[1].pk])


def test_mail_beyond_the_time_budget_is_published(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    send()
    # Carol's CANCEL takes all the time that there is. The REQUEST to Bob is left.
    mail_server.scripts["dot"] = [HANG, "250 2.0.0 queued"]
    standing = update(attendees=(BOB,), budget=1)
    assert standing.recipients[BOB.address] is DeliveryState.QUEUED
    assert taken(tasks) == (publisher.DELIVER, [Mail.objects.order_by("-pk")[0].pk])


def test_many_mails_of_one_call_become_one_sweep(tasks: Queue) -> None:
    publisher.publish(range(publisher.MOST_AT_ONCE + 1))
    assert taken(tasks) == (publisher.SWEEP, [])
    assert tasks.take() is None


def test_deliver_task_sends_the_mail(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    queue()
    celery_tasks.deliver(Mail.objects.get().pk)
    assert states() == [DeliveryState.SENT] * 2
    celery_tasks.deliver(4711)


def test_sweep_task_publishes_due_mail(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    queue("one")
    queue("two")
    assert {taken(tasks)[0], taken(tasks)[0]} == {publisher.DELIVER}
    celery_tasks.sweep()
    assert [taken(tasks)[1], taken(tasks)[1]] == [
        [pk] for pk in Mail.objects.values_list("pk", flat=True)
    ]
    Delivery.objects.update(state=DeliveryState.SENT)
    celery_tasks.sweep()
    assert tasks.take() is None


def test_hourly_task_drops_old_bytes(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    queue()
    Delivery.objects.update(state=DeliveryState.SENT)
    Mail.objects.update(created_at="2020-01-01T00:00:00Z")
    celery_tasks.drop_old()
    assert Mail.objects.get().raw is None


def test_tasks_end_quietly_without_a_database(
    outage: Outage, tasks: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    outage.begin()
    for task in (lambda: celery_tasks.deliver(1), celery_tasks.sweep):
        trouble._reported_at.clear()
        caplog.clear()
        connection.close()
        task()
        assert [
            record for record in caplog.records if "database is unavailable" in record.getMessage()
        ]


@contextmanager
def port_of(kind: str) -> Iterator[int]:
    """A port where nothing listens, or where a server does that never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "silent":
            listener.listen(100)
        yield listener.getsockname()[1]


# Calls that leave something, until so many connections to the broker were tried.
PROGRAM = """
import sys, threading, time
import meeting_server.wsgi
from meetings.operations.steps.wake import wake

port, enough = map(int, sys.argv[1:])
connecting = []

def note(event, arguments):
    if event == "socket.connect" and arguments[1][1:2] == (port,):
        connecting.append(threading.current_thread())

sys.addaudithook(note)
number = 0
while len(connecting) < enough:
    number += 1
    wake([number])
    time.sleep(0.01)
print({thread is threading.main_thread() for thread in connecting})
"""


@pytest.mark.parametrize(
    ("kind", "enough"),
    # Enough for one failure of a silent broker, and for two of one that refuses connections.
    [("refused", 5), ("silent", 2)],
    ids=["refused", "silent"],
)
def test_unreachable_broker_delays_no_call(
    kind: str, enough: int, mail_server: ScriptedSMTP
) -> None:
    with port_of(kind) as port:
        broker = f"amqp://127.0.0.1:{port}//"
        env = on_test_database(mail_server, CELERY_BROKER_URL=broker)
        ended = run(env, "-c", PROGRAM, str(port), str(enough))
    assert ended.stdout == "{False}\n"
    assert ended.stderr.count("the message broker is unavailable") == 1


def test_server_without_broker_loads_no_celery() -> None:
    program = (
        "import meeting_server.wsgi, meetings.api.calls.view, sys;"
        " print('celery' in sys.modules, 'kombu' in sys.modules)"
    )
    assert run(environment(), "-c", program).stdout.split() == ["False", "False"]
