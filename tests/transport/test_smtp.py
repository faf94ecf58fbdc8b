import time
from typing import Any

import pytest
from django.core import mail
from pytest_django import Settings

from meetings.transport.outcome import Outcome, SendStatus
from meetings.transport.smtp.backend import EmailBackend
from tests.support.smtp_server import DRIP, DROP, HANG, ScriptedSMTP
from tests.transport.wire import ALICE, BOB, CAROL, PLENTY, RAW, SOON, deliver, fates

# A busy machine may be late; a deadline that does not hold is later.
LATE = 2.0


def test_each_recipient_gets_an_outcome_and_the_bytes_arrive_as_they_were(
    smtp_server: ScriptedSMTP,
) -> None:
    outcomes = deliver(smtp_server, BOB, CAROL)
    assert outcomes == {
        BOB: Outcome(SendStatus.SENT, "250 2.0.0 queued"),
        CAROL: Outcome(SendStatus.SENT, "250 2.0.0 queued"),
    }
    [transaction] = smtp_server.received
    assert (transaction.envelope_from, transaction.recipients, transaction.raw) == (
        ALICE,
        (BOB, CAROL),
        RAW,
    )


SILENT = "did not answer in time"
BEFORE_THE_DOT = [
    pytest.param(
        {"banner": "421 4.3.2 busy"}, SendStatus.DEFERRED, "421 4.3.2 busy", id="greeting 421"
    ),
    pytest.param(
        {"banner": "554 5.3.2 not here"},
        SendStatus.DEFERRED,
        "554 5.3.2 not here",
        id="greeting 554",
    ),
    pytest.param({"banner": HANG}, SendStatus.DEFERRED, SILENT, id="silence at the greeting"),
    pytest.param({"banner": DRIP}, SendStatus.DEFERRED, SILENT, id="a greeting that drips"),
    pytest.param({"banner": DROP}, SendStatus.DEFERRED, "closed", id="drop at the greeting"),
    pytest.param(
        {"banner": "220 " + "x" * 9000},
        SendStatus.DEFERRED,
        "unreadable",
        id="a greeting without end",
    ),
    pytest.param(
        {"banner": "220-x\n" * 12_000 + "220 x"},
        SendStatus.DEFERRED,
        "has no end",
        id="a greeting of too many lines",
    ),
    pytest.param({"ehlo": HANG}, SendStatus.DEFERRED, SILENT, id="silence at EHLO"),
    pytest.param(
        {"mail": "451 4.3.0 later"}, SendStatus.DEFERRED, "451 4.3.0 later", id="MAIL 4xx"
    ),
    pytest.param(
        {"mail": "550 5.7.1 not you"}, SendStatus.REFUSED, "550 5.7.1 not you", id="MAIL 5xx"
    ),
    pytest.param({"mail": HANG}, SendStatus.DEFERRED, SILENT, id="silence at MAIL"),
    pytest.param({"mail": DROP}, SendStatus.DEFERRED, "closed", id="drop at MAIL"),
    pytest.param(
        {"rcpt": "450 4.2.0 greylisted"}, SendStatus.DEFERRED, "450 4.2.0 greylisted", id="RCPT 4xx"
    ),
    pytest.param(
        {"rcpt": "550 5.1.1 nobody"}, SendStatus.REFUSED, "550 5.1.1 nobody", id="RCPT 5xx"
    ),
    pytest.param(
        {"rcpt": "421 4.3.2 going down"}, SendStatus.DEFERRED, "421 4.3.2 going down", id="RCPT 421"
    ),
    pytest.param({"rcpt": HANG}, SendStatus.DEFERRED, SILENT, id="silence at RCPT"),
    pytest.param(
        {"data": "451 4.3.0 later"}, SendStatus.DEFERRED, "451 4.3.0 later", id="DATA 4xx"
    ),
    pytest.param({"data": "554 5.5.0 no"}, SendStatus.REFUSED, "554 5.5.0 no", id="DATA 5xx"),
    pytest.param({"data": "250 what?"}, SendStatus.DEFERRED, "250 what?", id="DATA 250"),
    pytest.param({"data": HANG}, SendStatus.DEFERRED, SILENT, id="silence at DATA"),
    pytest.param({"data": DROP}, SendStatus.DEFERRED, "closed", id="drop at DATA"),
    pytest.param(
        {"extensions": ("SIZE 20",)}, SendStatus.REFUSED, "35 octets, more than", id="SIZE exceeded"
    ),
]
AFTER_THE_DOT = [
    pytest.param("452 4.2.2 full", SendStatus.DEFERRED, "452 4.2.2 full", id="dot 4xx"),
    pytest.param("554 5.7.1 spam", SendStatus.REFUSED, "554 5.7.1 spam", id="dot 5xx"),
    pytest.param("421 4.3.2 going down", SendStatus.DEFERRED, "421 4.3.2 going down", id="dot 421"),
    pytest.param(
        DROP, SendStatus.UNKNOWN, "after the mail was handed over", id="drop after the dot"
    ),
    pytest.param(HANG, SendStatus.UNKNOWN, SILENT, id="silence after the dot"),
    pytest.param(DRIP, SendStatus.UNKNOWN, SILENT, id="a reply to the dot that drips"),
    pytest.param("hello?", SendStatus.UNKNOWN, "", id="nonsense after the dot"),
    pytest.param(
        "250 " + "x" * 9000, SendStatus.UNKNOWN, "unreadable", id="a reply to the dot without end"
    ),
]


