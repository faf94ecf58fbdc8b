"""What becomes of a call's mail when the mail server does not simply take it, and how overlapping
calls take turns.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from meetings.itip.event import Attendee
from meetings.models import Delivery, DeliveryState, Mail, Meeting
from meetings.models.delivery import Claim, Verdict
from meetings.operations.steps.deliver import deliver_mail
from tests.operations.conftest import Do
from tests.support.cast import BOB, CAROL
from tests.support.mail import Invitation
from tests.support.smtp_server import DROP, HANG, ScriptedSMTP

Mails = Callable[[], list[Invitation]]
DAN = Attendee(address="dan@example.org", name="Dan")
LATER = "451 4.3.0 try later"


def states() -> dict[str, str]:
    return dict(Delivery.objects.values_list("address", "state"))


@pytest.mark.parametrize(
    "scripts",
    [
        {"banner": "421 4.3.2 busy"},
        {"mail": LATER},
        {"mail": "550 5.7.1 no"},
        {"rcpt": LATER},
        {"rcpt": "550 5.1.1 nobody"},
        {"data": LATER},
        {"dot": LATER},
        {"dot": "554 5.7.1 spam"},
        {"dot": DROP},
    ],
    ids=str,
)
def test_when_nobodys_mail_is_accepted_everything_has_failed_and_stays_so(
    send: Do, mail_server: ScriptedSMTP, scripts: dict[str, str]
) -> None:
    mail_server.scripts |= scripts
    receipt = send()
    assert not receipt.sent
    assert not receipt.pending
    assert receipt.error
    assert set(states().values()) == {DeliveryState.FAILED}


def test_a_mail_server_that_is_down_fails_the_call_and_says_so(
    send: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.close()
    receipt = send()
    assert set(receipt.recipients.values()) == {DeliveryState.FAILED}
    assert "refused" in receipt.error.lower()


def test_once_somebody_has_the_mail_the_rest_is_tried_again_later(
    send: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    receipt = send()
    assert receipt.recipients == {
        BOB.address: DeliveryState.QUEUED,
        CAROL.address: DeliveryState.SENT,
    }
    waiting = Delivery.objects.get(address=BOB.address)
    assert timedelta(seconds=20) < waiting.due_at - timezone.now() < timedelta(seconds=40)
    assert waiting.last_reply == LATER


def test_what_is_tried_again_leaves_with_the_same_bytes_when_it_is_due(
    send: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    send()
    message = Mail.objects.get()
    assert deliver_mail(message) == 0  # not due yet
    Delivery.objects.update(due_at=timezone.now())
    mail_server.scripts["rcpt"] = "250 ok"
    assert deliver_mail(message) == 1
    first, second = mail_server.received
    assert (second.recipients, second.raw) == ((BOB.address,), first.raw)
    assert set(states().values()) == {DeliveryState.SENT}


def test_nothing_is_tried_again_after_the_meeting_is_over(
    send: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    past = timezone.now().replace(tzinfo=None, microsecond=0) - timedelta(days=3)
    send(start=past, end=past + timedelta(hours=1))
    assert states() == {BOB.address: DeliveryState.FAILED, CAROL.address: DeliveryState.SENT}


def test_an_end_that_leaves_open_who_has_the_mail_is_tried_once_more_at_once(
    send: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["dot"] = [DROP, "250 ok"]
    assert set(send().recipients.values()) == {DeliveryState.SENT}
    assert len({transaction.raw for transaction in mail_server.received}) == 1
    assert len(mail_server.received) == 2
    assert set(Delivery.objects.values_list("may_have_left", flat=True)) == {True}


def test_who_may_have_the_request_gets_the_cancel(
    send: Do, cancel: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["dot"] = DROP
    assert not send().sent
    mail_server.scripts["dot"] = "250 ok"
    assert cancel().sent


def test_a_mail_server_that_says_nothing_costs_the_time_budget_and_no_more(
    send: Do, mail_server: ScriptedSMTP, settings: Settings
) -> None:
    mail_server.scripts["mail"] = HANG
    settings.EMAIL_TIMEOUT = 60
    receipt = send(budget=0.3)
    assert set(receipt.recipients.values()) == {DeliveryState.FAILED}


def test_a_claim_that_was_overtaken_records_nothing(send: Do, mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    send()
    row = Delivery.objects.get(address=BOB.address)
    Delivery.objects.filter(pk=row.pk).update(due_at=timezone.now())
    [claim] = Delivery.objects.claim(row.mail_id, lease=0)
    [second] = Delivery.objects.claim(row.mail_id, lease=60)
    assert (claim.attempt, second.attempt) == (2, 3)
    assert Delivery.objects.finish([Verdict(claim, DeliveryState.FAILED, "too late")]) == 0
    assert Delivery.objects.finish([Verdict(second, DeliveryState.SENT, "250 ok")]) == 1
    assert states()[BOB.address] == DeliveryState.SENT


def test_a_lease_that_ran_out_marks_that_the_mail_may_have_left(
    send: Do, mail_server: ScriptedSMTP
) -> None:
    send()
    Delivery.objects.update(
        state=DeliveryState.SENDING, lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert len(Delivery.objects.claim(Mail.objects.get().pk, lease=60)) == 2
    assert set(Delivery.objects.values_list("may_have_left", flat=True)) == {True}


def test_a_cancel_cannot_be_claimed_while_its_request_is_under_way(
    send: Do, cancel: Do, mail_server: ScriptedSMTP
) -> None:
    send()
    request = Mail.objects.get()
    Delivery.objects.update(
        state=DeliveryState.SENDING, lease_until=timezone.now() + timedelta(minutes=1)
    )
    receipt = cancel(budget=0.2)
    assert set(receipt.recipients.values()) == {DeliveryState.QUEUED}
    assert len(mail_server.received) == 1
    verdicts = [
        Verdict(Claim(row.pk, row.attempt, row.address), DeliveryState.SENT, "250 ok")
        for row in request.deliveries.all()
    ]
    assert Delivery.objects.finish(verdicts) == 2
    assert [deliver_mail(message) for message in Mail.objects.filter(method="CANCEL")] == [1, 1]
    assert [transaction.recipients for transaction in mail_server.received[1:]] == [
        (BOB.address,),
        (CAROL.address,),
    ]


@contextmanager
def other_session() -> Iterator[None]:
    """A thread's own database connection, closed at its end."""
    try:
        yield
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_fifty_updates_at_once_get_fifty_sequences_each_mailed_once_in_order(
    send: Do, update: Do, mails: Mails
) -> None:
    send()
    start = threading.Barrier(50)

    def one(number: int) -> int:
        with other_session():
            start.wait()
            receipt = update(summary=f"Version {number}", budget=60)
            assert set(receipt.recipients.values()) == {DeliveryState.SENT}
            return receipt.sequence

    with ThreadPoolExecutor(50) as pool:
        assert sorted(pool.map(one, range(50))) == list(range(1, 51))
    assert Meeting.objects.get().sequence == 50
    sent = mails()
    assert [mail.sequence for mail in sent] == list(range(51))
    assert sorted({mail.dtstamp for mail in sent}) == [mail.dtstamp for mail in sent]


