"""The caller's time decides who waits and what is begun. What has begun is never cut."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection
from pytest_django import Settings

from meetings.models import Attendee, Delivery, Meeting
from meetings.operations import work
from meetings.queries.standing import Standing
from meetings.transport.send import connections_in_use
from tests.support.background import deliver
from tests.support.beside import BEGUN, copies, in_a_thread, rest
from tests.support.cast import BOB, CAROL, DAN
from tests.support.servers.database import another_session, threads_own_connection
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import UID, cancel, hr_system, queue, recipients, send, update
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("mail_server")]

LATER = "451 4.3.0 try later"
SOON = 0.05  # seconds, in which nothing has to be mailed


@pytest.mark.parametrize("moment", ["banner", "rcpt", "dot"])
def test_call_whose_time_is_over_leaves_a_mail_that_arrives_once(
    mail_server: ScriptedSMTP, moment: str
) -> None:
    gate = mail_server.hold(moment)
    standing = send(budget=BEGUN)
    assert (standing.error, standing.told, standing.pending) == ("", False, True)
    assert recipients(standing) == {BOB.address: "queued", CAROL.address: "queued"}
    gate.wait_for_client()
    gate.open()
    rest()
    deliver()
    assert states() == ["sent", "sent"]
    assert copies(mail_server) == {BOB.address: 1, CAROL.address: 1}


def test_refusal_that_comes_too_late_for_a_call_is_tried_again(mail_server: ScriptedSMTP) -> None:
    gate = mail_server.hold("rcpt", LATER)
    assert send(budget=BEGUN).pending
    gate.wait_for_client()
    gate.open()
    rest()
    assert states() == ["deferred", "deferred"]
    assert not Attendee.objects.filter(retry_at=None).exists()


def test_deferred_people_do_not_wait_for_a_mail_that_others_are_at(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    gate = mail_server.hold("dot")
    assert send(budget=BEGUN).pending
    gate.wait_for_client()
    assert sorted(states()) == ["deferred", "sending"]
    gate.open()


def test_call_that_waits_for_a_connection_in_vain_is_no_0(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 0
    hr_system()
    gate = mail_server.hold("dot")
    with ThreadPoolExecutor(8) as pool:
        calls = [
            in_a_thread(pool, partial(send, uid=f"meeting-{number}", budget=PATIENCE))
            for number in range(8)
        ]
        wait_until(lambda: connections_in_use() == 8, "all connections to be in use")
        settings.MEETINGS_SMTP_DEADLINE = SOON
        standing = send(uid="another", budget=PATIENCE)
        assert (standing.error, standing.pending) == ("", True)
        gate.open()
        assert all(call.result().told for call in calls)
    settings.MEETINGS_SMTP_DEADLINE = PATIENCE
    deliver()
    assert copies(mail_server) == {BOB.address: 9, CAROL.address: 9}


def test_mail_that_is_not_recorded_yet_is_queued(mail_server: ScriptedSMTP) -> None:
    with another_session() as other:

        def dot(_: str) -> str:
            other.execute("BEGIN")
            other.execute("SELECT FROM meetings_meeting FOR UPDATE")
            return "250 2.0.0 queued"

        mail_server.scripts["dot"] = dot
        standing = send(budget=BEGUN)
        assert (standing.error, standing.told, standing.pending) == ("", False, True)
        wait_until(lambda: mail_server.received, "the mail")
        other.execute("COMMIT")
    rest()
    assert states() == ["sent", "sent"]


def test_nothing_is_begun_after_the_calls_time(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1
    gate = mail_server.hold("dot")
    assert send(budget=BEGUN).pending
    gate.wait_for_client()
    gate.open()
    rest()
    assert len(mail_server.received) == 1
    assert sorted(states()) == ["dropped", "sent"]
    deliver()
    assert copies(mail_server) == {BOB.address: 1, CAROL.address: 1}


def test_call_that_finds_all_threads_busy_is_left_to_the_background(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 1
    gate = mail_server.hold("dot")
    assert send(budget=BEGUN).pending
    gate.wait_for_client()
    standing = send(uid="another", budget=SOON)
    assert set(recipients(standing).values()) == {"queued"}
    assert Meeting.objects.get(uid="another").due_at is not None
    assert set(Delivery.objects.filter(meeting__uid="another").values_list("state", flat=True)) == {
        "dropped"
    }
    gate.open()
    rest()
    deliver()
    assert copies(mail_server) == {BOB.address: 2, CAROL.address: 2}


def test_call_beyond_those_that_may_wait_is_answered_at_once(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_WAITING_CALLS = 1
    hr_system()
    gate = mail_server.hold("dot")
    with ThreadPoolExecutor(1) as pool:
        first = in_a_thread(pool, partial(send, budget=PATIENCE))
        gate.wait_for_client()
        second = send(uid="another", budget=PATIENCE)
        assert not first.done()
        assert set(recipients(second).values()) == {"queued"}
        gate.open()
        assert first.result().told
    deliver()
    assert copies(mail_server) == {BOB.address: 2, CAROL.address: 2}


def test_call_does_not_wait_where_all_threads_are_at_slow_mails(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 1
    settings.MEETINGS_TIME_BUDGET = 0.0
    gate = mail_server.hold("dot")
    assert send(budget=BEGUN).pending
    gate.wait_for_client()
    assert set(recipients(send(uid="another", budget=PATIENCE)).values()) == {"queued"}
    assert not Delivery.objects.filter(meeting__uid="another").exists()  # it was stored only
    gate.open()
    rest()
    deliver()
    assert copies(mail_server) == {BOB.address: 2, CAROL.address: 2}


def test_calls_on_one_meeting_leave_room_for_others(mail_server: ScriptedSMTP) -> None:
    send(attendees=(BOB,))
    gate = mail_server.hold("dot")
    with ThreadPoolExecutor(8) as pool:
        calls = [in_a_thread(pool, partial(update, budget=PATIENCE, summary="0"))]
        gate.wait_for_client()
        calls += [
            in_a_thread(pool, partial(update, budget=PATIENCE, summary=str(number)))
            for number in range(1, 8)
        ]
        # One sends, two wait for it, and the others are answered.
        wait_until(
            lambda: sum(call.done() for call in calls) == 5, "the calls that wait for nothing"
        )
        mail_server.scripts["dot"] = "250 2.0.0 queued"
        assert send(uid="another", attendees=(DAN,), budget=PATIENCE).told
        gate.open()
        standings = [call.result() for call in calls]
    assert {standing.error for standing in standings} == {""}
    deliver()
    assert Meeting.objects.get(uid=UID).sequence == 8
    assert set(Attendee.objects.filter(meeting__uid=UID).values_list("told_sequence")) == {(8,)}


def test_hanging_mail_keeps_no_other_meeting_from_leaving(mail_server: ScriptedSMTP) -> None:
    queue("slow")
    gate = mail_server.hold("dot")
    assert work.begin_work() == 1
    gate.wait_for_client()
    mail_server.scripts["dot"] = "250 2.0.0 queued"
    queue("quick")
    assert work.begin_work() == 1
    wait_until(lambda: len(mail_server.accepted) == 1, "the other meeting's mail")
    gate.open()
    rest()
    assert states() == ["sent"] * 4


def test_claim_that_ended_before_a_thread_was_free_is_left_alone(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_LEASE = 0.0
    queue()
    work.tell_people_of([Meeting.objects.get().pk])
    assert mail_server.connections == 0


WAITS_SINCE = "SELECT query_start FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.mark.direct  # it sets something for its session
def test_statement_that_may_not_wait_is_tried_again_for_the_calls_time(
    mail_server: ScriptedSMTP,
) -> None:
    send()

    def impatient() -> Standing:
        with threads_own_connection(), connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '100ms'")
            return cancel(budget=PATIENCE)

    with another_session() as blocks, another_session() as looks, ThreadPoolExecutor(1) as pool:
        blocks.execute("BEGIN")
        blocks.execute("SELECT FROM meetings_meeting FOR UPDATE")
        call = pool.submit(impatient)
        tries = set()

        def has_tried_again() -> bool:
            looks.execute(WAITS_SINCE)
            tries.update(looks.fetchall())
            return len(tries) > 1

        wait_until(has_tried_again, "a second try")
        blocks.execute("COMMIT")
        assert call.result().told