@pytest.mark.parametrize(("script", "status", "words"), BEFORE_THE_DOT)
def test_a_fault_before_the_final_dot(
    script: dict[str, Any], status: SendStatus, words: str
) -> None:
    with ScriptedSMTP(**script) as server:
        started = time.monotonic()
        outcome = deliver(server, deadline=SOON)[BOB]
        took = time.monotonic() - started
        assert outcome.status is status
        assert words in outcome.reply
        assert took < SOON + LATE
        assert server.received == []


@pytest.mark.parametrize(("dot", "status", "words"), AFTER_THE_DOT)
def test_a_fault_after_the_final_dot(dot: Any, status: SendStatus, words: str) -> None:
    with ScriptedSMTP(dot=dot) as server:
        started = time.monotonic()
        outcome = deliver(server, deadline=SOON)[BOB]
        assert time.monotonic() - started < SOON + LATE
        assert outcome.status is status
        assert words in outcome.reply
        assert len(server.received) == 1


def test_nobody_listens() -> None:
    with ScriptedSMTP() as server:
        pass
    outcome = deliver(server)[BOB]
    assert outcome.status is SendStatus.DEFERRED
    assert "refused" in outcome.reply


def test_a_name_that_does_not_resolve() -> None:
    outcome = EmailBackend(host="mail.invalid", port=25).deliver(
        ALICE, [BOB], RAW, deadline=PLENTY
    )[BOB]
    assert outcome.status is SendStatus.DEFERRED


def test_no_time_left_sends_nothing(smtp_server: ScriptedSMTP) -> None:
    assert deliver(smtp_server, deadline=0)[BOB].status is SendStatus.DEFERRED
    assert smtp_server.commands == []


def test_the_timeout_of_the_settings_bounds_each_wait_before_the_dot() -> None:
    with ScriptedSMTP(mail=HANG) as server:
        started = time.monotonic()
        assert deliver(server, timeout=0.1)[BOB].status is SendStatus.DEFERRED
        assert time.monotonic() - started < LATE


def test_the_answer_to_the_dot_is_waited_for_as_long_as_there_is_time(
    smtp_server: ScriptedSMTP,
) -> None:
    def slowly(_: str) -> str:
        smtp_server.stopped.wait(0.3)
        return "250 2.0.0 queued at last"

    smtp_server.scripts["dot"] = slowly
    assert deliver(smtp_server, timeout=0.15)[BOB] == Outcome(
        SendStatus.SENT, "250 2.0.0 queued at last"
    )


