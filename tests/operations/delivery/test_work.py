"""The background: what it claims, in which order, and what it leaves alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from meetings.models import Mail, Meeting
from meetings.models.outbox import queue as statements
from meetings.operations import work
from meetings.operations.pause import pause, resume
from meetings.operations.steps.sending.sender import current_lease, renew_lease
from meetings.operations.steps.sending.threads import sender_threads
from meetings.queries.standing import Standing
from tests.support.background import deliver, deliver_later
from tests.support.cast import BOB, CAROL
from tests.support.readers.mail import Mails
from tests.support.servers.database import another_session, threads_own_connection
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import cancel, queue, recipients, send, update

pytestmark = pytest.mark.usefixtures("db", "mail_server")


def queue_many(count: int) -> list[int]:
    """So many meetings, of which the last has waited longest. Return their ids in that order."""
    for number in range(count):
        queue(f"meeting-{number}")
        Meeting.objects.filter(uid=f"meeting-{number}").update(
            due_at=Now() - timedelta(hours=number)
        )
    return list(Meeting.objects.order_by("due_at").values_list("pk", flat=True))


@pytest.mark.parametrize("story", [send, update, cancel])
def test_call_without_time_leaves_mail_to_the_background(
    story: Callable[..., Standing], mail_server: ScriptedSMTP
) -> None:
    if story is not send:
        send()
    mails = Mail.objects.count()
    had = len(mail_server.commands)
    standing = story(budget=0)
    assert recipients(standing) == {BOB.address: "queued", CAROL.address: "queued"}
    assert (standing.pending, standing.told) == (True, False)
    assert len(mail_server.commands) == had
    assert Mail.objects.count() == mails  # nothing is composed
    deliver()
    assert set(states()) == {"sent"}


def test_background_sends_each_mail_once(mail_server: ScriptedSMTP) -> None:
    queue()
    assert work.work() == 1
    assert (work.work(), states(), len(mail_server.received)) == (0, ["sent", "sent"], 1)
    assert Meeting.objects.get().due_at is None


def test_background_tells_only_the_newest_of_waiting_versions(mails: Mails) -> None:
    queue()
    update(summary="Second", budget=0)
    update(summary="Third", budget=0)
    deliver()
    [mail] = mails()
    assert (mail.sequence, mail.vevent.summary.value) == (2, "Third")


def test_meeting_that_waits_longest_is_claimed_first() -> None:
    ids = queue_many(3)
    assert [work.claim(1) for _ in range(4)] == [*([each] for each in ids), []]


def test_claim_takes_twenty_meetings_at_most() -> None:
    ids = queue_many(21)
    assert sorted(work.claim()) == sorted(ids[:20])
    assert work.claim() == ids[20:]


def test_claim_lasts_as_long_as_two_leases(settings: Settings) -> None:
    queue()
    [claimed] = work.claim()
    assert work.claim() == []
    ends_at = Meeting.objects.get().due_at
    assert ends_at is not None
    assert 0 < (ends_at - timezone.now()).total_seconds() <= 2 * settings.MEETINGS_LEASE
    Meeting.objects.update(due_at=Now())
    assert work.claim() == [claimed]


@pytest.mark.django_db(transaction=True)
def test_claim_skips_what_another_one_is_claiming() -> None:
    first, second = queue_many(2)
    with another_session() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM meetings_meeting WHERE id = %s FOR UPDATE", [first])
        assert work.claim() == [second]


def test_meeting_that_is_not_due_is_left_alone(mail_server: ScriptedSMTP) -> None:
    queue()
    Meeting.objects.update(due_at=Now() + timedelta(seconds=30))
    deliver()
    assert mail_server.received == []


def test_stopped_worker_leaves_the_rest(mail_server: ScriptedSMTP) -> None:
    queue_many(2)

    def dot(_: str) -> str:
        sender_threads.stop()
        return "250 ok"

    mail_server.scripts["dot"] = dot
    assert work.work() == 2
    assert len(mail_server.received) == 1
    sender_threads.go_on()
    deliver_later()  # the claim ends by time
    assert len(mail_server.received) == 2


def test_one_broken_meeting_does_not_block_the_others(
    mail_server: ScriptedSMTP, caplog: pytest.LogCaptureFixture
) -> None:
    broken, good = queue_many(2)
    Meeting.objects.filter(pk=broken).update(tzid="Atlantis/Capital")
    deliver()
    assert len(mail_server.accepted) == 1
    assert f"The people of meeting {broken} could not be told." in caplog.text
    assert Meeting.objects.get(pk=good).due_at is None


def test_deleted_meeting_is_ignored() -> None:
    work.tell_people_of([4711])


def explained(statement: str, **values: float) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}", values)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_queue_is_searched_by_its_index() -> None:
    claimed = explained(statements._CLAIM, limit=20, seconds=60.0, most=3, patience=10.0)
    adopted = explained(statements._ADOPT)
    assert "meeting_due" in claimed
    for table in ("meeting", "delivery"):
        assert f"Seq Scan on meetings_{table}" not in claimed + adopted


def test_paused_server_stores_calls_and_mails_nothing(mail_server: ScriptedSMTP) -> None:
    pause("operator", "mail server moves")
    standing = send()
    assert (standing.is_paused, standing.pending, standing.told) == (True, True, False)
    assert recipients(standing) == {BOB.address: "queued", CAROL.address: "queued"}
    assert work.claim() == []
    deliver_later()
    assert mail_server.connections == 0
    assert Mail.objects.count() == 0
    assert resume()
    deliver()
    assert states() == ["sent", "sent"]
    assert not resume()


def test_first_pause_stays_in_force() -> None:
    pause("operator", "mail server moves")
    assert str(pause("somebody else").switch) == "operator: mail server moves"


def test_claimed_meeting_waits_for_the_end_of_a_pause(mail_server: ScriptedSMTP) -> None:
    queue()
    claimed = work.claim()
    pause("operator")
    work.tell_people_of(claimed)
    assert mail_server.connections == 0
    resume()
    deliver()
    assert states() == ["sent", "sent"]


@pytest.mark.django_db(transaction=True)
def test_pause_lets_a_mail_end_and_begins_no_other(mail_server: ScriptedSMTP) -> None:
    send()

    def dot(_: str) -> str:
        with threads_own_connection():
            pause("operator")
            renew_lease(current_lease())
        return "250 ok"

    mail_server.scripts["dot"] = dot
    standing = cancel()
    assert recipients(standing) == {BOB.address: "told", CAROL.address: "queued"}
    resume()
    mail_server.scripts["dot"] = "250 ok"
    deliver()
    assert len(mail_server.accepted) == 3
