import os
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from meetings.transport.outcome import Loss, Outcome, SendStatus
from meetings.transport.smtp import pool
from meetings.transport.smtp.pool import close_kept_connections
from meetings.transport.smtp.pooled import Limits
from tests.support.servers.smtp_server import DROP, HANG, ScriptedSMTP
from tests.support.waiting import wait_until
from tests.transport.smtp.wire import BOB, PLENTY, SOON, deliver, patiently

either_way = pytest.mark.parametrize(
    "extensions", [(), ("PIPELINING",)], ids=["plain", "pipelined"]
)


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def reapers() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "smtp-reaper"]


def connections_used(server: ScriptedSMTP) -> list[int]:
    """The number of the connection on which each mail arrived."""
    return [transaction.connection for transaction in server.received]


def test_two_backends_use_the_same_connection(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    deliver(smtp_server)
    assert connections_used(smtp_server) == [1, 1]
    assert "NOOP" not in smtp_server.verbs()


def test_closed_connection_is_replaced_before_mail(smtp_server: ScriptedSMTP) -> None:
    limits = Limits(probe_after=PLENTY, transactions=2)  # of each connection, not of both
    deliver(smtp_server, limits=limits)
    smtp_server.drop_connections()
    assert deliver(smtp_server, limits=limits)[BOB].status is SendStatus.SENT
    assert deliver(smtp_server, limits=limits)[BOB].status is SendStatus.SENT
    assert connections_used(smtp_server) == [1, 2, 2]


@either_way
@pytest.mark.parametrize("fault", ["421 4.4.2 idle for too long", DROP])
def test_kept_connection_that_ends_at_mail_is_replaced(
    extensions: tuple[str, ...], fault: Any
) -> None:
    with ScriptedSMTP(extensions=extensions, mail=["250 ok", fault, "250 ok"]) as server:
        deliver(server)
        assert deliver(server)[BOB].status is SendStatus.SENT
        assert server.connections == 2


def test_new_connection_that_says_421_is_not_replaced() -> None:
    with ScriptedSMTP(mail="421 4.3.2 busy") as server:
        assert deliver(server)[BOB].reply == "421 4.3.2 busy"
        assert server.connections == 1


PROBES = {
    "alive": ("250 alive", PLENTY, 1),
    "closing": ("421 bye", PLENTY, 2),
    "closed": (DROP, PLENTY, 2),
    "silent": (HANG, SOON, 2),
}


@pytest.mark.parametrize(("noop", "probe", "connections"), PROBES.values(), ids=PROBES)
def test_idle_connection_is_probed_before_use(noop: Any, probe: float, connections: int) -> None:
    with ScriptedSMTP(noop=noop) as server:
        for _ in range(2):
            outcomes = deliver(server, limits=Limits(probe_after=0, probe=probe))
            assert outcomes[BOB].status is SendStatus.SENT
        assert "NOOP" in server.verbs()
        assert server.connections == connections


def test_probe_leaves_time_for_a_new_connection() -> None:
    with ScriptedSMTP(noop=HANG) as server:

        def attempt(seconds: float) -> dict[str, Outcome]:
            deliver(server)
            limits = Limits(probe_after=0, probe=PLENTY)
            return deliver(server, deadline=seconds, limits=limits)

        patiently(attempt, lambda outcomes: outcomes[BOB].status is SendStatus.SENT)
        assert server.verbs().count("NOOP") > 0


def test_connection_is_given_up_after_its_transactions(smtp_server: ScriptedSMTP) -> None:
    for _ in range(3):
        deliver(smtp_server, limits=Limits(probe_after=PLENTY, transactions=2))
    assert connections_used(smtp_server) == [1, 1, 2]


@pytest.mark.parametrize("script", [{"dot": "554 no"}, {"data": "451 no"}])
def test_connection_is_given_up_after_an_error(script: dict[str, Any]) -> None:
    with ScriptedSMTP(**script) as server:
        deliver(server)
        deliver(server)
        assert server.connections == 2


@either_way
def test_connection_goes_on_after_a_refused_sender(extensions: tuple[str, ...]) -> None:
    with ScriptedSMTP(extensions=extensions, mail=["550 no", "250 yes"]) as server:
        assert deliver(server)[BOB].status is SendStatus.REFUSED
        assert deliver(server)[BOB].status is SendStatus.SENT
        assert "RSET" in server.verbs()
        assert server.connections == 1


def test_threads_share_the_connections(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    in_thread(lambda: deliver(smtp_server)).join()
    deliver(smtp_server)
    assert connections_used(smtp_server) == [1, 1, 1]


def test_connection_that_was_used_last_is_used_first(smtp_server: ScriptedSMTP) -> None:
    gate = smtp_server.hold("dot")
    threads = [in_thread(lambda: deliver(smtp_server)) for _ in range(2)]
    wait_until(lambda: smtp_server.verbs().count("DATA") == 2, "two mails at once")
    assert pool.connections_in_use() == 2
    gate.open()
    for thread in threads:
        thread.join()
    assert pool.connections_in_use() == 0
    smtp_server.scripts["dot"] = "250 ok"
    for _ in range(3):
        deliver(smtp_server)
    assert len(set(connections_used(smtp_server)[2:])) == 1


def test_no_more_connections_than_the_setting_says(
    smtp_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 2
    gate = smtp_server.hold("dot")
    results: list[SendStatus] = []
    threads = [
        in_thread(lambda: results.append(deliver(smtp_server)[BOB].status)) for _ in range(5)
    ]
    wait_until(lambda: smtp_server.verbs().count("DATA") == 2, "two mails at once")
    gate.open()
    for thread in threads:
        thread.join()
    assert results == [SendStatus.SENT] * 5
    assert smtp_server.connections == 2


def test_waiting_for_a_connection_has_an_end(smtp_server: ScriptedSMTP, settings: Settings) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 1
    gate = smtp_server.hold("dot")
    first = in_thread(lambda: deliver(smtp_server))
    gate.wait_for_client()
    outcome = deliver(smtp_server, deadline=SOON)[BOB]
    gate.open()
    first.join()
    assert (outcome.status, outcome.loss) == (SendStatus.DEFERRED, Loss.NONE_FREE)
    assert outcome.reply == "all connections of this process to mail servers are in use"


def test_zero_connections_leave_room_for_calls(
    smtp_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 0
    assert deliver(smtp_server)[BOB].status is SendStatus.SENT


def test_idle_connection_makes_room_for_another_server(
    smtp_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 1
    deliver(smtp_server)
    with ScriptedSMTP() as other:
        assert deliver(other)[BOB].status is SendStatus.SENT
    wait_until(lambda: "QUIT" in smtp_server.verbs(), "the end of the idle connection")


def test_idle_connections_are_closed_without_a_mail(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server, limits=Limits(idle=SOON))
    wait_until(lambda: "QUIT" in smtp_server.verbs(), "QUIT on the idle connection")
    wait_until(lambda: not reapers(), "the end of the thread that closes them")
    deliver(smtp_server)
    assert connections_used(smtp_server) == [1, 2]


def test_shorter_idle_time_is_noticed(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server, limits=Limits(idle=PLENTY))
    with ScriptedSMTP() as other:
        deliver(other, limits=Limits(idle=SOON))
        wait_until(lambda: "QUIT" in other.verbs(), "QUIT on the idle connection")
    assert "QUIT" not in smtp_server.verbs()


def test_closing_the_idle_ones_ends_the_reaper(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    assert reapers()
    close_kept_connections()
    wait_until(lambda: not reapers(), "the end of the thread that closes them")


def test_exception_leaves_no_connection_in_use(smtp_server: ScriptedSMTP) -> None:
    def fails() -> bool:
        raise RuntimeError("the database is gone")

    with pytest.raises(RuntimeError):
        deliver(smtp_server, may_finish=fails)
    assert pool.connections_in_use() == 0
    assert deliver(smtp_server)[BOB].status is SendStatus.SENT
    assert connections_used(smtp_server) == [2]


def test_threads_send_at_the_same_time(smtp_server: ScriptedSMTP) -> None:
    together = threading.Barrier(4)
    results: list[SendStatus] = []

    def work() -> None:
        together.wait()
        for _ in range(5):
            results.append(deliver(smtp_server)[BOB].status)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [SendStatus.SENT] * 20


# Python 3.12 warns of a fork beside threads. Here only the mail server and the reaper have one.
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_child_process_has_connections_of_its_own(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    child = os.fork()
    if not child:
        sent = deliver(smtp_server)[BOB].status is SendStatus.SENT
        close_kept_connections()
        os._exit(0 if sent and not pool.connections_in_use() else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert deliver(smtp_server)[BOB].status is SendStatus.SENT
    assert connections_used(smtp_server) == [1, 2, 1]


def test_other_settings_share_no_connection(smtp_server: ScriptedSMTP) -> None:
    smtp_server.credentials = ("alice", "secret")
    deliver(smtp_server)
    deliver(smtp_server, username="alice", password="secret")
    assert smtp_server.connections == 2


def test_connection_whose_other_side_is_gone_is_found_out(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    [kept] = pool.pool_of_process()._idle
    assert kept.smtp
    assert kept.smtp.sock
    assert kept.smtp.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_closing_kept_connections_says_quit() -> None:
    with ScriptedSMTP() as server:
        deliver(server)
        close_kept_connections()
        assert deliver(server)[BOB].status is SendStatus.SENT
    # Now every thread of the server has ended, and the QUIT that needs no reply has been read.
    assert server.verbs().count("QUIT") == 1
    assert server.connections == 2
