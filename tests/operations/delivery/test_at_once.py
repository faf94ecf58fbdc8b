"""Many calls on one meeting at the same moment, in threads with connections of their own."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import pytest
from django.db import connection

from meetings.models import Attendee, DeliveryState, Meeting, Version
from meetings.operations.steps import wait
from meetings.operations.steps.errors import Conflict
from meetings.operations.work import work
from meetings.queries.standing import Standing
from tests.support.background import deliver, deliver_later
from tests.support.cast import BOB, CAROL, MONDAYS
from tests.support.other_process import OtherProcess
from tests.support.readers.mail import mails_to
from tests.support.servers.database import another_session, threads_own_connection
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stories import THIRD, UID, cancel, hr_system, queue, recipients, send, update
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("mail_server")]
MANY = 50
RECORD_WAITS = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%ended AS%'
"""
Result = TypeVar("Result")


def at_once(story: Callable[[int], Result], count: int = MANY) -> list[Result]:
    """What the calls are told, which begin together."""
    start = threading.Barrier(count)

    def one(number: int) -> Result:
        with threads_own_connection():
            connection.ensure_connection()
            start.wait(PATIENCE)
            return story(number)

    hr_system()
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def sequences(address: str, mail_server: ScriptedSMTP) -> list[int]:
    """The SEQUENCE of each mail to the person, in the order in which they left."""
    return [mail.sequence for mail in mails_to(address, mail_server)]


@pytest.mark.parametrize("budget", [PATIENCE, 0], ids=["calls", "queued"])
def test_fifty_equal_sends_are_one_meeting_and_one_mail_each(
    mail_server: ScriptedSMTP, budget: float
) -> None:
    standings = at_once(lambda _: send(budget=budget))
    assert {standing.error for standing in standings} == {""}
    assert all(standing.told or standing.pending for standing in standings)
    deliver()
    assert Meeting.objects.count() == Version.objects.count() == 1
    assert Counter(person for mail in mail_server.accepted for person in mail.recipients) == {
        BOB.address: 1,
        CAROL.address: 1,
    }


@pytest.mark.parametrize("budget", [PATIENCE, 0], ids=["calls", "queued"])
def test_fifty_updates_are_fifty_versions_and_everybody_ends_at_the_last(
    mail_server: ScriptedSMTP, budget: float
) -> None:
    send()
    standings = at_once(lambda number: update(summary=f"Title {number}", budget=budget))
    assert sorted(standing.sequence for standing in standings) == list(range(1, MANY + 1))
    assert {standing.error for standing in standings} == {""}
    deliver()
    stored = Meeting.objects.get()
    assert stored.sequence == MANY
    assert set(Attendee.objects.values_list("told_sequence", "told_possible")) == {(MANY, False)}
    for person in (BOB, CAROL):
        told = sequences(person.address, mail_server)
        assert told == sorted(set(told))
        newest = mails_to(person.address, mail_server)[-1]
        assert newest.vevent.summary.value == stored.summary
        stamps = [mail.dtstamp for mail in mails_to(person.address, mail_server)]
        assert stamps == sorted(set(stamps))


def test_update_and_cancel_at_once_end_with_the_cancel(mail_server: ScriptedSMTP) -> None:
    send()

    def one(number: int) -> None:
        if number:
            cancel(budget=PATIENCE)
            return
        with suppress(Conflict):  # a cancelled meeting refuses updates
            update(attendees=(BOB,), budget=PATIENCE)

    at_once(one, 2)
    deliver()
    for person in (BOB, CAROL):
        methods = [mail.method for mail in mails_to(person.address, mail_server)]
        assert (methods[0], methods[-1]) == ("REQUEST", "CANCEL")
        assert methods.count("CANCEL") == 1


def test_several_workers_send_each_mail_once(mail_server: ScriptedSMTP) -> None:
    for number in range(40):
        send(uid=f"meeting-{number}", budget=0)

    def worker(_: int) -> None:
        with threads_own_connection():
            while work(limit=3):
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(worker, range(4)))
    assert len(mail_server.accepted) == 40
    assert not Meeting.objects.exclude(due_at=None).exists()


def test_call_waits_for_a_mail_that_another_one_sends(mail_server: ScriptedSMTP) -> None:
    gate = mail_server.hold("dot")

    def first() -> Standing:
        with threads_own_connection():
            return send(budget=PATIENCE)

    def second() -> Standing:
        with threads_own_connection():
            return cancel(budget=PATIENCE)

    hr_system()
    with ThreadPoolExecutor(2) as pool:
        sending = pool.submit(first)
        gate.wait_for_client()
        waiting = pool.submit(second)
        wait_until(Meeting.objects.filter(status="CANCELLED").exists, "the second call")
        assert not waiting.done()
        assert mail_server.received == []
        gate.open()
        assert set(recipients(sending.result()).values()) == {"told"}
        assert set(recipients(waiting.result()).values()) == {"told"}
    assert [mail.method for mail in mails_to(BOB.address, mail_server)] == ["REQUEST", "CANCEL"]
    deliver()
    assert len(mail_server.accepted) == 3


def test_third_call_that_would_wait_is_answered_at_once(mail_server: ScriptedSMTP) -> None:
    queue()
    other = OtherProcess()
    other.stores()

    def one(number: int) -> Standing:
        with threads_own_connection():
            return update(summary=f"Title {number}", budget=PATIENCE)

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(one, number) for number in range(2)]
        wait_until(lambda: wait._waiting.total() == wait.MOST_FOR_ONE, "two calls that wait")
        third = update(summary="Title 3", budget=PATIENCE)
        assert (third.pending, third.told) == (True, False)
        other.records(DeliveryState.SENT)
        assert {state for each in waiting for state in recipients(each.result()).values()} <= {
            "told",
            "sending",
        }
    deliver()
    assert set(Attendee.objects.values_list("told_sequence", flat=True)) == {3}


def test_same_split_again_gives_up_no_part_while_another_process_mails_one(
    mail_server: ScriptedSMTP,
) -> None:
    def split(budget: float) -> Standing:
        return update(occurrence=THIRD, and_future=True, location="Room 9", budget=budget)

    def sends_once_the_call_is_stored() -> None:
        with threads_own_connection():
            wait_until(lambda: Meeting.objects.get(uid=UID).plan > stored, "the call")
            other.sends()

    send(rule=MONDAYS)
    split(budget=0)
    other = OtherProcess()
    other.stores()
    stored = Meeting.objects.get(uid=UID).plan
    mail_server.scripts["rcpt"] = "450 4.2.0 later"
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(sends_once_the_call_is_stored)
        standing = split(budget=PATIENCE)
    ended.result()
    assert (standing.pending, standing.error) == (True, "")
    mail_server.scripts["rcpt"] = "250 ok"
    deliver_later()
    assert len(mail_server.accepted) == 3


def test_record_sees_whom_a_call_passes_over_while_it_waits() -> None:
    queue()
    process = OtherProcess()
    process.stores()
    assert Meeting.objects.get().due_at is None

    def records() -> None:
        with threads_own_connection():
            process.records(DeliveryState.SENT)

    with another_session() as call, another_session() as observer, ThreadPoolExecutor(1) as pool:
        call.execute("BEGIN; UPDATE meetings_meeting SET passed_over = true")
        recorded = pool.submit(records)
        wait_until(lambda: _count(observer), "the record to wait")
        call.execute("COMMIT")
        recorded.result()
    assert Meeting.objects.get().due_at is not None


def _count(observer: Any) -> int:
    observer.execute(RECORD_WAITS)
    [(count,)] = observer.fetchall()
    return int(count)
