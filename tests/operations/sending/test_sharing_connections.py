"""A mail server that bears fewer connections than all processes may have: they share them."""

import time
from typing import Any

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from meetings.deadline import Deadline
from meetings.models import Delivery, MailServer, Sender
from meetings.models.outbox import server
from meetings.operations.steps.sending import mail_server as known
from meetings.operations.steps.sending.sender import current_lease, renew_lease
from meetings.transport.send import connections_allowed
from meetings.transport.smtp.pool import lend
from meetings.transport.smtp.pooled import Limits
from meetings.transport.smtp.session import Server
from tests.support.background import deliver, pass_time
from tests.support.cast import BOB, CAROL
from tests.support.other_processes import another_process
from tests.support.servers.smtp_server import DEFAULTS, TOO_MANY_CONNECTIONS, ScriptedSMTP
from tests.support.stories import recipients, send
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.usefixtures("db", "mail_server", "knows_nothing_of_others")


def turned_away() -> int:
    return MailServer.objects.values_list("turned_away", flat=True).first() or 0


def test_process_without_a_connection_waits_while_another_is_served(
    mail_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.transport.smtp.pool._BETWEEN_TRIES", 0.01)
    another_process(served_ago=5)
    refused = [TOO_MANY_CONNECTIONS] * 3
    mail_server.scripts["banner"] = [*refused, DEFAULTS["banner"]]
    assert send().told
    assert turned_away() == 1  # it says so once in a while
    assert MailServer.objects.get().paused_until is None


@pytest.mark.parametrize(
    ("served_ago", "alive"),
    [(-60.0, False), (60.0, True)],  # less than 0: lately, for as long as the test lasts
    ids=["dead", "long ago"],
)
def test_server_that_serves_nobody_is_left_alone(
    mail_server: ScriptedSMTP, settings: Settings, served_ago: float, alive: bool
) -> None:
    settings.MEETINGS_LEASE = 30.0
    another_process(served_ago=served_ago, alive=alive)
    mail_server.scripts["banner"] = TOO_MANY_CONNECTIONS
    assert send().error
    assert MailServer.objects.filter(paused_until__gt=Now(), busy=1).exists()


def test_process_that_is_refused_waits_for_what_others_are_about_to_say(
    mail_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.transport.smtp.pool._BETWEEN_TRIES", 0.01)
    monkeypatch.setattr(time, "sleep", lambda _: another_process(served_ago=0))
    mail_server.scripts["banner"] = [TOO_MANY_CONNECTIONS, DEFAULTS["banner"]]
    assert send().told
    assert not MailServer.objects.filter(paused_until__isnull=False).exists()


def test_heartbeat_says_that_a_connection_is_there_before_any_reply(
    mail_server: ScriptedSMTP,
) -> None:
    ours = current_lease()
    renew_lease(ours)
    assert Sender.objects.get().served_at is None
    wire = Server(host=mail_server.host, port=mail_server.port, our_name="a.example.com")
    with lend(wire, Limits(), Deadline(PATIENCE)) as place:
        place.open(Deadline(PATIENCE))
        renew_lease(ours)
        sender = Sender.objects.get()
        assert sender.served_at
        assert sender.replied_at is None


def test_process_is_not_served_by_its_own_connections(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    assert send().told
    renew_lease(current_lease())
    mail_server.drop_connections()
    mail_server.scripts["banner"] = TOO_MANY_CONNECTIONS
    assert send(uid="meeting-2").error
    assert MailServer.objects.get().busy == 1


def test_pause_that_another_process_has_begun_holds(
    mail_server: ScriptedSMTP, django_assert_num_queries: Any
) -> None:
    another_process(served_ago=5)
    server.was_busy()
    ours = current_lease().sender_id
    with django_assert_num_queries(1):
        assert not known.is_served_elsewhere(ours)


def test_process_makes_way_when_it_hears_of_one_that_was_turned_away(
    mail_server: ScriptedSMTP,
) -> None:
    assert send().told
    renew_lease(current_lease())
    known.is_served_elsewhere(another_process(served_ago=5).pk)
    assert connections_allowed() == 8  # not for itself
    other = another_process(served_ago=5)
    assert server.was_turned_away(other.pk, counts=False)
    renew_lease(current_lease())
    assert connections_allowed() == 8
    assert server.was_turned_away(other.pk, counts=True)
    renew_lease(current_lease())
    assert connections_allowed() == 1
    wait_until(lambda: "QUIT" in mail_server.verbs(), "the end of the idle connection")


def test_new_process_makes_no_way_for_what_was_long_before(
    mail_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send().told
    monkeypatch.setattr(known, "_turned_away", None)
    MailServer.objects.create(turned_away=7)
    renew_lease(current_lease())
    assert connections_allowed() == 8


def test_mail_that_was_too_much_at_once_goes_on_without_its_call(
    mail_server: ScriptedSMTP,
) -> None:
    mail_server.scripts["dot"] = ["432 4.3.2 sender thread limit exceeded", DEFAULTS["dot"]]
    another = Server(host=mail_server.host, port=mail_server.port, our_name="another.example.com")
    with lend(another, Limits(), Deadline(PATIENCE)):
        standing = send()
    assert recipients(standing) == {BOB.address: "queued", CAROL.address: "queued"}
    deliver()
    assert [len(mail.recipients) for mail in mail_server.accepted] == [2]
    assert set(Delivery.objects.values_list("free_ends", flat=True)) == {1}


def test_mail_that_is_too_much_beside_those_of_others_goes_on_after_a_pause(
    mail_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.transport.smtp.pool._BETWEEN_TRIES", 0.01)
    another_process(served_ago=5)
    mail_server.scripts["dot"] = ["432 4.3.2 sender thread limit exceeded", DEFAULTS["dot"]]
    assert recipients(send()) == {BOB.address: "queued", CAROL.address: "queued"}
    deliver()
    assert not mail_server.accepted
    assert connections_allowed() == 1
    pass_time(minutes=1)
    deliver()
    assert [len(mail.recipients) for mail in mail_server.accepted] == [2]
    assert set(Delivery.objects.values_list("free_ends", flat=True)) == {0}
