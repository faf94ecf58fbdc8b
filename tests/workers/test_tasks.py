"""What is published when, what the tasks do, and that no call waits for a broker."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings

from meetings import tasks as celery_tasks
from meetings import trouble
from meetings.models import Delivery, DeliveryState, Mail, MailBytes, Meeting, Sender
from meetings.operations import work
from meetings.operations.pause import pause, resume
from meetings.operations.steps import publisher
from tests.support.beside import BEGUN
from tests.support.cast import BOB
from tests.support.servers.database import Outage
from tests.support.servers.environments import environment, on_test_database
from tests.support.servers.processes import run
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import queue, send, update
from tests.support.waiting import wait_until
from tests.workers.conftest import Queue

pytestmark = pytest.mark.django_db(transaction=True)
Task = tuple[str, list[list[int]]]


def taken(tasks: Queue) -> Task:
    """The next task, once it is there."""
    found: list[Task] = []

    def take() -> bool:
        task = tasks.take()
        found.extend([task] if task else [])
        return bool(task)

    wait_until(take, "a task")
    return found[0]


def ids(*uids: str) -> list[int]:
    """The ids of these meetings, or of all."""
    found = Meeting.objects.filter(uid__in=uids) if uids else Meeting.objects.all()
    return list(found.order_by("pk").values_list("pk", flat=True))


def test_stored_meeting_is_published(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    queue()
    assert taken(tasks) == (publisher.DELIVER, [ids()])


def test_told_and_deferred_meetings_are_not_published(
    tasks: Queue, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "451 4.3.0 try later"}
    assert send().pending
    queue("a sign that all before it is there")
    assert taken(tasks) == (publisher.DELIVER, [ids("a sign that all before it is there")])


def test_meeting_whose_time_is_over_is_published(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    send()
    # The REQUEST to Bob takes all the time that there is. Carol's CANCEL is left.
    gate = mail_server.hold("dot")
    assert update(attendees=(BOB,), budget=BEGUN).pending
    gate.wait_for_client()
    gate.open()
    assert taken(tasks) == (publisher.DELIVER, [ids()])


def test_paused_meeting_is_not_published(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    pause("Alice")
    queue("paused")
    celery_tasks.deliver(ids())
    resume()
    queue("a sign that all before it is there")
    assert taken(tasks) == (publisher.DELIVER, [ids("a sign that all before it is there")])


def test_deliver_task_tells_the_people(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    queue()
    celery_tasks.deliver([*ids(), 4711])
    assert states() == [DeliveryState.SENT] * 2
    celery_tasks.deliver(ids())
    assert len(mail_server.received) == 1


def test_sweep_task_publishes_due_meetings_in_batches(
    tasks: Queue, mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_WAKE = ""
    for number in range(work.BATCH + 1):
        queue(f"meeting-{number}")
    celery_tasks.sweep()
    batches = [taken(tasks), taken(tasks)]
    assert {task for task, _ in batches} == {publisher.DELIVER}
    published = [meeting_ids for _, [meeting_ids] in batches]
    assert sorted(map(len, published)) == [1, work.BATCH]
    assert sorted(each for meeting_ids in published for each in meeting_ids) == ids()
    celery_tasks.sweep()
    assert tasks.take() is None


def test_sweep_task_publishes_what_a_dead_sender_had(
    tasks: Queue, mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_WAKE = ""
    send()
    Delivery.objects.update(state=DeliveryState.SENDING)
    celery_tasks.sweep()
    assert tasks.take() is None
    Sender.objects.update(alive_until=Now())
    celery_tasks.sweep()
    assert taken(tasks) == (publisher.DELIVER, [ids()])


def test_hourly_task_drops_what_is_old(tasks: Queue, mail_server: ScriptedSMTP) -> None:
    send()
    Mail.objects.update(created_at="2020-01-01T00:00:00Z")
    celery_tasks.drop_old()
    assert not MailBytes.objects.exists()


def test_tasks_end_quietly_without_a_database(
    outage: Outage, tasks: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    outage.begin()
    for task in (lambda: celery_tasks.deliver([1]), celery_tasks.sweep):
        trouble.forget()
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
    [line, *counted] = [line for line in ended.stderr.splitlines() if "broker is unavail" in line]
    assert " more in the last 60 s" not in line
    assert len(counted) <= 1
    assert all(" more in the last 60 s" in more for more in counted)


def test_server_without_broker_loads_no_celery() -> None:
    program = (
        "import meeting_server.wsgi, meetings.api.calls.view, sys;"
        " print('celery' in sys.modules, 'kombu' in sys.modules)"
    )
    assert run(environment(), "-c", program).stdout.split() == ["False", "False"]
