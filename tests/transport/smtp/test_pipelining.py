"""PIPELINING (RFC 2920): a group of commands in one write, then all replies."""

from typing import Any

import pytest
import trustme
from pytest_django import Settings

from meetings.transport.outcome import Loss, Outcome, Phase, SendStatus
from tests.support.servers.smtp_conversation import Slow
from tests.support.servers.smtp_server import DROP, HANG, ScriptedSMTP, server_context
from tests.support.waiting import wait_until
from tests.transport.smtp.wire import BOB, CAROL, DAVE, deliver, patiently, statuses

OFFERED = ("8BITMIME", "PIPELINING")
NO_SUCH_USER = "550 5.1.1 no such user"
EVERYBODY_SENT = {SendStatus.SENT}
# What an ordinary relay takes for each RCPT, 0.11 s, divided by 20.
RELAY = Slow("250 2.1.5 ok", 0.0055)


def crowd(size: int) -> list[str]:
    return [f"p{number}@example.com" for number in range(size)]


def test_envelope_is_said_before_the_first_reply() -> None:
    with ScriptedSMTP(extensions=OFFERED) as server:
        assert set(statuses(deliver(server, BOB)).values()) == EVERYBODY_SENT
        assert server.verbs() == ["EHLO", "MAIL", "RCPT", "DATA"]
        assert max(server.groups) == 3


def test_several_recipients_are_said_after_the_reply_to_mail() -> None:
    with ScriptedSMTP(extensions=OFFERED) as server:
        assert set(statuses(deliver(server, *crowd(5))).values()) == EVERYBODY_SENT
        assert max(server.groups) == 6  # RCPT of each, and DATA


@pytest.mark.parametrize("limit", ["timeout", "deadline"])
def test_silence_at_mail_is_a_hang_for_many_recipients_too(limit: str) -> None:
    with ScriptedSMTP(extensions=OFFERED, mail=HANG) as server:
        outcomes = patiently(
            lambda seconds: deliver(server, *crowd(50), **{limit: seconds}),
            lambda found: {each.phase for each in found.values()} == {Phase.MAIL},
        )
        assert [each.loss for each in outcomes.values()] == [Loss.SILENT] * 50
        assert "RCPT" not in server.verbs()


@pytest.mark.parametrize("extensions", [(), OFFERED], ids=["plain", "pipelined"])
def test_hundred_recipients_at_a_slow_server(extensions: tuple[str, ...]) -> None:
    """A server that pipelines says the first reply when it has worked on all the commands."""
    people = crowd(100)
    with ScriptedSMTP(extensions=extensions, rcpt=RELAY) as server:
        outcomes = patiently(
            lambda seconds: deliver(server, *people, timeout=seconds),
            lambda _: bool(server.received),
        )
        assert set(statuses(outcomes).values()) == EVERYBODY_SENT
        assert [mail.recipients for mail in server.accepted] == [tuple(people)]


def test_wait_for_held_replies_is_as_long_as_for_each() -> None:
    """Each reply would be in time, and all together are not: this is what is waited for."""

    def attempt(seconds: float) -> dict[str, Outcome]:
        server.scripts["rcpt"] = Slow("250 ok", seconds * 0.4)
        return deliver(server, *crowd(5), timeout=seconds)

    with ScriptedSMTP(extensions=OFFERED) as server:
        outcomes = patiently(attempt, lambda _: bool(server.received))
        assert set(statuses(outcomes).values()) == EVERYBODY_SENT


def test_thousand_recipients_go_in_groups(settings: Settings) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1000
    with ScriptedSMTP(extensions=OFFERED) as server:
        assert set(statuses(deliver(server, *crowd(1000))).values()) == EVERYBODY_SENT
        assert [len(mail.recipients) for mail in server.accepted] == [1000]


@pytest.mark.parametrize("size", [98, 99, 100, 199, 200])
def test_group_may_end_anywhere(settings: Settings, size: int) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1000
    with ScriptedSMTP(extensions=OFFERED) as server:
        assert set(statuses(deliver(server, *crowd(size))).values()) == EVERYBODY_SENT
        assert set(statuses(deliver(server, *crowd(size))).values()) == EVERYBODY_SENT
        assert [len(mail.recipients) for mail in server.accepted] == [size, size]


