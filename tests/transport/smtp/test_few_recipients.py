"""Mail servers that take few recipients at a time (RFC 5321 §4.5.3.1.8 and §4.5.3.1.10)."""

from collections import Counter

import pytest
from pytest_django import Settings

from meetings.transport.outcome import Loss, Phase, SendStatus
from tests.support.servers.smtp_conversation import Slow, Step
from tests.support.servers.smtp_server import HANG, ScriptedSMTP
from tests.transport.smtp.wire import (
    BOB,
    CAROL,
    DAVE,
    SOON,
    Outcomes,
    deliver,
    statuses,
    transactions,
)

TOO_MANY = ["452 4.5.3 too many recipients", "552 5.5.3 too many recipients", "452 too many"]
SENT = {SendStatus.SENT}
PLAIN, PIPELINED = ("SIZE 10485760",), ("SIZE 10485760", "PIPELINING")

either_reply = pytest.mark.parametrize("reply", TOO_MANY)
either_way = pytest.mark.parametrize("extensions", [PLAIN, PIPELINED], ids=["plain", "pipelined"])


def crowd(size: int) -> list[str]:
    return [f"p{number}@example.com" for number in range(size)]


def sizes(server: ScriptedSMTP) -> list[int]:
    return [len(mail.recipients) for mail in server.accepted]


def mailed(server: ScriptedSMTP) -> Counter[str]:
    """How many mails each person got."""
    return Counter(to for mail in server.accepted for to in mail.recipients)


@either_reply
@either_way
def test_recipients_beyond_the_room_follow_at_once(extensions: tuple[str, ...], reply: str) -> None:
    people = crowd(35)
    with ScriptedSMTP(extensions=extensions) as server:
        server.room, server.beyond_room = 10, reply
        yielded = list(transactions(server, *people))
        assert [len(outcomes) for outcomes in yielded] == [10, 10, 10, 5]
        assert dict.fromkeys(people, 1) == mailed(server)
        assert sizes(server) == [10, 10, 10, 5]
        assert server.connections == 1
    statuses_of_all = {each.status for outcomes in yielded for each in outcomes.values()}
    assert statuses_of_all == {SendStatus.SENT}


def test_room_is_found_out_once_without_pipelining() -> None:
    with ScriptedSMTP(extensions=PLAIN) as server:
        server.room = 10
        deliver(server, *crowd(35))
        # 35 were accepted, and one was not.
        assert server.verbs().count("RCPT") == 36


def test_room_is_found_out_once_with_pipelining() -> None:
    with ScriptedSMTP(extensions=PIPELINED) as server:
        server.room = 10
        deliver(server, *crowd(35))
        assert server.verbs().count("RCPT") == 60
        assert server.verbs().count("MAIL") == 4


def test_groups_after_a_full_one_are_not_asked_of(settings: Settings) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1000
    with ScriptedSMTP(extensions=PIPELINED) as server:
        server.room = 150
        deliver(server, *crowd(400))
        assert sizes(server) == [150, 150, 100]
        # Of the first transaction two groups of 100 commands.
        assert server.verbs().count("RCPT") == 200 + 150 + 100


@either_way
def test_room_for_nobody_is_deferred(extensions: tuple[str, ...]) -> None:
    with ScriptedSMTP(extensions=extensions) as server:
        server.room = 0
        outcomes = deliver(server, BOB, CAROL)
        assert {each.status for each in outcomes.values()} == {SendStatus.DEFERRED}
        assert all(each.too_many_recipients for each in outcomes.values())
        assert server.verbs().count("MAIL") == 1


@either_way
def test_refused_mail_is_not_sent_on_at_once(extensions: tuple[str, ...]) -> None:
    with ScriptedSMTP(extensions=extensions, dot="451 4.3.0 later") as server:
        server.room = 1
        outcomes = deliver(server, BOB, CAROL)
        assert outcomes[BOB].phase is Phase.MESSAGE
        assert outcomes[CAROL].reply.startswith("452")
        assert set(statuses(outcomes).values()) == {SendStatus.DEFERRED}
        assert len(server.received) == 1


def test_recipient_who_was_not_asked_of_has_another_transaction() -> None:
    with ScriptedSMTP(extensions=PLAIN, dot=["451 4.3.0 later", "250 ok"]) as server:
        server.room = 1
        yielded = list(transactions(server, BOB, CAROL, DAVE))
        assert [list(outcomes) for outcomes in yielded] == [[BOB, CAROL], [DAVE]]
        assert yielded[1][DAVE].status is SendStatus.SENT


@either_way
def test_refused_recipients_take_no_room(extensions: tuple[str, ...]) -> None:
    refused = {f"p{number}@example.com": "550 5.1.1 no such user" for number in (0, 3)}
    with ScriptedSMTP(extensions=extensions, rcpt=refused) as server:
        server.room = 2
        outcomes = deliver(server, *crowd(6))
        assert [to for to, each in outcomes.items() if each.status is SendStatus.REFUSED] == [
            *refused
        ]
        assert mailed(server) == dict.fromkeys(set(crowd(6)) - refused.keys(), 1)


