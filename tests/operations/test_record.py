"""When the database goes away while a mail is under way; and bytes that are kept no longer."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from meetings.models import Delivery, DeliveryState, Mail, Meeting
from meetings.models.delivery import Verdict
from meetings.operations.retention import drop_old_bytes
from meetings.operations.sweep import sweep
from meetings.queries.standing import Standing
from tests.operations.conftest import Do
from tests.support.background import queue, states, wait_until
from tests.support.smtp_server import ScriptedSMTP

Away = Callable[[float], None]


@contextmanager
def maintenance() -> Iterator[Any]:
    """A cursor on the server, but in another database than the tests'."""
    other = psycopg2.connect(
        **{**connection.get_connection_params(), "dbname": "postgres", "cursor_factory": None}
    )
    other.autocommit = True
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


@pytest.fixture
def away(transactional_db: None) -> Iterator[Away]:
    """Throw everybody out of the database, and let nobody in again for some seconds."""
    name = connection.settings_dict["NAME"]
    timers: list[threading.Timer] = []

    def let_in() -> None:
        with maintenance() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    def throw_out(seconds: float) -> None:
        with maintenance() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
        timers.append(threading.Timer(seconds, let_in))
        timers[-1].start()

    yield throw_out
    for timer in timers:
        timer.join()


def at_the_dot(
    mail_server: ScriptedSMTP, do: Callable[[], None], reply: str = "250 2.0.0 queued"
) -> None:
    def step(_: str) -> str:
        mail_server.scripts["dot"] = "250 2.0.0 queued"
        do()
        return reply

    mail_server.scripts["dot"] = step


def test_an_outcome_waits_for_a_database_that_went_away_while_the_mail_was_sent(
    away: Away, mail_server: ScriptedSMTP, caplog: pytest.LogCaptureFixture
) -> None:
    queue()
    at_the_dot(mail_server, lambda: away(0.5))
    assert len(sweep()) == 1
    assert states() == [DeliveryState.SENT] * 2
    assert len(mail_server.received) == 1
    assert (
        len([record for record in caplog.records if "database is away" in record.getMessage()]) == 1
    )


def test_an_outcome_is_given_up_when_the_lease_ends_and_the_mail_goes_again(
    away: Away, mail_server: ScriptedSMTP, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MEETINGS_LEASE = 0.3
    queue()
    back = threading.Event()

    def leave_and_return() -> None:
        away(1.0)
        threading.Timer(1.1, back.set).start()

    at_the_dot(mail_server, leave_and_return)
    sweep()
    assert [
        record
        for record in caplog.records
        if record.levelno == logging.ERROR and "recorded" in record.msg
    ]
    assert back.wait(10)
    assert len(sweep()) == 1
    assert states() == [DeliveryState.SENT] * 2
    first, again = mail_server.received
    assert first.raw == again.raw
    assert set(Delivery.objects.values_list("may_have_left", flat=True)) == {True}


@pytest.mark.django_db(transaction=True)
def test_ten_sends_of_one_uid_at_once_for_the_background_are_one_meeting(send: Do) -> None:
    start = threading.Barrier(10)

    def one(_: int) -> bool:
        try:
            start.wait()
            return send(budget=0).pending
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert all(pool.map(one, range(10)))
    assert (Meeting.objects.count(), Mail.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_call_waits_for_what_the_background_has_claimed_before_it(send: Do, cancel: Do) -> None:
    send()
    request = Mail.objects.get()
    Delivery.objects.update(state=DeliveryState.QUEUED)
    of_request = Delivery.objects.claim(request.pk, lease=60)

    def cancelled() -> Standing:
        try:
            return cancel(budget=20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(cancelled)
        wait_until(lambda: Mail.objects.count() == 3, "the CANCELs")
        with transaction.atomic():  # no moment at which the call could claim them
            Delivery.objects.finish(
                [Verdict(claim, DeliveryState.SENT, "250 ok") for claim in of_request]
            )
            cancels = Mail.objects.filter(method="CANCEL")
            claims = [
                claim
                for message in cancels
                for claim in Delivery.objects.claim(message.pk, lease=60)
            ]
        assert len(claims) == 2
        with pytest.raises(TimeoutError):
            answer.result(timeout=0.3)
        Delivery.objects.finish([Verdict(claim, DeliveryState.SENT, "250 ok") for claim in claims])
        assert set(answer.result(timeout=10).recipients.values()) == {DeliveryState.SENT}


def age(days: float) -> None:
    Mail.objects.update(created_at=timezone.now() - timedelta(days=days))


def kept() -> list[bool]:
    return [raw is not None for raw in Mail.objects.values_list("raw", flat=True)]


def test_old_bytes_are_dropped_and_what_became_of_them_stays(send: Do, settings: Settings) -> None:
    send()
    age(days=89)
    assert (drop_old_bytes(), kept()) == (0, [True])
    age(days=91)
    assert (drop_old_bytes(), kept()) == (1, [False])
    assert states() == [DeliveryState.SENT] * 2
    assert Mail.objects.get().subject


@pytest.mark.parametrize("state", [DeliveryState.QUEUED, DeliveryState.SENDING])
def test_the_bytes_of_what_is_not_done_are_kept_however_old(send: Do, state: DeliveryState) -> None:
    send()
    age(days=400)
    one = Delivery.objects.order_by("pk")[0]
    Delivery.objects.filter(pk=one.pk).update(state=state, lease_until=timezone.now())
    assert (drop_old_bytes(), kept()) == (0, [True])


def test_bytes_may_be_kept_for_ever(send: Do, settings: Settings) -> None:
    settings.MEETINGS_KEEP_BYTES_DAYS = 0
    send()
    age(days=4000)
    assert (drop_old_bytes(), kept()) == (0, [True])


def test_without_its_bytes_a_message_fails_with_that_sentence_and_a_resend_composes_it_anew(
    send: Do, send_again: Do, mail_server: ScriptedSMTP
) -> None:
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
