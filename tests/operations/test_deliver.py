"""Mail that the mail server does not accept at once, and calls that overlap."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from meetings.models import Delivery, DeliveryState, Mail, Meeting
from meetings.models.delivery import Claim, Verdict
from meetings.operations.steps.deliver import deliver_mail
from tests.support.cast import BOB, CAROL, DAN
from tests.support.readers.mail import Mails
from tests.support.servers.database import another_session, threads_own_connection
from tests.support.servers.smtp_server import DROP, HANG, ScriptedSMTP
from tests.support.stories import cancel, hr_system, send, update
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("db", "mail_server")
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
def test_call_fails_when_no_mail_is_accepted(
    mail_server: ScriptedSMTP, scripts: dict[str, str]
) -> None:
    mail_server.scripts |= scripts
    standing = send()
    assert not standing.sent
    assert not standing.pending
    assert standing.error
    assert set(states().values()) == {DeliveryState.FAILED}


def test_unreachable_mail_server_fails_the_call(mail_server: ScriptedSMTP) -> None:
    mail_server.close()
    standing = send()
    assert set(standing.recipients.values()) == {DeliveryState.FAILED}
    assert "refused" in standing.error.lower()


def test_rest_is_retried_after_one_recipient_has_it(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    standing = send()
    assert standing.recipients == {
        BOB.address: DeliveryState.QUEUED,
        CAROL.address: DeliveryState.SENT,
    }
    waiting = Delivery.objects.get(address=BOB.address)
    assert waiting.finished_at
    assert timedelta(seconds=27) <= waiting.due_at - waiting.finished_at <= timedelta(seconds=33)
    assert waiting.last_reply == LATER


def test_retry_sends_the_same_bytes_when_due(mail_server: ScriptedSMTP) -> None:
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


def test_no_retry_after_the_meeting_is_over(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    past = timezone.now().replace(tzinfo=None, microsecond=0) - timedelta(days=3)
    send(start=past, end=past + timedelta(hours=1))
    assert states() == {BOB.address: DeliveryState.FAILED, CAROL.address: DeliveryState.SENT}


def test_ambiguous_end_is_retried_once_at_once(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["dot"] = [DROP, "250 ok"]
    assert set(send().recipients.values()) == {DeliveryState.SENT}
    assert len({transaction.raw for transaction in mail_server.received}) == 1
    assert len(mail_server.received) == 2
    assert set(Delivery.objects.values_list("may_have_left", flat=True)) == {True}


def test_cancel_reaches_who_may_have_the_request(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["dot"] = DROP
    assert not send().sent
    mail_server.scripts["dot"] = "250 ok"
    assert cancel().sent


def test_silent_mail_server_fails_within_the_budget(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    mail_server.scripts["mail"] = HANG
    settings.EMAIL_TIMEOUT = 60
    # On a busy machine a second may be over before the server is reached: then the mail stays due.
    for seconds in (1, 10, 100):
        standing = send(uid=f"meeting-{seconds}", budget=seconds)
        if mail_server.connections:
            break
    assert set(standing.recipients.values()) == {DeliveryState.FAILED}


def test_overtaken_claim_records_nothing(mail_server: ScriptedSMTP) -> None:
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


def test_expired_lease_marks_mail_as_possibly_sent(mail_server: ScriptedSMTP) -> None:
    send()
    Delivery.objects.update(
        state=DeliveryState.SENDING, lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert len(Delivery.objects.claim(Mail.objects.get().pk, lease=60)) == 2
    assert set(Delivery.objects.values_list("may_have_left", flat=True)) == {True}


def test_cancel_waits_for_its_request_to_finish(mail_server: ScriptedSMTP) -> None:
    send()
    request = Mail.objects.get()
    Delivery.objects.update(
        state=DeliveryState.SENDING, lease_until=timezone.now() + timedelta(minutes=1)
    )
    standing = cancel(budget=0.2)
    assert set(standing.recipients.values()) == {DeliveryState.QUEUED}
    assert len(mail_server.received) == 1
    verdicts = [
        Verdict(Claim(row.pk, row.attempt, row.address), DeliveryState.SENT, "250 ok")
        for row in request.deliveries.all()
    ]
    assert Delivery.objects.finish(verdicts) == 2
    assert [deliver_mail(mail) for mail in Mail.objects.filter(method="CANCEL")] == [1, 1]
    assert [transaction.recipients for transaction in mail_server.received[1:]] == [
        (BOB.address,),
        (CAROL.address,),
    ]


@pytest.mark.django_db(transaction=True)
def test_fifty_concurrent_updates_are_mailed_in_order(mails: Mails) -> None:
    send()
    start = threading.Barrier(50)

    def one(number: int) -> int:
        with threads_own_connection():
            start.wait()
            standing = update(summary=f"Version {number}", budget=PATIENCE)
            assert set(standing.recipients.values()) == {DeliveryState.SENT}
            return standing.sequence

    with ThreadPoolExecutor(50) as pool:
        assert sorted(pool.map(one, range(50))) == list(range(1, 51))
    assert Meeting.objects.get().sequence == 50
    sent = mails()
    assert [mail.sequence for mail in sent] == list(range(51))
    assert sorted({mail.dtstamp for mail in sent}) == [mail.dtstamp for mail in sent]


@pytest.mark.django_db(transaction=True)
def test_ten_concurrent_sends_of_one_uid_mail_once(mails: Mails) -> None:
    start = threading.Barrier(10)

    def one(_: int) -> bool:
        with threads_own_connection():
            start.wait()
            return send(budget=PATIENCE).sent

    with ThreadPoolExecutor(10) as pool:
        assert all(pool.map(one, range(10)))
    assert len(mails()) == 1


@pytest.mark.django_db(transaction=True)
def test_call_that_gets_no_turn_is_queued(mail_server: ScriptedSMTP) -> None:
    send()
    with another_session() as cursor:
        turn = hr_system().turn_on("meeting-1")
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [turn])
        standing = update(summary="New", budget=0.2)
    assert standing.pending
    assert set(standing.recipients.values()) == {DeliveryState.QUEUED}
    assert len(mail_server.received) == 1


def test_duplicate_send_leaves_scheduled_retries_alone(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: LATER, DAN.address: "550 5.1.1 nobody"}
    send(attendees=(BOB, CAROL, DAN))
    mail_server.scripts["rcpt"] = {DAN.address: LATER}
    expected = {BOB.address: "queued", CAROL.address: "sent", DAN.address: "queued"}
    assert send(attendees=(BOB, CAROL, DAN)).recipients == expected
    assert Delivery.objects.get(address=BOB.address).attempt == 1


@pytest.mark.django_db(transaction=True)
def test_promise_to_second_call_survives_failed_first(mail_server: ScriptedSMTP) -> None:
    gate = mail_server.hold("mail", LATER)

    def first() -> set[DeliveryState]:
        with threads_own_connection():
            return set(send().recipients.values())

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(first)
        gate.wait_for_client()
        assert set(send(budget=0).recipients.values()) == {DeliveryState.SENDING}
        gate.open()
        assert call.result() == {DeliveryState.QUEUED}
    mail_server.scripts["mail"] = "250 ok"
    assert deliver_mail(Mail.objects.get()) == 2
    assert set(states().values()) == {DeliveryState.SENT}