def test_each_recipient_has_their_own_reply() -> None:
    rcpt = {BOB: NO_SUCH_USER, DAVE: "450 4.2.0 later"}
    with ScriptedSMTP(extensions=OFFERED, rcpt=rcpt) as server:
        outcomes = deliver(server, BOB, CAROL, DAVE)
        assert outcomes == {
            BOB: Outcome(SendStatus.REFUSED, NO_SUCH_USER, phase=Phase.RCPT),
            CAROL: Outcome(SendStatus.SENT, "250 2.0.0 queued", phase=Phase.MESSAGE),
            DAVE: Outcome(SendStatus.DEFERRED, "450 4.2.0 later", phase=Phase.RCPT),
        }
        assert [mail.recipients for mail in server.accepted] == [(CAROL,)]


def test_refused_data_leaves_the_connection_usable() -> None:
    with ScriptedSMTP(extensions=OFFERED, rcpt=[NO_SUCH_USER, "250 ok"]) as server:
        assert deliver(server)[BOB].status is SendStatus.REFUSED
        assert deliver(server)[BOB].status is SendStatus.SENT
        assert server.verbs() == [*("EHLO", "MAIL", "RCPT", "DATA", "RSET"), "MAIL", "RCPT", "DATA"]
        assert server.connections == 1


ALL_REFUSED: list[tuple[dict[str, Any], Phase]] = [
    ({"rcpt": NO_SUCH_USER}, Phase.RCPT),
    ({"mail": "550 5.7.1 not you", "rcpt": "503 5.5.1 MAIL first"}, Phase.MAIL),
]


@pytest.mark.parametrize(("script", "phase"), ALL_REFUSED)
def test_empty_mail_is_never_sent(script: dict[str, Any], phase: Phase) -> None:
    """RFC 2920 §3.1: a server may reply 354 although it has accepted no recipient."""
    with ScriptedSMTP(extensions=OFFERED, **script) as server:
        server.takes_data_always = True
        outcomes = deliver(server, BOB)
        assert {(each.status, each.phase) for each in outcomes.values()} == {
            (SendStatus.REFUSED, phase)
        }
        wait_until(lambda: server.broken_off, "the end of the connection")
        assert server.received == []
        assert server.unfinished == [b""]


def test_after_a_refused_sender_nobody_is_asked_of() -> None:
    with ScriptedSMTP(extensions=OFFERED, mail="550 5.7.1 not you") as server:
        outcomes = deliver(server, *crowd(300))
        assert {each.phase for each in outcomes.values()} == {Phase.MAIL}
        assert "RCPT" not in server.verbs()


def test_closing_among_the_recipients_defers_the_rest() -> None:
    rcpt = {BOB: NO_SUCH_USER, DAVE: "421 4.3.2 going down"}
    with ScriptedSMTP(extensions=OFFERED, rcpt=rcpt) as server:
        outcomes = deliver(server, BOB, CAROL, DAVE)
        assert outcomes[BOB].status is SendStatus.REFUSED
        for address in (CAROL, DAVE):
            assert outcomes[address].status is SendStatus.DEFERRED
            assert outcomes[address].is_server_busy
            assert outcomes[address].reply == "421 4.3.2 going down"


def test_loss_among_the_recipients_defers_the_rest() -> None:
    with ScriptedSMTP(extensions=OFFERED, rcpt={BOB: NO_SUCH_USER, DAVE: DROP}) as server:
        assert statuses(deliver(server, CAROL, BOB, DAVE)) == {
            CAROL: SendStatus.DEFERRED,
            BOB: SendStatus.REFUSED,
            DAVE: SendStatus.DEFERRED,
        }


def test_offer_before_tls_does_not_count(
    authority: trustme.CA, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = server_context(authority)
    with ScriptedSMTP(tls=context, extensions=OFFERED, rcpt=NO_SUCH_USER) as server:
        server.extensions_in_tls = ("8BITMIME",)
        assert deliver(server, use_tls=True)[BOB].status is SendStatus.REFUSED
        assert server.verbs() == ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "RSET"]
