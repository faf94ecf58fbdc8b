from typing import Any

import pytest
from pytest_django import Settings

from meetings.deadline import Deadline
from meetings.transport.outcome import LEASE_ENDED, Outcome, SendStatus
from meetings.transport.smtp.backend import EmailBackend
from tests.support.servers.smtp_server import DRIP, DROP, HANG, ScriptedSMTP
from tests.support.waiting import wait_until
from tests.transport.door import no, yes
from tests.transport.smtp.wire import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    PLENTY,
    RAW,
    SOON,
    deliver,
    patiently,
    statuses,
)

IN_TIME = "did not answer in time"


def test_each_recipient_gets_an_outcome_and_the_bytes(smtp_server: ScriptedSMTP) -> None:
    assert deliver(smtp_server, BOB, CAROL) == {
        BOB: Outcome(SendStatus.SENT, "250 2.0.0 queued"),
        CAROL: Outcome(SendStatus.SENT, "250 2.0.0 queued"),
    }
    [transaction] = smtp_server.received
    assert transaction.envelope_from == ALICE
    assert transaction.recipients == (BOB, CAROL)
    assert transaction.raw == RAW


BEFORE_THE_DOT = {
    "greeting 421": ({"banner": "421 4.3.2 busy"}, SendStatus.DEFERRED, "421 4.3.2 busy"),
    "greeting 554": ({"banner": "554 5.3.2 not here"}, SendStatus.DEFERRED, "554 5.3.2 not here"),
    "drop at the greeting": ({"banner": DROP}, SendStatus.DEFERRED, "closed"),
    "greeting of one long line": (
        {"banner": "220 " + "x" * 9000},
        SendStatus.DEFERRED,
        "unreadable",
    ),
    "greeting of many lines": (
        {"banner": "220-x\n" * 12_000 + "220 x"},
        SendStatus.DEFERRED,
        "has no end",
    ),
    "MAIL 4xx": ({"mail": "451 4.3.0 later"}, SendStatus.DEFERRED, "451 4.3.0 later"),
    "MAIL 5xx": ({"mail": "550 5.7.1 not you"}, SendStatus.REFUSED, "550 5.7.1 not you"),
    "drop at MAIL": ({"mail": DROP}, SendStatus.DEFERRED, "closed"),
    "RCPT 4xx": ({"rcpt": "450 4.2.0 greylisted"}, SendStatus.DEFERRED, "450 4.2.0 greylisted"),
    "RCPT 5xx": ({"rcpt": "550 5.1.1 unknown"}, SendStatus.REFUSED, "550 5.1.1 unknown"),
    "RCPT 421": ({"rcpt": "421 4.3.2 going down"}, SendStatus.DEFERRED, "421 4.3.2 going down"),
    "DATA 4xx": ({"data": "451 4.3.0 later"}, SendStatus.DEFERRED, "451 4.3.0 later"),
    "DATA 552": ({"data": "552 5.3.4 too big"}, SendStatus.REFUSED, "552 5.3.4 too big"),
    "DATA 5xx": ({"data": "554 5.5.0 no"}, SendStatus.REFUSED, "554 5.5.0 no"),
    "DATA 250": ({"data": "250 what?"}, SendStatus.DEFERRED, "250 what?"),
    "drop at DATA": ({"data": DROP}, SendStatus.DEFERRED, "closed"),
    "SIZE exceeded": ({"extensions": ("SIZE 20",)}, SendStatus.REFUSED, "35 octets, more than"),
}


@pytest.mark.parametrize(("script", "status", "words"), BEFORE_THE_DOT.values(), ids=BEFORE_THE_DOT)
def test_fault_before_the_final_dot_sends_nothing(
    script: dict[str, Any], status: SendStatus, words: str
) -> None:
    with ScriptedSMTP(**script) as server:
        outcome = deliver(server)[BOB]
        assert outcome.status is status
        assert words in outcome.reply
        assert server.received == []


SILENT_BEFORE_THE_DOT = {
    "silence at the greeting": {"banner": HANG},
    "greeting that drips": {"banner": DRIP},
    "silence at EHLO": {"ehlo": HANG},
    "silence at MAIL": {"mail": HANG},
    "silence at RCPT": {"rcpt": HANG},
    "silence at DATA": {"data": HANG},
}


@pytest.mark.parametrize("script", SILENT_BEFORE_THE_DOT.values(), ids=SILENT_BEFORE_THE_DOT)
def test_deadline_ends_a_wait_before_the_final_dot(script: dict[str, Any]) -> None:
    with ScriptedSMTP(**script) as server:
        outcome = deliver(server, deadline=SOON)[BOB]
        assert outcome.status is SendStatus.DEFERRED
        assert IN_TIME in outcome.reply
        assert server.received == []


