"""The threads that send: how many there are, when they end, and what they survive."""

import threading
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from meetings.operations.steps.sending.threads import Job, SenderThreads
from meetings.transport.smtp.pool import pool_of_process
from meetings.transport.smtp.room import Room
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def threads() -> Iterator[SenderThreads]:
    """Threads of the test's own, which end with it."""
    made = SenderThreads()
    yield made
    assert made.finish(PATIENCE)


def test_as_many_jobs_run_at_once_as_there_may_be_connections(
    threads: SenderThreads, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 2
    opened, begun = threading.Event(), threading.Semaphore(0)

    def work() -> None:
        begun.release()
        opened.wait(PATIENCE)

    jobs = [threads.begin(work) for _ in range(3)]
    for _ in range(2):
        assert begun.acquire(timeout=PATIENCE)
    assert threads.waiting == 1
    assert not begun.acquire(blocking=False)
    assert not threads.wait_for_room(1, seconds=0)
    opened.set()
    assert all(job.wait(PATIENCE) for job in jobs)
    assert threads.wait_for_room(1, seconds=PATIENCE)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    """What the mail server bears, which never grows by itself; idle threads do not end either."""
    monkeypatch.setattr("meetings.transport.smtp.room._TRIES_MORE_AFTER", 3600.0)
    monkeypatch.setattr("meetings.operations.steps.sending.threads._REST", 3600.0)
    return pool_of_process()._room


def begin_together(threads: SenderThreads, number: int) -> list[Job]:
    """Jobs that end when all of them have begun."""
    barrier = threading.Barrier(number)
    return [threads.begin(lambda: barrier.wait(PATIENCE)) for _ in range(number)]


def test_fewer_jobs_run_at_once_where_the_mail_server_bears_fewer_connections(
    threads: SenderThreads, room: Room
) -> None:
    assert all(job.wait(PATIENCE) for job in begin_together(threads, 3))
    room.learn(1)
    opened = threading.Event()
    jobs = [threads.begin(lambda: opened.wait(PATIENCE)) for _ in range(4)]
    wait_until(
        lambda: (threads._living, threads.waiting) == (1, 3),
        "the end of the threads that are too many",
    )
    opened.set()
    assert all(job.wait(PATIENCE) for job in jobs)


def test_more_jobs_run_at_once_as_soon_as_the_mail_server_bears_more(
    threads: SenderThreads, room: Room
) -> None:
    room.learn(1)
    opened = threading.Event()
    first = threads.begin(lambda: opened.wait(PATIENCE))
    others = begin_together(threads, 3)
    room.learn(3)
    opened.set()
    assert all(job.wait(PATIENCE) for job in [first, *others])


def test_job_that_is_taken_back_is_never_done(threads: SenderThreads, settings: Settings) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 1
    opened = threading.Event()
    first = threads.begin(lambda: opened.wait(PATIENCE))
    done: list[str] = []
    second = threads.begin(lambda: done.append("second"))
    third = threads.begin(lambda: done.append("third"))
    assert second.take_back()
    opened.set()
    assert third.wait(PATIENCE)
    assert done == ["third"]
    assert not first.take_back()


def test_failure_reaches_who_waits_and_ends_no_thread(
    threads: SenderThreads, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 1

    def fail() -> None:
        connection.ensure_connection()
        raise OperationalError("server closed the connection unexpectedly")

    with pytest.raises(OperationalError):
        threads.begin(fail).wait(PATIENCE)
    has_connection: list[bool] = []
    assert threads.begin(lambda: has_connection.append(connection.connection is not None)).wait()
    assert has_connection == [False]
    assert "A sender thread failed." in caplog.text


def test_threads_without_work_end(threads: SenderThreads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meetings.operations.steps.sending.threads._REST", 0.01)
    before = threading.active_count()
    assert threads.begin(connection.ensure_connection).wait(PATIENCE)
    wait_until(lambda: threading.active_count() == before, "the end of the thread")
    assert threads.begin(lambda: None).wait(PATIENCE)


def test_without_connections_who_begins_a_job_does_it(
    threads: SenderThreads, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 0
    where: list[threading.Thread] = []
    threads.begin(lambda: where.append(threading.current_thread()))
    assert where == [threading.current_thread()]


def test_stop_begins_to_count_once() -> None:
    threads = SenderThreads()
    threads.stop()
    first = threads.stopped_at
    threads.stop()
    assert threads.stopped_at == first
    threads.go_on()
    assert not threads.is_stopping
