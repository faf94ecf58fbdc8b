import pytest
from pytest_django import Settings

from meetings.transport.outcome import SendStatus
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.transport.smtp.wire import BOB, CAROL, DAVE, deliver, statuses, transactions


def crowd(size: int) -> list[str]:
    return [f"p{number}@example.com" for number in range(size)]


def test_transaction_has_a_hundred_recipients_at_most(smtp_server: ScriptedSMTP) -> None:
    outcomes = deliver(smtp_server, *crowd(230))
    assert set(statuses(outcomes).values()) == {SendStatus.SENT}
    assert [len(mail.recipients) for mail in smtp_server.received] == [100, 100, 30]
    assert smtp_server.connections == 1


def test_setting_makes_transactions_smaller(smtp_server: ScriptedSMTP, settings: Settings) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 2
    deliver(smtp_server, *crowd(3), "小明@example.com")
    assert [len(mail.recipients) for mail in smtp_server.received] == [2, 1, 1]


def test_outcomes_come_when_their_transaction_has_ended(
    smtp_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1
    outcomes = transactions(smtp_server, BOB, "carol", DAVE)
    assert smtp_server.connections == 0
    assert statuses(next(outcomes)) == {"carol": SendStatus.REFUSED}
    assert smtp_server.connections == 0
    assert statuses(next(outcomes)) == {BOB: SendStatus.SENT}
    assert [mail.recipients for mail in smtp_server.received] == [(BOB,)]
    assert statuses(next(outcomes)) == {DAVE: SendStatus.SENT}
    assert next(outcomes, None) is None


def test_caller_can_stop_between_two_transactions(
    smtp_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1
    outcomes = transactions(smtp_server, BOB, CAROL)
    next(outcomes)
    del outcomes
    deliver(smtp_server, DAVE)
    assert [mail.recipients for mail in smtp_server.received] == [(BOB,), (DAVE,)]
    assert smtp_server.connections == 1


def test_failed_transaction_does_not_touch_the_next() -> None:
    with ScriptedSMTP(dot=["554 5.7.1 no", "250 ok"]) as server:
        outcomes = deliver(server, *crowd(101))
    assert outcomes["p0@example.com"].status is SendStatus.REFUSED
    assert outcomes["p100@example.com"].status is SendStatus.SENT


def test_recipient_named_twice_is_mailed_once(smtp_server: ScriptedSMTP) -> None:
    assert statuses(deliver(smtp_server, BOB, BOB)) == {BOB: SendStatus.SENT}
    assert smtp_server.received[0].recipients == (BOB,)


NO_ADDRESSES = [
    "bob",
    "@example.com",
    "bob@",
    "b ob@example.com",
    "bob@example.com\r\nRSET",
    "bob>@example.com",
    "b@a..b",
    "b" * 250 + "@x.org",
    "",
]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_fails_alone(smtp_server: ScriptedSMTP, address: str) -> None:
    assert statuses(deliver(smtp_server, address, CAROL)) == {
        address: SendStatus.REFUSED,
        CAROL: SendStatus.SENT,
    }
    assert smtp_server.received[0].recipients == (CAROL,)


def test_quoted_local_part_may_have_spaces(smtp_server: ScriptedSMTP) -> None:
    address = '"bob b"@example.com'
    assert statuses(deliver(smtp_server, address)) == {address: SendStatus.SENT}


def test_sender_that_is_no_address_sends_nothing(smtp_server: ScriptedSMTP) -> None:
    assert deliver(smtp_server, sender="alice\r\n@x")[BOB].status is SendStatus.REFUSED
    assert smtp_server.commands == []


@pytest.mark.parametrize("raw", [b"a: b\n\nc\n.d\n", b"a: b\r\n\r\nc\r\n.d", b"a: b\r\rc\r.d\r"])
def test_every_line_arrives_with_crlf(smtp_server: ScriptedSMTP, raw: bytes) -> None:
    deliver(smtp_server, raw=raw)
    assert smtp_server.received[0].raw == b"a: b\r\n\r\nc\r\n.d\r\n"


def test_international_domain_is_sent_in_ascii(smtp_server: ScriptedSMTP) -> None:
    outcomes = deliver(smtp_server, "bob@münchen.example", sender="alice@例子.example")
    assert statuses(outcomes) == {"bob@münchen.example": SendStatus.SENT}
    [transaction] = smtp_server.received
    assert transaction.recipients == ("bob@xn--mnchen-3ya.example",)
    assert transaction.envelope_from == "alice@xn--fsqu00a.example"
    assert "SMTPUTF8" not in transaction.mail_options


def test_smtputf8_has_a_transaction_of_its_own(smtp_server: ScriptedSMTP) -> None:
    outcomes = deliver(smtp_server, "小明@example.com", BOB)
    assert set(statuses(outcomes).values()) == {SendStatus.SENT}
    plain, international = smtp_server.received
    assert plain.recipients == (BOB,)
    assert "SMTPUTF8" not in plain.mail_options
    assert international.recipients == ("小明@example.com",)
    assert "SMTPUTF8" in international.mail_options


def test_server_without_smtputf8_gets_the_other_mail() -> None:
    with ScriptedSMTP(extensions=("8BITMIME",)) as server:
        outcomes = deliver(server, "小明@example.com", BOB)
    assert statuses(outcomes) == {"小明@example.com": SendStatus.REFUSED, BOB: SendStatus.SENT}
    reply = outcomes["小明@example.com"].reply
    assert "needs SMTPUTF8, which the mail server does not offer" in reply


def test_header_in_utf8_needs_smtputf8_too() -> None:
    with ScriptedSMTP(extensions=()) as server:
        outcome = deliver(server, raw="Subject: 会议\r\n\r\nx\r\n".encode())[BOB]
    assert outcome.status is SendStatus.REFUSED