AFTER_THE_DOT = {
    "dot 4xx": ("452 4.2.2 full", SendStatus.DEFERRED, "452 4.2.2 full"),
    "dot 5xx": ("554 5.7.1 spam", SendStatus.REFUSED, "554 5.7.1 spam"),
    "dot 552": ("552 5.3.4 too big", SendStatus.REFUSED, "552 5.3.4 too big"),
    "dot 421": ("421 4.3.2 going down", SendStatus.DEFERRED, "421 4.3.2 going down"),
    "drop": (DROP, SendStatus.UNKNOWN, "after the mail was handed over"),
    "nonsense": ("hello?", SendStatus.UNKNOWN, ""),
    "reply without end": ("250 " + "x" * 9000, SendStatus.UNKNOWN, "unreadable"),
}


@pytest.mark.parametrize(("dot", "status", "words"), AFTER_THE_DOT.values(), ids=AFTER_THE_DOT)
def test_fault_after_the_final_dot_has_its_status(dot: Any, status: SendStatus, words: str) -> None:
    with ScriptedSMTP(dot=dot) as server:
        outcome = deliver(server)[BOB]
        assert outcome.status is status
        assert words in outcome.reply
        assert len(server.received) == 1


@pytest.mark.parametrize("dot", [HANG, DRIP])
def test_deadline_after_the_final_dot_means_unknown(dot: Any) -> None:
    with ScriptedSMTP(dot=dot) as server:
        outcome = patiently(
            lambda seconds: deliver(server, deadline=seconds), lambda _: bool(server.received)
        )[BOB]
        assert outcome.status is SendStatus.UNKNOWN
        assert IN_TIME in outcome.reply


def test_timeout_of_the_settings_ends_a_wait() -> None:
    with ScriptedSMTP(mail=HANG) as server:
        assert deliver(server, timeout=SOON, deadline=PLENTY)[BOB].status is SendStatus.DEFERRED


def test_wait_for_the_final_reply_ignores_that_timeout(smtp_server: ScriptedSMTP) -> None:
    def attempt(timeout: float) -> dict[str, Outcome]:
        def later_than_the_timeout(_: str) -> str:
            smtp_server.stopped.wait(2 * timeout)
            return "250 2.0.0 queued at last"

        smtp_server.scripts["dot"] = later_than_the_timeout
        return deliver(smtp_server, timeout=timeout, deadline=PLENTY)

    outcomes = patiently(attempt, lambda _: bool(smtp_server.received))
    assert outcomes[BOB] == Outcome(SendStatus.SENT, "250 2.0.0 queued at last")


MORE_THAN_THE_BUFFERS_HOLD = b"x: y\r\n" + b"x" * 16_000_000


@pytest.mark.parametrize("fault", [HANG, DROP])
def test_loss_within_the_content_is_deferred(fault: Any) -> None:
    with ScriptedSMTP(content=fault, extensions=()) as server:
        outcomes = patiently(
            lambda seconds: deliver(server, raw=MORE_THAN_THE_BUFFERS_HOLD, deadline=seconds),
            lambda _: server.verbs()[-1:] == ["DATA"],
        )
        assert outcomes[BOB].status is SendStatus.DEFERRED


def test_server_that_does_not_listen_is_deferred() -> None:
    with ScriptedSMTP() as server:
        pass
    outcome = deliver(server)[BOB]
    assert outcome.status is SendStatus.DEFERRED
    assert "refused" in outcome.reply


def test_host_name_that_does_not_resolve_is_deferred() -> None:
    backend = EmailBackend(host="mail.invalid", port=25)
    [outcomes] = backend.deliver(ALICE, [BOB], RAW, deadline=Deadline(PLENTY), may_finish=yes)
    assert outcomes[BOB].status is SendStatus.DEFERRED


def test_deadline_of_zero_sends_nothing(smtp_server: ScriptedSMTP) -> None:
    assert deliver(smtp_server, deadline=0)[BOB].status is SendStatus.DEFERRED
    assert smtp_server.commands == []


def test_refused_recipient_does_not_stop_the_others() -> None:
    with ScriptedSMTP(rcpt={BOB: "550 5.1.1 no such user", CAROL: "450 4.2.0 later"}) as server:
        outcomes = deliver(server, BOB, CAROL, DAVE)
        assert outcomes[BOB] == Outcome(SendStatus.REFUSED, "550 5.1.1 no such user")
        assert outcomes[CAROL] == Outcome(SendStatus.DEFERRED, "450 4.2.0 later")
        assert outcomes[DAVE].status is SendStatus.SENT
        assert server.received[0].recipients == (DAVE,)


