"""A process that ends interrupts what its threads have in hand."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trustme
from pytest_django import Settings

from meetings.deadline import Deadline
from meetings.transport.outcome import Loss, Outcome, Phase, SendStatus
from meetings.transport.send import connections_in_use, interrupt
from meetings.transport.smtp.name import our_name
from meetings.transport.smtp.pool import lend
from meetings.transport.smtp.pooled import Limits
from meetings.transport.smtp.session import Server
from tests.support.servers.smtp_server import HANG, ScriptedSMTP, server_context
from tests.support.waiting import PATIENCE, wait_until
from tests.transport.smtp.wire import BOB, PLENTY, deliver

WORDS = "this process interrupted the connection"


@contextmanager
def delivering(server: ScriptedSMTP, **options: Any) -> Iterator[list[Outcome]]:
    """Deliver in another thread; the outcome is there at the end of the ``with``."""
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.append(deliver(server, **options)[BOB]))
    thread.start()
    try:
        yield found
    finally:
        thread.join()


MOMENTS: list[tuple[str, Phase]] = [
    ("banner", Phase.SESSION),
    ("ehlo", Phase.SESSION),
    ("mail", Phase.MAIL),
    ("rcpt", Phase.RCPT),
    ("data", Phase.DATA),
]


def reached(server: ScriptedSMTP, moment: str) -> Callable[[], object]:
    if moment == "banner":
        return lambda: server.connections
    return lambda: moment.upper() in server.verbs()


@pytest.mark.parametrize(("moment", "phase"), MOMENTS)
def test_interruption_before_the_dot_is_deferred(moment: str, phase: Phase) -> None:
    script: dict[str, Any] = {moment: HANG}
    with ScriptedSMTP(**script) as server:
        with delivering(server) as found:
            wait_until(reached(server, moment), "a client that waits")
            assert connections_in_use() == 1
            interrupt()
        [outcome] = found
        assert (outcome.status, outcome.phase) == (SendStatus.DEFERRED, phase)
        assert (outcome.loss, outcome.reply) == (Loss.BROKEN, WORDS)
        assert connections_in_use() == 0


def test_interruption_after_the_dot_is_unknown() -> None:
    with ScriptedSMTP(dot=HANG) as server:
        with delivering(server) as found:
            wait_until(lambda: server.received, "the final dot")
            interrupt()
        [outcome] = found
    assert (outcome.status, outcome.loss) == (SendStatus.UNKNOWN, Loss.BROKEN)
    assert outcome.phase is Phase.MESSAGE
    assert outcome.reply.startswith(WORDS)


def test_interruption_ends_a_tls_handshake() -> None:
    """The server accepts the connection and says nothing, so the handshake waits."""
    with ScriptedSMTP(banner=HANG) as server:
        with delivering(server, use_ssl=True) as found:
            wait_until(lambda: server.connections, "a client that shakes hands")
            interrupt()
        [outcome] = found
    assert (outcome.status, outcome.loss) == (SendStatus.DEFERRED, Loss.BROKEN)


def test_interruption_ends_a_wait_within_tls(
    authority: trustme.CA, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with ScriptedSMTP(tls=server_context(authority), mail=HANG) as server:
        with delivering(server, use_tls=True) as found:
            wait_until(lambda: "MAIL" in server.verbs(), "a client that waits")
            interrupt()
        [outcome] = found
    assert (outcome.status, outcome.loss) == (SendStatus.DEFERRED, Loss.BROKEN)


def test_interrupted_connection_opens_no_other_one() -> None:
    """A kept connection that is lost at MAIL is replaced, but not if the process has ended it."""
    with ScriptedSMTP(mail=["250 ok", HANG]) as server:
        deliver(server)
        with delivering(server) as found:
            wait_until(lambda: server.verbs().count("MAIL") == 2, "a client that waits")
            interrupt()
        assert [outcome.status for outcome in found] == [SendStatus.DEFERRED]
        assert server.connections == 1


def test_interrupted_probe_opens_no_other_connection() -> None:
    with ScriptedSMTP(noop=HANG) as server:
        deliver(server)
        with delivering(server, limits=Limits(probe_after=0, probe=PLENTY)) as found:
            wait_until(lambda: "NOOP" in server.verbs(), "a client that waits")
            interrupt()
        [outcome] = found
        assert (outcome.status, outcome.reply) == (SendStatus.DEFERRED, WORDS)
        assert server.connections == 1


def test_interruption_ends_a_wait_for_a_connection(settings: Settings) -> None:
    settings.MEETINGS_SMTP_CONNECTIONS = 1
    at_the_dot, goes_on = threading.Event(), threading.Event()

    def may_finish() -> bool:
        at_the_dot.set()
        return goes_on.wait(PATIENCE)

    with ScriptedSMTP() as server:
        with delivering(server, may_finish=may_finish) as first:
            at_the_dot.wait(PATIENCE)
            with delivering(server) as second:

                def is_over() -> bool:
                    interrupt()
                    return bool(second)

                wait_until(is_over, "the end of the wait for a connection")
                assert not first
            goes_on.set()
        assert [outcome.status for outcome in first + second] == [SendStatus.DEFERRED] * 2
        assert server.received == []


def test_mail_can_be_sent_after_an_interruption(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    interrupt()  # the idle connection stays
    assert deliver(smtp_server)[BOB].status is SendStatus.SENT
    assert smtp_server.connections == 1


def test_interrupted_connection_is_not_kept(smtp_server: ScriptedSMTP) -> None:
    """The interruption may come when the last reply has been read."""
    server = Server(smtp_server.host, smtp_server.port, our_name=our_name())
    with lend(server, Limits(), Deadline(PLENTY)) as connection:
        connection.open(Deadline(PLENTY))
        interrupt()
    assert deliver(smtp_server)[BOB].status is SendStatus.SENT
    assert smtp_server.connections == 2


def test_interruption_may_meet_a_socket_that_closes(smtp_server: ScriptedSMTP) -> None:
    stopped = threading.Event()

    def interrupts() -> None:
        while not stopped.is_set():
            interrupt()

    thread = threading.Thread(target=interrupts)
    thread.start()
    outcomes = [deliver(smtp_server)[BOB] for _ in range(100)]
    stopped.set()
    thread.join()
    # Whatever was interrupted, nobody was told "not sent" of a mail that was sent.
    assert {outcome.status for outcome in outcomes} <= {
        SendStatus.SENT,
        SendStatus.DEFERRED,
        SendStatus.UNKNOWN,
    }
    sent = sum(outcome.status is SendStatus.SENT for outcome in outcomes)
    unknown = sum(outcome.status is SendStatus.UNKNOWN for outcome in outcomes)
    assert sent <= len(smtp_server.received) <= sent + unknown
    assert connections_in_use() == 0
