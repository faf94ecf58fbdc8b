"""What the background finds, in which order, how fast, and what it leaves alone."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from meetings.models import Delivery, DeliveryState, Mail, Meeting
from meetings.models import delivery as statements
from meetings.models.delivery import Verdict
from meetings.operations.sweep import deliver_stored, due_mails, sweep
from meetings.queries.backlog import backlog
from tests.operations.conftest import Do
from tests.operations.million import ROWS, fill
from tests.support.background import queue, states
from tests.support.cast import BOB, CAROL
from tests.support.smtp_server import ScriptedSMTP

LATER = "451 4.3.0 try later"
pytestmark = pytest.mark.usefixtures("db", "mail_server")


def ago(**period: float) -> Any:
    return timezone.now() - timedelta(**period)


def test_what_a_call_left_queued_is_delivered_and_then_nothing_is_due(
    mail_server: ScriptedSMTP,
) -> None:
    queue()
    assert len(sweep()) == 1
    assert states() == [DeliveryState.SENT] * 2
    assert (sweep(), len(mail_server.received)) == ([], 1)


def test_what_waits_longest_goes_first(mail_server: ScriptedSMTP) -> None:
    for uid in ("first", "second", "third"):
        queue(uid)
    first, second, third = Mail.objects.order_by("pk")
    Delivery.objects.filter(mail=third).update(due_at=ago(minutes=1))
    assert due_mails() == [third.pk, first.pk, second.pk]


def test_a_lease_that_ran_out_is_found_and_one_that_holds_is_not() -> None:
    queue()
    Delivery.objects.update(
        state=DeliveryState.SENDING, lease_until=timezone.now() + timedelta(minutes=1)
    )
    assert due_mails() == []
    Delivery.objects.update(lease_until=ago(seconds=1))
    assert len(sweep()) == 1
    assert states() == [DeliveryState.SENT] * 2
    assert set(Delivery.objects.values_list("may_have_left", flat=True)) == {True}


def test_what_is_tried_again_later_is_not_due_before() -> None:
    queue()
    Delivery.objects.update(due_at=timezone.now() + timedelta(seconds=30))
    assert sweep() == []


def test_what_an_older_message_holds_up_takes_nobodys_place(send: Do, cancel: Do) -> None:
    send()
    Delivery.objects.update(
        state=DeliveryState.SENDING, lease_until=timezone.now() + timedelta(minutes=1)
    )
    cancel(budget=0)
    queue("another")
    Delivery.objects.filter(state=DeliveryState.QUEUED, mail__method="CANCEL").update(
        due_at=ago(hours=1)
    )
    another = Mail.objects.get(version__meeting__uid="another")
    assert due_mails(limit=2) == [another.pk]


def test_stopping_leaves_the_rest_for_the_next(mail_server: ScriptedSMTP) -> None:
    queue("one")
    queue("two")
    assert len(sweep(stop=lambda: len(mail_server.received) == 1)) == 1
    assert states() == [DeliveryState.SENT] * 2 + [DeliveryState.QUEUED] * 2


def test_one_message_that_cannot_be_sent_does_not_keep_the_others(
    mail_server: ScriptedSMTP, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    queue("one")
    queue("two")
    # A time to send that is no number: the mail's own code fails, and not the mail server.
    settings.MEETINGS_SMTP_DEADLINE = "soon"
    assert len(sweep()) == 2
    assert [
        record.getMessage().endswith("could not be delivered.") for record in caplog.records
    ] == [True, True]
    assert mail_server.received == []


def test_a_message_that_is_gone_is_no_trouble() -> None:
    assert deliver_stored(4711) == 0


def test_a_retry_that_a_newer_version_covers_does_not_go_out(
    send: Do, update: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    send()
    # The worker has claimed the retry when the update is stored, so that the update can only queue
    # behind it.
    Delivery.objects.filter(address=BOB.address).update(due_at=ago(seconds=1))
    [claim] = Delivery.objects.claim(Mail.objects.get().pk, lease=60)
    update(summary="New", budget=0)
    assert Delivery.objects.finish([Verdict(claim, DeliveryState.QUEUED, LATER, 30.0)]) == 1
    mail_server.scripts["rcpt"] = "250 ok"
    assert len(sweep()) == 1
    of_bob = Delivery.objects.filter(address=BOB.address).order_by("pk")
    assert list(of_bob.values_list("state", flat=True)) == [
        DeliveryState.SUPERSEDED,
        DeliveryState.SENT,
    ]


def test_a_lease_that_ran_out_under_a_newer_version_ends_without_a_second_mail(
    send: Do, update: Do, mail_server: ScriptedSMTP
) -> None:
    send()
    Delivery.objects.update(
        state=DeliveryState.SENDING, lease_until=timezone.now() + timedelta(minutes=1)
    )
    update(summary="New", budget=0)
    Delivery.objects.filter(state=DeliveryState.SENDING).update(lease_until=ago(seconds=1))
    while sweep():
        pass
    assert states() == [DeliveryState.SUPERSEDED] * 2 + [DeliveryState.SENT] * 2
    assert len(mail_server.received) == 2


def test_what_was_not_sent_before_its_deadline_is_not_sent_after_it(
    mail_server: ScriptedSMTP,
) -> None:
    queue()
    Delivery.objects.update(due_at=ago(hours=30), expires_at=ago(hours=6))
    assert len(sweep()) == 1
    assert set(Delivery.objects.values_list("state", "last_reply")) == {
        ("failed", "not sent before its deadline")
    }
    assert (mail_server.received, due_mails()) == ([], [])


def test_a_retry_that_was_asked_for_after_the_deadline_gets_one_attempt(
    mail_server: ScriptedSMTP,
) -> None:
    queue()
    Delivery.objects.update(state=DeliveryState.FAILED, expires_at=ago(hours=6))
    assert Delivery.objects.requeue() == 2
    mail_server.scripts["mail"] = LATER
    assert len(sweep()) == 1
    assert set(Delivery.objects.values_list("state", "last_reply")) == {("failed", LATER)}


def test_what_a_newer_version_has_overtaken_cannot_be_tried_again(
    send: Do, update: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["mail"] = "550 5.7.1 no"
    send()
    mail_server.scripts["mail"] = "250 ok"
    update(summary="New")
    assert Delivery.objects.filter(state=DeliveryState.FAILED).requeue() == 0
    assert sweep() == []


@pytest.mark.parametrize("operation", ["send", "update", "cancel"])
def test_a_budget_of_0_stores_and_answers_pending_at_once(
    operation: str, send: Do, update: Do, cancel: Do, mail_server: ScriptedSMTP
) -> None:
    if operation != "send":
        send()
    mail_server.scripts["banner"] = "421 4.3.2 nobody shall ask"
    had = len(mail_server.commands)
    began = time.perf_counter()
    receipt = {"send": send, "update": update, "cancel": cancel}[operation](budget=0)
    assert time.perf_counter() - began < 1
    assert receipt.recipients == {
        BOB.address: DeliveryState.QUEUED,
        CAROL.address: DeliveryState.QUEUED,
    }
    assert receipt.pending
    assert not receipt.sent
    assert len(mail_server.commands) == had
    assert set(
        Delivery.objects.filter(state=DeliveryState.QUEUED).values_list("attempt", flat=True)
    ) == {0}


def test_the_backlog_counts_every_state_and_knows_the_oldest() -> None:
    empty = backlog()
    assert (set(empty.counts.values()), empty.oldest_queued) == ({0}, None)
    queue("old")
    Delivery.objects.update(created_at=ago(seconds=100))
    queue("new")
    Delivery.objects.filter(address=BOB.address).update(state=DeliveryState.FAILED)
    full = backlog()
    assert {state: count for state, count in full.counts.items() if count} == {
        "queued": 2,
        "failed": 2,
    }
    assert full.oldest_queued == pytest.approx(100, abs=5)


def plan_of(statement: str, **values: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)
        return json.dumps(cursor.fetchone()[0])


def test_at_a_million_deliveries_all_is_found_by_index_and_an_idle_sweep_costs_nothing() -> None:
    fill()
    assert Delivery.objects.count() == ROWS
    first = Delivery.objects.order_by("pk").first()
    assert first
    verdict = {
        "ids": [first.pk],
        "attempts": [1],
        "states": ["queued"],
        "replies": [""],
        "retry_after": [30.0],
    }
    plans = [
        plan_of(statements._CLAIM, mail=ROWS // 8, lease=90.0),
        plan_of(statements._FINISH, may_have_left=[False], given_up=[False], **verdict),
        plan_of(statements._DUE, limit=200),
    ]
    assert ["Seq Scan" in plan for plan in plans] == [False] * 3

    def idle() -> float:
        began = time.perf_counter()
        assert sweep() == []
        return time.perf_counter() - began

    assert min(idle() for _ in range(20)) < 0.005
    Delivery.objects.filter(state=DeliveryState.QUEUED, pk__lt=first.pk + 2000).update(
        due_at=ago(seconds=1)
    )
    assert len(due_mails(limit=50)) == 50


def test_meetings_that_wait_are_pending_to_who_asks_again(send: Do) -> None:
    first = send(budget=0)
    assert send(budget=0) == first
    assert Meeting.objects.count() == 1