@pytest.mark.parametrize("reply", ["452 4.5.3 too many", "552 5.5.3 too many"])
def test_recipients_that_are_too_many_are_deferred(reply: str) -> None:
    with ScriptedSMTP(rcpt={CAROL: reply}) as server:
        outcomes = deliver(server, BOB, CAROL)
        assert outcomes == {
            BOB: Outcome(SendStatus.SENT, "250 2.0.0 queued"),
            CAROL: Outcome(SendStatus.DEFERRED, reply, too_many_recipients=True),
        }


def test_no_dot_is_sent_after_the_lease_has_ended(smtp_server: ScriptedSMTP) -> None:
    assert deliver(smtp_server, BOB, CAROL, may_finish=no) == {
        BOB: LEASE_ENDED,
        CAROL: LEASE_ENDED,
    }
    wait_until(lambda: smtp_server.unfinished, "the end of the connection")
    # The server got the whole content first, and nothing after it, not even a QUIT.
    assert smtp_server.unfinished == [RAW.replace(b"\r\n.", b"\r\n..")]
    assert smtp_server.received == []


def test_refusal_survives_the_end_of_the_lease() -> None:
    with ScriptedSMTP(rcpt={BOB: "550 5.1.1 no such user"}) as server:
        assert deliver(server, BOB, CAROL, may_finish=no) == {
            BOB: Outcome(SendStatus.REFUSED, "550 5.1.1 no such user"),
            CAROL: LEASE_ENDED,
        }


def test_connection_without_its_dot_is_not_used_again(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server, may_finish=no)
    assert deliver(smtp_server)[BOB].status is SendStatus.SENT
    assert [transaction.connection for transaction in smtp_server.received] == [2]


def test_permission_is_asked_for_each_final_dot(
    smtp_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1
    received: list[int] = []

    def may_finish() -> bool:
        received.append(len(smtp_server.received))
        return True

    deliver(smtp_server, BOB, CAROL, may_finish=may_finish)
    assert received == [0, 1]


def test_permission_is_not_asked_where_no_dot_would_follow() -> None:
    with ScriptedSMTP(rcpt={BOB: "550 no"}, data="451 later") as server:
        outcomes = deliver(server, BOB, may_finish=no) | deliver(server, CAROL, may_finish=no)
        assert LEASE_ENDED not in outcomes.values()


def test_connection_goes_on_after_all_were_refused() -> None:
    with ScriptedSMTP(rcpt=["550 no", "250 yes"]) as server:
        assert deliver(server)[BOB].status is SendStatus.REFUSED
        assert deliver(server)[BOB].status is SendStatus.SENT
        assert server.verbs() == ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA"]


@pytest.mark.parametrize("rset", [DROP, "421 4.3.2 going down"])
def test_refusal_of_all_survives_a_loss_at_rset(rset: Any) -> None:
    with ScriptedSMTP(rcpt="550 5.1.1 no such user", rset=rset) as server:
        assert deliver(server)[BOB] == Outcome(SendStatus.REFUSED, "550 5.1.1 no such user")


def test_refusal_survives_a_later_loss_of_the_connection() -> None:
    with ScriptedSMTP(rcpt={BOB: "550 5.1.1 no such user", CAROL: DROP}) as server:
        assert statuses(deliver(server, DAVE, BOB, CAROL)) == {
            DAVE: SendStatus.DEFERRED,
            BOB: SendStatus.REFUSED,
            CAROL: SendStatus.DEFERRED,
        }


def test_null_sender_is_an_empty_path(smtp_server: ScriptedSMTP) -> None:
    assert deliver(smtp_server, sender="")[BOB].status is SendStatus.SENT
    assert smtp_server.received[0].envelope_from == ""


def test_dot_alone_on_a_line_does_not_end_the_mail(smtp_server: ScriptedSMTP) -> None:
    raw = b"a: b\r\n\r\n.\r\nRSET\r\n..\r\n"
    deliver(smtp_server, raw=raw)
    assert smtp_server.received[0].raw == raw


def test_8bit_is_declared_if_the_server_offers_it(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server, raw="a: b\r\n\r\n会议\r\n".encode())
    assert "BODY=8BITMIME" in smtp_server.received[0].mail_options


def test_reply_becomes_one_short_printable_line() -> None:
    with ScriptedSMTP(rcpt="550-5.1.1 no\x07\x1b[31m\n550 such " + "user " * 300) as server:
        reply = deliver(server)[BOB].reply
    assert reply.startswith("550 5.1.1 no [31m such user")
    assert len(reply) == 500
    assert reply.isprintable()