@pytest.mark.parametrize("fault", [HANG, DROP])
def test_a_loss_before_the_dot_was_written_is_not_ambiguous(fault: Any) -> None:
    with ScriptedSMTP(content=fault, extensions=()) as server:
        more_than_the_buffers_hold = b"x: y\r\n" + b"x" * 16_000_000
        started = time.monotonic()
        assert (
            deliver(server, raw=more_than_the_buffers_hold, deadline=1)[BOB].status
            is SendStatus.DEFERRED
        )
        assert time.monotonic() - started < 3
        assert server.verbs()[-1] == "DATA"


class TestRecipients:
    def test_a_refusal_of_one_is_reported_and_does_not_stop_the_others(self) -> None:
        with ScriptedSMTP(rcpt={BOB: "550 5.1.1 no such user", CAROL: "452 4.2.2 full"}) as server:
            outcomes = deliver(server, BOB, CAROL, "dave@example.com")
            assert outcomes[BOB] == Outcome(SendStatus.REFUSED, "550 5.1.1 no such user")
            assert outcomes[CAROL] == Outcome(SendStatus.DEFERRED, "452 4.2.2 full")
            assert outcomes["dave@example.com"].status is SendStatus.SENT
            assert server.received[0].recipients == ("dave@example.com",)

    def test_all_refused_ends_with_rset_and_the_connection_goes_on(self) -> None:
        with ScriptedSMTP(rcpt=["550 no", "250 yes"]) as server:
            assert deliver(server)[BOB].status is SendStatus.REFUSED
            assert deliver(server)[BOB].status is SendStatus.SENT
            assert server.verbs() == ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA"]

    def test_a_refusal_before_the_connection_breaks_stays_a_refusal(self) -> None:
        with ScriptedSMTP(rcpt={BOB: "550 5.1.1 no such user", CAROL: DROP}) as server:
            outcomes = deliver(server, "dave@example.com", BOB, CAROL)
            assert fates(outcomes) == {
                "dave@example.com": SendStatus.DEFERRED,
                BOB: SendStatus.REFUSED,
                CAROL: SendStatus.DEFERRED,
            }

    def test_more_than_a_hundred_go_in_transactions_of_a_hundred(
        self, smtp_server: ScriptedSMTP
    ) -> None:
        people = [f"p{number}@example.com" for number in range(230)]
        outcomes = deliver(smtp_server, *people)
        assert set(fates(outcomes).values()) == {SendStatus.SENT}
        assert [len(transaction.recipients) for transaction in smtp_server.received] == [
            100,
            100,
            30,
        ]
        assert smtp_server.connections == 1

    def test_a_batch_that_fails_does_not_touch_the_other(self) -> None:
        people = [f"p{number}@example.com" for number in range(101)]
        with ScriptedSMTP(dot=["554 5.7.1 no", "250 ok"]) as server:
            outcomes = deliver(server, *people)
        assert outcomes["p0@example.com"].status is SendStatus.REFUSED
        assert outcomes["p100@example.com"].status is SendStatus.SENT

    @pytest.mark.parametrize(
        "address",
        [
            "bob",
            "@example.com",
            "bob@",
            "b ob@example.com",
            "bob@example.com\r\nRSET",
            "bob>@example.com",
            "b@a..b",
            "b" * 250 + "@x.org",
            "",
        ],
    )
    def test_what_is_no_address_fails_alone(self, smtp_server: ScriptedSMTP, address: str) -> None:
        assert fates(deliver(smtp_server, address, CAROL)) == {
            address: SendStatus.REFUSED,
            CAROL: SendStatus.SENT,
        }
        assert smtp_server.received[0].recipients == (CAROL,)

    def test_a_quoted_local_part_may_have_spaces(self, smtp_server: ScriptedSMTP) -> None:
        assert (
            deliver(smtp_server, '"bob b"@example.com')['"bob b"@example.com'].status
            is SendStatus.SENT
        )

    def test_a_sender_that_is_no_address_fails_everybody(self, smtp_server: ScriptedSMTP) -> None:
        assert deliver(smtp_server, sender="alice\r\n@x")[BOB].status is SendStatus.REFUSED
        assert smtp_server.commands == []

    def test_the_null_sender(self, smtp_server: ScriptedSMTP) -> None:
        assert deliver(smtp_server, sender="")[BOB].status is SendStatus.SENT
        assert smtp_server.received[0].envelope_from == ""


