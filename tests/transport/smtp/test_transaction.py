from typing import Any

import pytest
from pytest_django import Settings

from meetings.transport.outcome import LEASE_ENDED, Outcome, Phase, SendStatus
from tests.support.servers.smtp_server import DROP, HANG, ScriptedSMTP
from tests.support.waiting import wait_until
from tests.transport.door import no
from tests.transport.smtp.wire import ALICE, BOB, CAROL, DAVE, RAW, deliver, statuses

QUEUED = Outcome(SendStatus.SENT, "250 2.0.0 queued", phase=Phase.MESSAGE)
NO_SUCH_USER = Outcome(SendStatus.REFUSED, "550 5.1.1 no such user", phase=Phase.RCPT)


def test_each_recipient_gets_an_outcome_and_the_bytes(smtp_server: ScriptedSMTP) -> None:
    assert deliver(smtp_server, BOB, CAROL) == {
        BOB: QUEUED,
        CAROL: QUEUED,
    }
    [transaction] = smtp_server.received
    assert transaction.envelope_from == ALICE
    assert transaction.recipients == (BOB, CAROL)
    assert transaction.raw == RAW


def test_refused_recipient_does_not_stop_the_others() -> None:
    with ScriptedSMTP(rcpt={BOB: "550 5.1.1 no such user", CAROL: "450 4.2.0 later"}) as server:
        outcomes = deliver(server, BOB, CAROL, DAVE)
        assert outcomes[BOB] == NO_SUCH_USER
        assert outcomes[CAROL] == Outcome(SendStatus.DEFERRED, "450 4.2.0 later", phase=Phase.RCPT)
        assert outcomes[DAVE].status is SendStatus.SENT
        assert server.received[0].recipients == (DAVE,)


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
            BOB: NO_SUCH_USER,
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


def test_connection_that_cannot_be_reset_is_not_kept() -> None:
    with ScriptedSMTP(rcpt=["550 no", "250 yes"], rset="502 5.5.1 what?") as server:
        assert deliver(server)[BOB].status is SendStatus.REFUSED
        assert deliver(server)[BOB].status is SendStatus.SENT
        assert server.connections == 2


@pytest.mark.parametrize("rset", [DROP, HANG, "421 4.3.2 going down"])
def test_refusal_of_all_survives_a_loss_at_rset(rset: Any) -> None:
    with ScriptedSMTP(rcpt="550 5.1.1 no such user", rset=rset) as server:
        assert deliver(server)[BOB] == NO_SUCH_USER


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
