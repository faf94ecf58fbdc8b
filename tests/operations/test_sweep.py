"""What the background finds, in which order, at what cost, and what it leaves alone."""

from collections.abc import Callable, Iterator
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
from meetings.queries.standing import Standing
from tests.operations.full_outbox import ROWS, fill
from tests.support.cast import BOB, CAROL
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import cancel, queue, send, update

LATER = "451 4.3.0 try later"
pytestmark = pytest.mark.usefixtures("db", "mail_server")


def ago(**period: float) -> Any:
    return timezone.now() - timedelta(**period)


def test_sweep_delivers_queued_mail_once(mail_server: ScriptedSMTP) -> None:
    queue()
    assert len(sweep()) == 1
    assert states() == [DeliveryState.SENT] * 2
    assert (sweep(), len(mail_server.received)) == ([], 1)


def test_longest_waiting_mail_goes_first(mail_server: ScriptedSMTP) -> None:
    for uid in ("first", "second", "third"):
        queue(uid)
    first, second, third = Mail.objects.order_by("pk")
    Delivery.objects.filter(mail=third).update(due_at=ago(minutes=1))
    assert due_mails() == [third.pk, first.pk, second.pk]


def test_sweep_finds_only_leases_that_expired() -> None:
    queue()
    Delivery.objects.update(
        state=DeliveryState.SENDING, lease_until=timezone.now() + timedelta(minutes=1)
    )
    assert due_mails() == []
    Delivery.objects.update(lease_until=ago(seconds=1))
    assert len(sweep()) == 1
    assert states() == [DeliveryState.SENT] * 2
    assert set(Delivery.objects.values_list("may_have_left", flat=True)) == {True}


def test_scheduled_retry_is_not_due_early() -> None:
    queue()
    Delivery.objects.update(due_at=timezone.now() + timedelta(seconds=30))
    assert sweep() == []


def test_blocked_mail_takes_no_place_in_the_batch() -> None:
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


def test_stopped_sweep_leaves_the_rest(mail_server: ScriptedSMTP) -> None:
    queue("one")
    queue("two")
    assert len(sweep(stop=lambda: len(mail_server.received) == 1)) == 1
    assert states() == [DeliveryState.SENT] * 2 + [DeliveryState.QUEUED] * 2


def test_one_broken_mail_does_not_block_the_others(
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


def test_deleted_mail_is_ignored() -> None:
    assert deliver_stored(4711) == 0


def test_superseded_retry_is_not_sent(mail_server: ScriptedSMTP) -> None:
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


def test_superseded_claim_sends_no_second_mail(mail_server: ScriptedSMTP) -> None:
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


def test_mail_past_its_deadline_is_not_sent(mail_server: ScriptedSMTP) -> None:
    queue()
    Delivery.objects.update(due_at=ago(hours=30), expires_at=ago(hours=6))
    assert len(sweep()) == 1
    assert set(Delivery.objects.values_list("state", "last_reply")) == {
        ("failed", "not sent before its deadline")
    }
    assert (mail_server.received, due_mails()) == ([], [])


def test_requested_retry_past_deadline_gets_one_try(mail_server: ScriptedSMTP) -> None:
    queue()
    Delivery.objects.update(state=DeliveryState.FAILED, expires_at=ago(hours=6))
    assert Delivery.objects.requeue() == 2
    mail_server.scripts["mail"] = LATER
    assert len(sweep()) == 1
    assert set(Delivery.objects.values_list("state", "last_reply")) == {("failed", LATER)}


def test_superseded_delivery_cannot_be_retried(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["mail"] = "550 5.7.1 no"
    send()
    mail_server.scripts["mail"] = "250 ok"
    update(summary="New")
    assert Delivery.objects.filter(state=DeliveryState.FAILED).requeue() == 0
    assert sweep() == []


@pytest.mark.parametrize("story", [send, update, cancel])
def test_budget_of_0_leaves_mail_to_the_background(
    story: Callable[..., Standing], mail_server: ScriptedSMTP
) -> None:
    if story is not send:
        send()
    mail_server.scripts["banner"] = "421 4.3.2 nobody shall ask"
    had = len(mail_server.commands)
    standing = story(budget=0)
    assert standing.recipients == {
        BOB.address: DeliveryState.QUEUED,
        CAROL.address: DeliveryState.QUEUED,
    }
    assert standing.pending
    assert not standing.sent
    assert len(mail_server.commands) == had
    assert set(
        Delivery.objects.filter(state=DeliveryState.QUEUED).values_list("attempt", flat=True)
    ) == {0}


def test_backlog_counts_states_and_finds_the_oldest() -> None:
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
    assert full.oldest_queued is not None
    assert full.oldest_queued >= 100


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes_of(child)


def explained(options: str, statement: str, **values: Any) -> list[dict[str, Any]]:
    """The nodes of the plan that PostgreSQL makes for the statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({options}, FORMAT JSON) {statement}", values)
        return list(nodes_of(cursor.fetchone()[0][0]["Plan"]))


def test_full_outbox_is_searched_by_index() -> None:
    fill()
    assert Delivery.objects.count() == ROWS
    first = Delivery.objects.order_by("pk")[0]
    verdict = {
        "ids": [first.pk],
        "attempts": [1],
        "states": ["queued"],
        "replies": [""],
        "retry_after": [30.0],
        "may_have_left": [False],
        "given_up": [False],
    }
    for nodes in (
        explained("COSTS", statements._CLAIM, mail=ROWS // 8, lease=90.0),
        explained("COSTS", statements._FINISH, **verdict),
        explained("COSTS", statements._DUE, limit=200),
    ):
        assert "Seq Scan" not in {node["Node Type"] for node in nodes}


def test_idle_sweep_reads_few_pages_of_a_full_outbox() -> None:
    fill()
    whole, *_ = explained("ANALYZE, BUFFERS", statements._DUE, limit=200)
    assert whole["Actual Rows"] == 0
    # The table has thousands of pages. What other tests left behind costs a few more of an index.
    assert whole["Shared Hit Blocks"] + whole["Shared Read Blocks"] < 100
    assert sweep() == []


def test_sweep_takes_no_more_than_its_limit() -> None:
    for number in range(4):
        queue(f"meeting-{number}")
    assert len(due_mails(limit=4)) == 2  # a limit counts deliveries, and each mail has two


def test_duplicate_send_of_pending_meeting_is_pending() -> None:
    first = send(budget=0)
    assert send(budget=0) == first
    assert Meeting.objects.count() == 1