@pytest.mark.django_db(transaction=True)
def test_ten_sends_of_one_uid_at_once_mail_once(send: Do, mails: Mails) -> None:
    start = threading.Barrier(10)

    def one(_: int) -> bool:
        with other_session():
            start.wait()
            return send(budget=60).sent

    with ThreadPoolExecutor(10) as pool:
        assert all(pool.map(one, range(10)))
    assert len(mails()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_call_whose_turn_does_not_come_in_time_is_queued(
    send: Do, update: Do, mail_server: ScriptedSMTP
) -> None:
    send()
    release = threading.Event()
    held = threading.Event()

    def hold_the_turn() -> None:
        with other_session(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended('meeting-1', 0))")
            held.set()
            release.wait()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold_the_turn)
        held.wait()
        receipt = update(summary="New", budget=0.2)
        release.set()
    assert receipt.pending
    assert set(receipt.recipients.values()) == {DeliveryState.QUEUED}
    assert len(mail_server.received) == 1


def test_a_repeated_send_leaves_alone_what_already_waits_for_its_next_try(
    send: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: LATER, DAN.address: "550 5.1.1 nobody"}
    send(attendees=(BOB, CAROL, DAN))
    mail_server.scripts["rcpt"] = {DAN.address: LATER}
    expected = {BOB.address: "queued", CAROL.address: "sent", DAN.address: "queued"}
    assert send(attendees=(BOB, CAROL, DAN)).recipients == expected
    assert Delivery.objects.get(address=BOB.address).attempt == 1


@pytest.mark.django_db(transaction=True)
def test_what_a_second_call_was_told_is_queued_outlives_the_failure_of_the_first(
    send: Do, mail_server: ScriptedSMTP
) -> None:
    at_mail, go_on = threading.Event(), threading.Event()

    def later(_: str) -> str:
        at_mail.set()
        go_on.wait(30)
        return LATER

    mail_server.scripts["mail"] = later

    def first() -> set[DeliveryState]:
        with other_session():
            return set(send().recipients.values())

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(first)
        at_mail.wait(30)
        assert set(send(budget=0).recipients.values()) == {DeliveryState.SENDING}
        go_on.set()
        assert answer.result() == {DeliveryState.QUEUED}
    mail_server.scripts["mail"] = "250 ok"
    assert deliver_mail(Mail.objects.get()) == 2
    assert set(states().values()) == {DeliveryState.SENT}
