"""The mail server as a whole: it has no room, or it hangs."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Thread

import pytest
from django.conf import settings
from django.db.models.functions import Now
from pytest_django import Settings

from meetings.deadline import Deadline
from meetings.models import Attendee, Delivery, MailServer, Meeting
from meetings.models.outbox import server
from meetings.models.outbox.state import ALL_WELL, MOST_HANGS
from meetings.operations import work
from meetings.operations.pause import resume
from meetings.operations.steps.sending import mail_server as known
from meetings.operations.steps.sending.sender import current_lease, renew_lease, renew_leases
from meetings.operations.steps.tell import bring_up_to_date
from meetings.transport.outcome import Loss, Outcome, Phase, SendStatus
from tests.support.background import deliver, pass_time
from tests.support.cast import BOB, CAROL
from tests.support.servers.smtp_server import DEFAULTS, HANG, ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import queue, recipients, send
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.usefixtures("db", "mail_server")

QUEUED = {BOB.address: "queued", CAROL.address: "queued"}
BUSY = "421 4.7.0 too many connections"
QUEUED_THERE = Outcome(SendStatus.SENT, "250 2.0.0 queued", phase=Phase.MESSAGE)
LOST = Outcome(SendStatus.DEFERRED, "closed", phase=Phase.RCPT, loss=Loss.BROKEN)
SILENT = Outcome(SendStatus.DEFERRED, "no reply", phase=Phase.RCPT, loss=Loss.SILENT)


@pytest.fixture
def quick_to_give_up(mail_server: ScriptedSMTP, settings: Settings) -> ScriptedSMTP:
    """A mail server that says nothing after RCPT, and a client that does not wait for long."""
    settings.EMAIL_TIMEOUT = 0.05
    mail_server.scripts["rcpt"] = HANG
    return mail_server


def hang(times: int) -> None:
    for number in range(times):
        assert send(uid=f"hang-{number}").error


def paused() -> bool:
    return MailServer.objects.filter(paused_until__gt=Now()).exists()


@pytest.mark.parametrize("moment", ["banner", "mail", "rcpt", "data"])
def test_server_without_room_is_left_alone_by_everybody(
    mail_server: ScriptedSMTP, moment: str
) -> None:
    mail_server.scripts[moment] = BUSY
    assert send().error
    connections = mail_server.connections
    mail_server.scripts[moment] = DEFAULTS[moment]
    standing = send(uid="meeting-2")
    assert recipients(standing) == QUEUED
    assert standing.server_is_closed
    assert work.claim() == []
    assert mail_server.connections == connections
    pass_time(seconds=10)
    deliver()
    assert [len(mail.recipients) for mail in mail_server.accepted] == [2]


def test_server_without_room_lengthens_nobodys_pause(mail_server: ScriptedSMTP) -> None:
    queue()
    mail_server.scripts["mail"] = BUSY
    for _ in range(3):
        deliver()
        pass_time(minutes=10)
    mail_server.scripts |= {"mail": DEFAULTS["mail"], "dot": "451 4.2.0 later"}
    deliver()
    [delivery, _] = Delivery.objects.all()
    assert (delivery.attempt, delivery.free_ends) == (4, 3)
    first, jitter = settings.MEETINGS_BACK_OFF[0], 1 + settings.MEETINGS_JITTER
    soon = Now() + timedelta(seconds=first * jitter)
    assert Attendee.objects.filter(retry_at__gt=Now(), retry_at__lte=soon).count() == 2


def test_refusal_of_one_sender_pauses_nobody(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["mail"] = ["450 4.1.8 sender unknown", "250 ok"]
    assert send().error
    assert send(uid="meeting-2").told


def test_pauses_of_a_server_without_room_grow() -> None:
    closed_for = []
    for _ in range(8):
        closed_for.append(round(server.was_busy().closed_for))
        pass_time(hours=1)
    assert closed_for == [5, 10, 20, 40, 80, 160, 300, 300]


def test_refusals_of_one_moment_are_one_time() -> None:
    first = server.was_busy()
    for _ in range(8):
        again = server.was_busy()
        assert again.busy == 1
        assert again.closed_for <= first.closed_for


def test_idle_connections_leave_their_room_to_others(mail_server: ScriptedSMTP) -> None:
    assert send().told
    server.was_busy()
    renew_lease(current_lease())
    wait_until(lambda: "QUIT" in mail_server.verbs(), "the end of the idle connection")


def test_operator_has_the_server_tried_at_once(mail_server: ScriptedSMTP) -> None:
    known.note(server.was_busy())
    for _ in range(MOST_HANGS):
        server.hung(lasted=30.0)
    assert not resume()
    assert send().told


def test_operator_has_deferred_mails_tried_at_once(mail_server: ScriptedSMTP) -> None:
    queue()
    mail_server.scripts["dot"] = "451 4.3.0 later"
    deliver()
    deliver()
    mail_server.scripts["dot"] = DEFAULTS["dot"]
    assert states() == ["deferred", "deferred"]
    assert work.claim() == []
    resume()
    deliver()
    assert states() == ["sent", "sent"]
    assert resume() is False  # with nobody left to make due


def test_server_that_takes_a_mail_again_has_no_trouble(mail_server: ScriptedSMTP) -> None:
    known.note(server.was_busy())
    pass_time(seconds=10)
    assert send().told
    assert MailServer.objects.get().busy == 0


def test_mail_of_another_process_does_not_end_the_pause(mail_server: ScriptedSMTP) -> None:
    server.was_busy()
    assert server.was_well().closed_for > 0
    assert paused()


def test_calls_do_not_try_a_server_that_hung_three_times(quick_to_give_up: ScriptedSMTP) -> None:
    hang(MOST_HANGS)
    connections = quick_to_give_up.connections
    quick_to_give_up.scripts["rcpt"] = "250 ok"
    assert recipients(send()) == QUEUED
    pass_time(hours=1)  # only a probe finds out if it works again
    assert recipients(send()) == QUEUED
    assert quick_to_give_up.connections == connections


def test_server_that_hangs_now_and_then_is_not_left_alone(quick_to_give_up: ScriptedSMTP) -> None:
    for _ in range(MOST_HANGS):
        quick_to_give_up.scripts["rcpt"] = [HANG, "250 ok"]
        hang(1)
        Meeting.objects.all().delete()
        assert send().told
        Meeting.objects.all().delete()
    assert not paused()


def test_one_mail_probes_a_server_that_hung(quick_to_give_up: ScriptedSMTP) -> None:
    hang(MOST_HANGS)
    for number in range(4):
        queue(f"meeting-{number}")
    assert work.claim() == []
    pass_time(hours=1)
    assert len(work.claim()) == 1
    pass_time(hours=1)
    connections = quick_to_give_up.connections
    deliver()
    assert quick_to_give_up.connections == connections + 1
    quick_to_give_up.scripts["rcpt"] = "250 ok"
    pass_time(hours=1)
    deliver()
    assert len(quick_to_give_up.accepted) == 4
    assert not server.was_well().has_trouble


def test_two_processes_do_not_probe_at_once() -> None:
    for _ in range(MOST_HANGS):
        server.hung(lasted=30.0)
    assert not server.may_probe()  # it is still left alone
    pass_time(hours=1)
    assert server.may_probe()
    assert not server.may_probe()
    server.was_well()
    assert not server.may_probe()  # another one has found out that it works


def test_process_keeps_its_turn_for_as_long_as_it_probes() -> None:
    for _ in range(MOST_HANGS):
        server.hung(lasted=30.0)
    pass_time(hours=1)
    renew_lease(current_lease())
    with known.turn():
        assert known.may_begin(Deadline(PATIENCE))
        for _ in range(3):
            pass_time(seconds=settings.MEETINGS_LEASE * 2 / 3)
            renew_leases()
            assert not server.may_probe()
        known.learn([LOST])  # what it asked has no answer
    pass_time(seconds=6)
    assert server.may_probe()


def test_turn_ends_where_the_mail_is_not_begun_after_all(settings: Settings) -> None:
    for _ in range(MOST_HANGS):
        server.hung(lasted=30.0)
    queue()
    pass_time(hours=1)
    settings.MEETINGS_SMTP_RATE = 1.0
    assert server.take_slot(patience=0.0) == 0.0  # the next one is a minute away
    bring_up_to_date(Meeting.objects.get().pk)
    pass_time(seconds=6)
    assert server.may_probe()


def a_mail_that_is_taken() -> None:
    assert known.may_begin(Deadline(PATIENCE))
    known.learn([QUEUED_THERE])


def test_hang_is_none_where_a_younger_mail_got_a_reply() -> None:
    assert known.may_begin(Deadline(PATIENCE))
    another = Thread(target=a_mail_that_is_taken)
    another.start()
    another.join()
    known.learn([SILENT])
    assert not MailServer.objects.exists()
    assert known.may_begin(Deadline(PATIENCE))
    known.learn([SILENT])
    assert MailServer.objects.get().hangs == 1


def test_transaction_begins_only_where_it_is_the_probe() -> None:
    for _ in range(MOST_HANGS):
        known.note(server.hung(lasted=30.0) or ALL_WELL)
    assert not known.may_begin(Deadline(PATIENCE))
    pass_time(hours=1)
    renew_lease(current_lease())
    assert known.may_begin(Deadline(PATIENCE))
    assert not known.may_begin(Deadline(PATIENCE))


def test_rest_of_a_mail_is_not_begun_where_the_server_has_no_room(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1
    mail_server.scripts["rcpt"] = [BUSY, "250 ok"]
    standing = send()
    assert recipients(standing) == QUEUED
    assert mail_server.connections == 1
    pass_time(minutes=1)
    deliver()
    assert [mail.recipients for mail in mail_server.accepted] == [(BOB.address,), (CAROL.address,)]


def test_process_hears_of_the_mail_server_with_its_heartbeat() -> None:
    ours = current_lease()
    server.was_busy()
    assert known._state is ALL_WELL
    renew_lease(ours)
    assert known._state.busy == 1


@pytest.fixture(autouse=True)
def nothing_is_known() -> Iterator[None]:
    """What a test has taught this process is forgotten."""
    yield
    known.note(ALL_WELL)


def test_claim_of_a_paused_server_is_none() -> None:
    queue()
    server.was_busy()
    assert work.claim() == []
    MailServer.objects.update(paused_until=Now() - timedelta(seconds=1))
    assert len(work.claim()) == 1
