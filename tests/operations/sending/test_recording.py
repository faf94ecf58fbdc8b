"""Outcomes that have to wait for the database, and octets that are dropped after their time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings

from meetings.models import Delivery, DeliveryState, Mail, MailBytes, Sender
from meetings.models.outbox import queue as lease
from meetings.operations import work
from meetings.operations.retention import drop_old_bytes
from meetings.operations.steps.sending.sender import current_lease, end_lease, may_finish
from tests.support.background import deliver, end_leases
from tests.support.servers.database import Outage
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import queue, send, send_again
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("db", "mail_server")


def at_the_dot(mail_server: ScriptedSMTP, do: Callable[[], None]) -> None:
    """Do something when the mail server has a mail, and before it says so."""

    def step(_: str) -> str:
        mail_server.scripts["dot"] = "250 2.0.0 queued"
        do()
        return "250 2.0.0 queued"

    mail_server.scripts["dot"] = step


def logged(caplog: pytest.LogCaptureFixture, words: str) -> int:
    return sum(words in record.getMessage() for record in caplog.records)


def test_outcome_waits_for_an_unreachable_database(
    outage: Outage, mail_server: ScriptedSMTP, caplog: pytest.LogCaptureFixture
) -> None:
    report = "The database is unavailable, so what became of mails waits"

    def end_it_once_it_was_noticed() -> None:
        wait_until(lambda: logged(caplog, report), "the log's word of the outage")
        outage.end()

    queue()
    at_the_dot(mail_server, outage.begin)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(end_it_once_it_was_noticed)
        work.tell_people_of(work.claim())
    ended.result()
    connection.close()  # this thread's own broke, too
    assert states() == ["sent", "sent"]
    assert len(mail_server.received) == 1
    assert logged(caplog, report) == 1


def test_mail_goes_again_when_its_outcome_is_lost(
    outage: Outage, mail_server: ScriptedSMTP, caplog: pytest.LogCaptureFixture
) -> None:
    ours = current_lease()

    def begin_and_last() -> None:
        outage.begin()
        ours.renewed_at -= settings.MEETINGS_LEASE

    queue()
    at_the_dot(mail_server, begin_and_last)
    with pytest.raises(Exception, match="connection"):
        deliver()
    assert logged(caplog, "The outcome of 2 deliveries could not be recorded.") == 1
    outage.end()
    end_leases()
    deliver()
    assert states() == ["sent", "sent"]
    first, again = mail_server.received
    assert first.raw == again.raw
    assert set(Delivery.objects.values_list("attempt", "unknown_ends")) == {(2, 1)}


def test_process_without_a_lease_sends_no_dot(mail_server: ScriptedSMTP) -> None:
    ours = current_lease()

    def data(_: str) -> str:
        ours.renewed_at -= settings.MEETINGS_LEASE
        return "354 go ahead"

    queue()
    mail_server.scripts["data"] = data
    deliver()
    # The mail server notices the end of the connection in a thread of its own.
    wait_until(lambda: mail_server.unfinished, "the mail without its dot")
    assert mail_server.received == []
    assert len(mail_server.unfinished) == 1
    assert states() == ["deferred", "deferred"]


def test_lease_that_ended_is_never_renewed() -> None:
    ours = current_lease()
    end_leases()
    assert not lease.renew(ours.sender_id, connections=0)
    ours.renewed_at -= settings.MEETINGS_LEASE  # what its own clock says
    assert not may_finish(ours)
    assert current_lease().sender_id != ours.sender_id


def test_process_gives_its_lease_back() -> None:
    ours = current_lease()
    assert Sender.objects.filter(pk=ours.sender_id, alive_until__gt=Now()).exists()
    end_lease()
    assert not Sender.objects.filter(pk=ours.sender_id, alive_until__gt=Now()).exists()


def age(days: float) -> None:
    Mail.objects.update(created_at=Now() - timedelta(days=days))


def test_old_octets_are_dropped_and_outcomes_stay() -> None:
    send()
    age(days=89)
    assert (drop_old_bytes(), MailBytes.objects.count()) == (0, 1)
    age(days=91)
    assert (drop_old_bytes(), MailBytes.objects.count()) == (1, 0)
    assert states() == ["sent", "sent"]
    assert Mail.objects.get().subject


@pytest.mark.parametrize("state", ["sending", "deferred", "unknown"])
def test_octets_of_an_open_mail_are_kept(state: DeliveryState) -> None:
    send()
    age(days=400)
    one = Delivery.objects.order_by("pk")[0]
    Delivery.objects.filter(pk=one.pk).update(state=state)
    assert (drop_old_bytes(), MailBytes.objects.count()) == (0, 1)


def test_octets_can_be_kept_for_ever(settings: Settings) -> None:
    settings.MEETINGS_KEEP_BYTES_DAYS = 0
    send()
    age(days=4000)
    assert (drop_old_bytes(), MailBytes.objects.count()) == (0, 1)


def test_open_mail_without_octets_is_refused_until_it_is_mailed_again(
    mail_server: ScriptedSMTP,
) -> None:
    queue()
    mail_server.scripts["rcpt"] = "451 4.3.0 later"
    deliver()
    MailBytes.objects.all().delete()
    mail_server.scripts["rcpt"] = "250 ok"
    assert "kept no longer" in send().error
    assert mail_server.received == []
    assert send_again().told