@pytest.mark.parametrize("reply", ["452 4.2.2 mailbox full", "552 5.2.2 mailbox full"])
@either_way
def test_full_mailbox_does_not_make_transactions_smaller(
    extensions: tuple[str, ...], reply: str
) -> None:
    with ScriptedSMTP(extensions=extensions, rcpt={CAROL: reply}) as server:
        outcomes = deliver(server, BOB, CAROL, DAVE)
        assert outcomes[CAROL].status is SendStatus.DEFERRED
        assert not outcomes[CAROL].too_many_recipients
        assert [mail.recipients for mail in server.accepted] == [(BOB, DAVE)]


@either_way
def test_caller_can_stop_before_the_rest_follows(extensions: tuple[str, ...]) -> None:
    with ScriptedSMTP(extensions=extensions) as server:
        server.room = 1
        outcomes = transactions(server, BOB, CAROL)
        assert list(next(outcomes)) == [BOB]
        del outcomes
        assert [mail.recipients for mail in server.accepted] == [(BOB,)]


@either_way
def test_smaller_transactions_avoid_a_refusal_at_data(
    extensions: tuple[str, ...], settings: Settings
) -> None:
    def data(recipients: str) -> str:
        return "554 5.5.3 too many" if len(recipients.split()) > 50 else "354 go ahead"

    people = crowd(51)
    with ScriptedSMTP(extensions=extensions, data=data) as server:
        assert set(statuses(deliver(server, *people)).values()) == {SendStatus.REFUSED}
        settings.MEETINGS_SMTP_RECIPIENTS = 50
        assert set(statuses(deliver(server, *people)).values()) == {SendStatus.SENT}
        assert dict.fromkeys(people, 1) == mailed(server)
        assert sizes(server) == [50, 1]


class Stops:
    """Says nothing more after two recipients of a transaction: each more would take too long."""

    def __init__(self, server: ScriptedSMTP) -> None:
        self.count = 0
        server.scripts |= {"mail": self.mail, "rcpt": self.rcpt}

    def mail(self, _: str) -> Step:
        self.count = 0
        return "250 ok"

    def rcpt(self, _: str) -> Step:
        self.count += 1
        return "250 ok" if self.count <= 2 else HANG


@either_way
def test_transaction_that_takes_all_its_time_is_halved(
    extensions: tuple[str, ...],
) -> None:
    people = crowd(8)

    def attempt(seconds: float) -> list[int]:
        with ScriptedSMTP(extensions=extensions) as server:
            Stops(server)
            sizes = [len(each) for each in transactions(server, *people, deadline=seconds)]
            assert set(mailed(server).values()) <= {1}
            return sizes

    for seconds in (SOON, 2, 10, 40):  # on a busy machine two may take too long as well
        sizes = attempt(seconds)
        if sizes == [0, 0, 2, 2, 2, 2]:
            return
    raise AssertionError(sizes)


@either_way
def test_slow_server_gets_as_many_as_it_can_take_in_time(extensions: tuple[str, ...]) -> None:
    """One that pipelines has not even replied to MAIL when the time is over."""
    people = crowd(8)

    def attempt(pace: float) -> list[Outcomes]:
        rcpt = Slow("250 ok", 0.25 * pace)
        with ScriptedSMTP(extensions=extensions, rcpt=rcpt) as server:
            yielded = list(transactions(server, *people, deadline=1.5 * pace))
            assert set(mailed(server).values()) <= {1}
            return yielded

    for pace in (1, 4, 16):  # a busy machine may need more time for fewer, or to connect
        first, *rest = attempt(pace)
        if first == {} and {each.status for found in rest for each in found.values()} == SENT:
            return
    raise AssertionError(first, rest)


def test_single_recipient_without_a_reply_is_a_hang() -> None:
    with ScriptedSMTP(rcpt=HANG) as server:
        [outcome] = deliver(server, BOB, deadline=SOON).values()
        assert (outcome.status, outcome.loss) == (SendStatus.DEFERRED, Loss.SILENT)


def test_refusal_stays_known_where_the_rest_takes_all_its_time() -> None:
    rcpt: dict[str, Step] = {BOB: "550 5.1.1 no such user", DAVE: HANG}
    for seconds in (2, 10, 40):  # a busy machine may not even connect in time
        with ScriptedSMTP(rcpt=rcpt) as server:
            first, *rest = transactions(server, BOB, CAROL, DAVE, deadline=seconds)
        if statuses(first) == {BOB: SendStatus.REFUSED}:
            break
    assert {to: each.status for found in rest for to, each in found.items()} == {
        CAROL: SendStatus.SENT,
        DAVE: SendStatus.DEFERRED,
    }
