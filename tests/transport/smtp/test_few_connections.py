"""A mail server that bears fewer connections than we may have."""

import threading
from collections.abc import Callable, Iterator

import pytest

from meetings.deadline import Deadline
from meetings.transport.outcome import Loss, Outcome, SendStatus
from meetings.transport.send import connections_allowed, connections_in_use, interrupt, make_way
from meetings.transport.smtp import pool
from meetings.transport.smtp.pool import pool_of_process
from meetings.transport.smtp.room import Room
from tests.support.servers.smtp_server import (
    DROP,
    HANG,
    TOO_MANY_CONNECTIONS,
    Gate,
    ScriptedSMTP,
)
from tests.support.waiting import PATIENCE, wait_until
from tests.transport.smtp.wire import BOB, PLENTY, SOON, deliver

TOO_MUCH_AT_ONCE = "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"


@pytest.fixture
def never_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_TRIES_MORE_AFTER", "_TRIES_MORE_MAILS_AFTER"):
        monkeypatch.setattr(f"meetings.transport.smtp.room.{name}", PLENTY)


class Sending:
    """A mail to Bob on its way, in a thread."""

    def __init__(self, server: ScriptedSMTP) -> None:
        self.outcomes: list[Outcome] = []
        self._thread = threading.Thread(
            target=lambda: self.outcomes.append(deliver(server)[BOB]), daemon=True
        )
        self._thread.start()

    def end(self) -> Outcome:
        self._thread.join(PATIENCE)
        [outcome] = self.outcomes
        return outcome


def mail_at_the_dot(server: ScriptedSMTP) -> tuple[Gate, Sending]:
    """A mail that the server has taken, and holds its reply to until the gate is opened."""
    gate = server.hold("dot")
    mail = Sending(server)
    gate.wait_for_client()
    return gate, mail


def mails_at_the_dot(server: ScriptedSMTP) -> int:
    return server.verbs().count("DATA")


@pytest.mark.usefixtures("never_grows")
def test_mail_waits_for_one_of_the_connections_that_the_server_bears(
    smtp_server: ScriptedSMTP,
) -> None:
    smtp_server.bears = 2
    gate = smtp_server.hold("dot")
    mails = [Sending(smtp_server) for _ in range(5)]
    wait_until(lambda: mails_at_the_dot(smtp_server) == 2, "two mails")
    wait_until(lambda: connections_allowed() == 2, "the lesson")
    wait_until(lambda: connections_in_use() == 2, "the others to leave their places")
    gate.open()
    assert {mail.end().status for mail in mails} == {SendStatus.SENT}
    assert len({mail.connection for mail in smtp_server.received}) == 2


def test_refusal_waits_for_what_is_being_opened(smtp_server: ScriptedSMTP) -> None:
    gate = smtp_server.hold("banner")
    first = Sending(smtp_server)
    gate.wait_for_client()
    smtp_server.scripts["banner"] = TOO_MANY_CONNECTIONS
    second = Sending(smtp_server)
    wait_until(lambda: smtp_server.connections == 2, "the second connection")
    gate.open()
    assert {first.end().status, second.end().status} == {SendStatus.SENT}


def test_refusal_for_good_means_too_many_too_where_the_server_bears_others(
    smtp_server: ScriptedSMTP,
) -> None:
    gate, first = mail_at_the_dot(smtp_server)
    smtp_server.scripts["banner"] = "554 5.7.1 no service"
    second = Sending(smtp_server)
    wait_until(lambda: connections_allowed() == 1, "the refusal")
    gate.open()
    assert {first.end().status, second.end().status} == {SendStatus.SENT}


def test_lost_session_waits_for_no_other_one(smtp_server: ScriptedSMTP) -> None:
    gate, first = mail_at_the_dot(smtp_server)
    smtp_server.scripts["banner"] = DROP
    assert deliver(smtp_server)[BOB].loss is Loss.BROKEN
    gate.open()
    first.end()


@pytest.mark.usefixtures("never_grows")
def test_what_is_opened_after_a_refusal_counts_too(smtp_server: ScriptedSMTP) -> None:
    dot = smtp_server.hold("dot")
    mails = [Sending(smtp_server)]
    dot.wait_for_client()
    banner = smtp_server.hold("banner")
    mails.append(Sending(smtp_server))
    banner.wait_for_client()
    smtp_server.scripts["banner"] = TOO_MANY_CONNECTIONS
    mails.append(Sending(smtp_server))
    wait_until(lambda: connections_allowed() == 1, "the refusal")
    banner.open()
    wait_until(lambda: connections_allowed() == 2, "the other connection")
    dot.open()
    assert {mail.end().status for mail in mails} == {SendStatus.SENT}