class TestBytes:
    @pytest.mark.parametrize(
        "raw", [b"a: b\n\nc\n.d\n", b"a: b\r\n\r\nc\r\n.d", b"a: b\r\rc\r.d\r"]
    )
    def test_lines_always_end_with_crlf(self, smtp_server: ScriptedSMTP, raw: bytes) -> None:
        deliver(smtp_server, raw=raw)
        assert smtp_server.received[0].raw == b"a: b\r\n\r\nc\r\n.d\r\n"

    def test_a_dot_alone_does_not_end_the_mail(self, smtp_server: ScriptedSMTP) -> None:
        raw = b"a: b\r\n\r\n.\r\nRSET\r\n..\r\n"
        deliver(smtp_server, raw=raw)
        assert smtp_server.received[0].raw == raw

    def test_8bit_is_declared_where_the_server_knows_it(self, smtp_server: ScriptedSMTP) -> None:
        deliver(smtp_server, raw="a: b\r\n\r\n会议\r\n".encode())
        assert "BODY=8BITMIME" in smtp_server.received[0].mail_options


class TestInternationalAddresses:
    def test_a_domain_goes_as_idna(self, smtp_server: ScriptedSMTP) -> None:
        outcomes = deliver(smtp_server, "bob@münchen.example", sender="alice@例子.example")
        assert fates(outcomes) == {"bob@münchen.example": SendStatus.SENT}
        [transaction] = smtp_server.received
        assert transaction.recipients == ("bob@xn--mnchen-3ya.example",)
        assert transaction.envelope_from == "alice@xn--fsqu00a.example"
        assert "SMTPUTF8" not in transaction.mail_options

    def test_a_local_part_goes_with_smtputf8_in_a_transaction_of_its_own(
        self, smtp_server: ScriptedSMTP
    ) -> None:
        assert set(fates(deliver(smtp_server, "小明@example.com", BOB)).values()) == {
            SendStatus.SENT
        }
        plain, international = smtp_server.received
        assert (plain.recipients, "SMTPUTF8" in plain.mail_options) == ((BOB,), False)
        assert (international.recipients, "SMTPUTF8" in international.mail_options) == (
            ("小明@example.com",),
            True,
        )

    def test_without_smtputf8_only_those_who_need_it_fail(self) -> None:
        with ScriptedSMTP(extensions=("8BITMIME",)) as server:
            outcomes = deliver(server, "小明@example.com", BOB)
            assert fates(outcomes) == {"小明@example.com": SendStatus.REFUSED, BOB: SendStatus.SENT}
            assert (
                "needs SMTPUTF8, which the mail server does not offer"
                in outcomes["小明@example.com"].reply
            )

    def test_a_header_in_utf8_needs_it_too(self) -> None:
        with ScriptedSMTP(extensions=()) as server:
            assert (
                deliver(server, raw="Subject: 会议\r\n\r\nx\r\n".encode())[BOB].status
                is SendStatus.REFUSED
            )


def test_a_reply_is_one_short_printable_line() -> None:
    with ScriptedSMTP(rcpt="550-5.1.1 no\x07\x1b[31m\n550 such " + "user " * 300) as server:
        reply = deliver(server)[BOB].reply
    assert reply.startswith("550 5.1.1 no [31m such user")
    assert len(reply) == 500
    assert reply.isprintable()


def test_ordinary_mail_of_django_still_goes(settings: Settings, smtp_server: ScriptedSMTP) -> None:
    settings.EMAIL_BACKEND = "meetings.transport.smtp.backend.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = smtp_server.host, smtp_server.port
    assert mail.send_mail("hello", "body", ALICE, [BOB, CAROL]) == 1
    assert smtp_server.received[0].recipients == (BOB, CAROL)
