import os
import threading
from typing import Any

import pytest

from meetings.transport.outcome import Outcome, SendStatus
from meetings.transport.smtp.pool import Limits, close_kept_connections
from tests.support.servers.smtp_server import DROP, HANG, ScriptedSMTP
from tests.transport.smtp.wire import BOB, PLENTY, SOON, deliver, patiently


def connections_used(server: ScriptedSMTP) -> list[int]:
    """The number of the connection on which each mail arrived."""
    return [transaction.connection for transaction in server.received]


def test_two_backends_use_the_same_connection(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    deliver(smtp_server)
    assert connections_used(smtp_server) == [1, 1]
    assert "NOOP" not in smtp_server.verbs()


def test_closed_connection_is_replaced_before_mail(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    smtp_server.drop_connections()
    assert deliver(smtp_server)[BOB].status is SendStatus.SENT
    assert deliver(smtp_server)[BOB].status is SendStatus.SENT
    assert connections_used(smtp_server) == [1, 2, 2]


def test_kept_connection_that_says_421_is_replaced() -> None:
    with ScriptedSMTP(mail=["250 ok", "421 4.4.2 idle for too long", "250 ok"]) as server:
        deliver(server)
        assert deliver(server)[BOB].status is SendStatus.SENT
        assert server.connections == 2


def test_new_connection_that_says_421_is_not_replaced() -> None:
    with ScriptedSMTP(mail="421 4.3.2 busy") as server:
        assert deliver(server)[BOB] == Outcome(SendStatus.DEFERRED, "421 4.3.2 busy")
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


def test_connection_is_given_up_when_idle_too_long(smtp_server: ScriptedSMTP) -> None:
    for _ in range(2):
        deliver(smtp_server, limits=Limits(idle=0))
    assert connections_used(smtp_server) == [1, 2]


@pytest.mark.parametrize("script", [{"dot": "554 no"}, {"data": "451 no"}, {"mail": "550 no"}])
def test_connection_is_given_up_after_an_error(script: dict[str, Any]) -> None:
    with ScriptedSMTP(**script) as server:
        deliver(server)
        deliver(server)
        assert server.connections == 2


def test_each_thread_has_its_own_connection(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    other = threading.Thread(target=deliver, args=(smtp_server,))
    other.start()
    other.join()
    deliver(smtp_server)
    assert connections_used(smtp_server) == [1, 2, 1]


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


# Python 3.12 warns of a fork beside threads. Here only the mail server has one.
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_child_process_leaves_it_to_its_parent(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    child = os.fork()
    if not child:
        close_kept_connections()
        os._exit(0)
    os.waitpid(child, 0)
    assert deliver(smtp_server)[BOB].status is SendStatus.SENT
    assert smtp_server.connections == 1


def test_other_settings_share_no_connection(smtp_server: ScriptedSMTP) -> None:
    smtp_server.credentials = ("alice", "secret")
    deliver(smtp_server)
    deliver(smtp_server, username="alice", password="secret")
    assert smtp_server.connections == 2


def test_closing_kept_connections_says_quit() -> None:
    with ScriptedSMTP() as server:
        deliver(server)
        close_kept_connections()
        assert deliver(server)[BOB].status is SendStatus.SENT
    # Now every thread of the server has ended, and the QUIT that needs no reply has been read.
    assert server.verbs().count("QUIT") == 1
    assert server.connections == 2