def test_server_that_bears_none_of_ours_has_no_room(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    pool.close_kept_connections()
    smtp_server.bears = 0
    outcome = deliver(smtp_server)[BOB]
    assert (outcome.status, outcome.is_server_busy) == (SendStatus.DEFERRED, True)
    assert connections_allowed() == 8


def asked(*answers: bool) -> tuple[Callable[[], bool], Iterator[bool]]:
    left = iter(answers)
    return lambda: next(left), left


def test_process_without_a_connection_tries_for_one_while_others_have_them(
    smtp_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.transport.smtp.pool._BETWEEN_TRIES", 0.01)
    answer, left = asked(True, True)
    monkeypatch.setattr(
        "meetings.transport.smtp.backend.EmailBackend.is_served_elsewhere", staticmethod(answer)
    )
    smtp_server.scripts["banner"] = [TOO_MANY_CONNECTIONS, TOO_MANY_CONNECTIONS, "220 welcome"]
    assert deliver(smtp_server)[BOB].status is SendStatus.SENT
    assert not list(left)
    assert connections_allowed() == 1


@pytest.fixture
def all_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes have all connections, and it is not time for the next try."""
    monkeypatch.setattr("meetings.transport.smtp.pool._BETWEEN_TRIES", PLENTY)
    pool_of_process().step_back()


@pytest.mark.usefixtures("all_are_others")
def test_waiting_for_connections_of_others_has_an_end(smtp_server: ScriptedSMTP) -> None:
    assert deliver(smtp_server, deadline=SOON)[BOB].loss is Loss.NONE_FREE


@pytest.mark.usefixtures("all_are_others")
def test_waiting_for_connections_of_others_can_be_interrupted(smtp_server: ScriptedSMTP) -> None:
    waiting = Sending(smtp_server)

    def has_ended() -> bool:
        interrupt()
        return bool(waiting.outcomes)

    wait_until(has_ended, "the end of the mail that waits")
    assert waiting.end().loss is Loss.NONE_FREE


@pytest.mark.usefixtures("never_grows")
def test_half_of_the_connections_make_way_for_another_process(smtp_server: ScriptedSMTP) -> None:
    gate = smtp_server.hold("dot")
    mails = [Sending(smtp_server) for _ in range(4)]
    wait_until(lambda: mails_at_the_dot(smtp_server) == 4, "four mails")
    make_way()
    assert connections_allowed() == 2
    gate.open()
    assert {mail.end().status for mail in mails} == {SendStatus.SENT}
    wait_until(lambda: smtp_server.verbs().count("QUIT") == 2, "the end of two connections")


@pytest.mark.parametrize(("chance", "is_left"), [(1.0, True), (0.0, False)])
def test_only_connection_is_left_to_another_process_now_and_then(
    smtp_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch, chance: float, is_left: bool
) -> None:
    monkeypatch.setattr("meetings.transport.smtp.pool._CHANCE", chance)
    deliver(smtp_server)
    make_way()
    wait_until(lambda: "QUIT" in smtp_server.verbs(), "the end of the idle connection")
    assert bool(pool_of_process()._room.closed_for) is is_left


def test_process_without_connections_makes_no_way() -> None:
    make_way()
    assert connections_allowed() == 8


def test_idle_connection_is_soon_closed_where_few_are_borne(
    smtp_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.transport.smtp.pool._IDLE_WHERE_LIMITED", 0.01)
    deliver(smtp_server)
    pool_of_process()._room.learn(1)
    deliver(smtp_server)
    wait_until(lambda: "QUIT" in smtp_server.verbs(), "the end of the idle connection")


@pytest.mark.usefixtures("never_grows")
def test_server_that_takes_fewer_mails_at_once_gets_fewer(smtp_server: ScriptedSMTP) -> None:
    gate, first = mail_at_the_dot(smtp_server)
    smtp_server.scripts["dot"] = TOO_MUCH_AT_ONCE
    outcome = deliver(smtp_server)[BOB]
    assert (outcome.status, outcome.loss) == (SendStatus.DEFERRED, Loss.NONE_FREE)
    assert connections_allowed() == 1
    gate.open()
    assert first.end().status is SendStatus.SENT


@pytest.mark.parametrize(
    "script",
    [{"dot": TOO_MUCH_AT_ONCE}, {"data": "432 4.3.2 later"}],
    ids=["dot", "data"],
)
def test_mail_that_is_too_much_alone_is_deferred(
    smtp_server: ScriptedSMTP, script: dict[str, str]
) -> None:
    smtp_server.scripts |= script
    outcome = deliver(smtp_server)[BOB]
    assert (outcome.status, outcome.loss) == (SendStatus.DEFERRED, None)
    assert connections_allowed() == 8


OTHER_REFUSALS = [
    ("dot", "451 4.3.0 later"),
    ("rcpt", "450 4.3.2 later"),  # as for one recipient, by a greylist
    ("rcpt", "450 4.7.1 too many recipients"),
]


@pytest.mark.parametrize(("moment", "reply"), OTHER_REFUSALS)
def test_other_refusals_say_nothing_of_how_many_at_once(
    smtp_server: ScriptedSMTP, moment: str, reply: str
) -> None:
    gate, first = mail_at_the_dot(smtp_server)
    smtp_server.scripts[moment] = reply
    assert deliver(smtp_server)[BOB].reply == reply
    assert connections_allowed() == 8
    gate.open()
    first.end()


def test_limit_grows_until_nothing_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meetings.transport.smtp.room._TRIES_MORE_AFTER", 0.01)
    room = Room()
    assert room.limit(8) == 8
    room.learn(2)
    seen = set()

    def has_grown() -> bool:
        seen.add(room.limit(8))
        return 8 in seen

    wait_until(has_grown, "all connections")
    assert min(seen) >= 2


def test_hanging_session_does_not_hold_up_those_that_are_refused(
    smtp_server: ScriptedSMTP,
) -> None:
    deliver(smtp_server)
    gate, first = mail_at_the_dot(smtp_server)
    smtp_server.scripts["banner"] = HANG
    hanging = Sending(smtp_server)
    wait_until(lambda: smtp_server.connections == 2, "the hanging session")
    assert pool_of_process().is_full(Deadline(PATIENCE))
    gate.open()
    assert first.end().status is SendStatus.SENT
    interrupt()
    hanging.end()
