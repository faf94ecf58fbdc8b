"""Outcomes that have to wait for the database, and bytes that are dropped after their time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from meetings.models import Delivery, DeliveryState, Mail, Meeting
from meetings.models.delivery import Claim, Verdict
from meetings.operations.retention import drop_old_bytes
from meetings.operations.sweep import sweep
from meetings.queries.standing import Standing
from tests.support.servers.database import Outage, threads_own_connection
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import cancel, queue, send, send_again
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.usefixtures("db", "mail_server")


def at_the_dot(
    mail_server: ScriptedSMTP, do: Callable[[], None], reply: str = "250 2.0.0 queued"
) -> None:
    def step(_: str) -> str:
        mail_server.scripts["dot"] = "250 2.0.0 queued"
        do()
        return reply

    mail_server.scripts["dot"] = step


def logged(caplog: pytest.LogCaptureFixture, words: str) -> int:
    return sum(words in record.getMessage() for record in caplog.records)


def test_outcome_waits_for_an_unreachable_database(
    outage: Outage, mail_server: ScriptedSMTP, caplog: pytest.LogCaptureFixture
) -> None:
    def end_it_once_it_was_noticed() -> None:
        wait_until(lambda: logged(caplog, "database is away"), "the log's word of the outage")
        outage.end()

    queue()
    at_the_dot(mail_server, outage.begin)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(end_it_once_it_was_noticed)
        assert len(sweep()) == 1
    ended.result()
    assert states() == [DeliveryState.SENT] * 2
    assert len(mail_server.received) == 1
    assert logged(caplog, "database is away") == 1


def test_mail_goes_again_when_its_outcome_is_lost(
    outage: Outage,
    mail_server: ScriptedSMTP,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.MEETINGS_LEASE = 0.3
    queue()
    at_the_dot(mail_server, outage.begin)
    sweep()
    assert logged(caplog, "could not be recorded") == 1
    outage.end()
    assert len(sweep()) == 1
    assert states() == [DeliveryState.SENT] * 2
    first, again = mail_server.received
    assert first.raw == again.raw
    assert set(Delivery.objects.values_list("may_have_left", flat=True)) == {True}


@pytest.mark.django_db(transaction=True)
def test_ten_concurrent_queued_sends_are_one_meeting() -> None:
    start = threading.Barrier(10)

    def one(_: int) -> bool:
        with threads_own_connection():
            start.wait()
            return send(budget=0).pending

    with ThreadPoolExecutor(10) as pool:
        assert all(pool.map(one, range(10)))
    assert (Meeting.objects.count(), Mail.objects.count()) == (1, 1)


def finish_and_claim_the_cancels(of_request: list[Claim]) -> list[Claim]:
    with transaction.atomic():  # no moment at which the call could claim them
        Delivery.objects.finish(
            [Verdict(claim, DeliveryState.SENT, "250 ok") for claim in of_request]
        )
        cancels = Mail.objects.filter(method="CANCEL")
        return [claim for mail in cancels for claim in Delivery.objects.claim(mail.pk, lease=60)]


@pytest.mark.django_db(transaction=True)
def test_call_waits_for_mail_the_background_has_claimed() -> None:
    send()
    request = Mail.objects.get()
    Delivery.objects.update(state=DeliveryState.QUEUED)
    of_request = Delivery.objects.claim(request.pk, lease=60)

    looks = []  # at the outbox, by the call

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "SKIP LOCKED" in sql:
            looks.append(sql)
        return execute(sql, *rest)

    def cancelled() -> Standing:
        with threads_own_connection(), connection.execute_wrapper(note):
            return cancel(budget=PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(cancelled)
        wait_until(lambda: Mail.objects.count() == 3, "the CANCELs")
        claims = finish_and_claim_the_cancels(of_request)
        assert len(claims) == 2
        before = len(looks)
        # One look to find that the background has the CANCELs, another one to wait for it.
        wait_until(lambda: call.done() or len(looks) >= before + 2, "two looks at the outbox")
        assert not call.done()
        Delivery.objects.finish([Verdict(claim, DeliveryState.SENT, "250 ok") for claim in claims])
        assert set(call.result().recipients.values()) == {DeliveryState.SENT}


def age(days: float) -> None:
    Mail.objects.update(created_at=timezone.now() - timedelta(days=days))


def kept() -> list[bool]:
    return [raw is not None for raw in Mail.objects.values_list("raw", flat=True)]


def test_old_bytes_are_dropped_and_outcomes_stay(settings: Settings) -> None:
    send()
    age(days=89)
    assert (drop_old_bytes(), kept()) == (0, [True])
    age(days=91)
    assert (drop_old_bytes(), kept()) == (1, [False])
    assert states() == [DeliveryState.SENT] * 2
    assert Mail.objects.get().subject


@pytest.mark.parametrize("state", [DeliveryState.QUEUED, DeliveryState.SENDING])
def test_bytes_of_unfinished_mail_are_kept(state: DeliveryState) -> None:
    send()
    age(days=400)
    one = Delivery.objects.order_by("pk")[0]
    Delivery.objects.filter(pk=one.pk).update(state=state, lease_until=timezone.now())
    assert (drop_old_bytes(), kept()) == (0, [True])


def test_bytes_can_be_kept_for_ever(settings: Settings) -> None:
    settings.MEETINGS_KEEP_BYTES_DAYS = 0
    send()
    age(days=4000)
    assert (drop_old_bytes(), kept()) == (0, [True])


def test_mail_without_bytes_fails_until_it_is_resent(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = "550 5.1.1 nobody"
    send()
    age(days=91)
    drop_old_bytes()
    mail_server.scripts["rcpt"] = "250 ok"
    assert not send().sent
    [reply] = set(Delivery.objects.values_list("last_reply", flat=True))
    assert "kept no longer" in reply
    assert mail_server.received == []
    assert send_again().sent
