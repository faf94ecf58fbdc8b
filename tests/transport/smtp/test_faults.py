"""What a mail server may do wrong, moment by moment, and what becomes of the mail.

Each fault is played to a client that says its commands one by one, and to one that pipelines them.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from meetings.transport.outcome import Loss, Outcome, Phase, SendStatus
from meetings.transport.smtp.backend import EmailBackend
from tests.support.servers.smtp_conversation import Slow
from tests.support.servers.smtp_server import DRIP, DROP, HANG, ScriptedSMTP
from tests.transport.door import yes
from tests.transport.smtp.wire import ALICE, BOB, RAW, SOON, deliver, patiently

ONE_BY_ONE = ("8BITMIME", "SMTPUTF8", "SIZE 10485760")
PIPELINED = (*ONE_BY_ONE, "PIPELINING")
REFUSED, DEFERRED, UNKNOWN = SendStatus.REFUSED, SendStatus.DEFERRED, SendStatus.UNKNOWN
SESSION, MAIL, RCPT, DATA = Phase.SESSION, Phase.MAIL, Phase.RCPT, Phase.DATA
MESSAGE = Phase.MESSAGE
BROKEN, SILENT = Loss.BROKEN, Loss.SILENT
BUSY = True


@dataclass(frozen=True)
class End:
    """What an outcome has to be; ``words`` are a part of its reply."""

    status: SendStatus
    phase: Phase
    words: str
    loss: Loss | None = None
    is_busy: bool = False

    def check(self, outcome: Outcome) -> None:
        assert self.words in outcome.reply
        found = (outcome.status, outcome.phase, outcome.loss, outcome.is_server_busy)
        assert found == (self.status, self.phase, self.loss, self.is_busy)


@pytest.fixture(params=[ONE_BY_ONE, PIPELINED], ids=["one by one", "pipelined"])
def extensions(request: pytest.FixtureRequest) -> tuple[str, ...]:
    offered: tuple[str, ...] = request.param
    return offered


BEFORE_THE_DOT: dict[str, tuple[dict[str, Any], End]] = {
    "greeting 421": ({"banner": "421 4.3.2 busy"}, End(DEFERRED, SESSION, "421 4", None, BUSY)),
    "greeting 450": ({"banner": "450 4.7.1 wait"}, End(DEFERRED, SESSION, "450 4", None, BUSY)),
    "greeting 554": ({"banner": "554 5.3.2 not here"}, End(DEFERRED, SESSION, "554 5.3.2")),
    "drop at the greeting": ({"banner": DROP}, End(DEFERRED, SESSION, "closed", BROKEN)),
    "greeting of one long line": (
        {"banner": "220 " + "x" * 9000},
        End(DEFERRED, SESSION, "unreadable", BROKEN),
    ),
    "greeting of many lines": (
        {"banner": "220-x\n" * 12_000 + "220 x"},
        End(DEFERRED, SESSION, "has no end", BROKEN),
    ),
    "EHLO 421": ({"ehlo": "421 4.7.0 later"}, End(DEFERRED, SESSION, "421 4.7.0", None, BUSY)),
    "EHLO 451": ({"ehlo": "451 4.7.0 later"}, End(DEFERRED, SESSION, "451 4.7.0", None, BUSY)),
    "drop at EHLO": ({"ehlo": DROP}, End(DEFERRED, SESSION, "closed", BROKEN)),
    "MAIL 421": ({"mail": "421 4.3.2 down"}, End(DEFERRED, MAIL, "421 4.3.2", None, BUSY)),
    "MAIL 451 4.3.0": ({"mail": "451 4.3.0 full"}, End(DEFERRED, MAIL, "451 4.3", None, BUSY)),
    "MAIL 450 4.7.1": ({"mail": "450 4.7.1 slow"}, End(DEFERRED, MAIL, "450 4.7", None, BUSY)),
    "MAIL 450 4.1.8": ({"mail": "450 4.1.8 who?"}, End(DEFERRED, MAIL, "450 4.1.8 who?")),
    "MAIL 451": ({"mail": "451 later"}, End(DEFERRED, MAIL, "451 later")),
    "MAIL 5xx": ({"mail": "550 5.7.1 not you"}, End(REFUSED, MAIL, "550 5.7.1 not you")),
    "drop at MAIL": ({"mail": DROP}, End(DEFERRED, MAIL, "closed", BROKEN)),
    "RCPT 4xx": ({"rcpt": "450 4.2.0 greylisted"}, End(DEFERRED, RCPT, "450 4.2.0 greylisted")),
    "RCPT 451 4.7.1": ({"rcpt": "451 4.7.1 later"}, End(DEFERRED, RCPT, "451 4.7.1 later")),
    "RCPT 452": ({"rcpt": "452 4.5.3 too many"}, End(DEFERRED, RCPT, "452 4.5.3 too many")),
    "RCPT 552": ({"rcpt": "552 5.5.3 too many"}, End(DEFERRED, RCPT, "552 5.5.3 too many")),
    "RCPT 5xx": ({"rcpt": "550 5.1.1 unknown"}, End(REFUSED, RCPT, "550 5.1.1 unknown")),
    "RCPT 421": ({"rcpt": "421 4.3.2 down"}, End(DEFERRED, RCPT, "421 4.3.2", None, BUSY)),
    "drop at RCPT": ({"rcpt": DROP}, End(DEFERRED, RCPT, "closed", BROKEN)),
    "DATA 421": ({"data": "421 4.3.2 down"}, End(DEFERRED, DATA, "421 4.3.2", None, BUSY)),
    "DATA 4xx": ({"data": "451 4.3.0 later"}, End(DEFERRED, DATA, "451 4.3.0 later")),
    "DATA 552": ({"data": "552 5.3.4 too big"}, End(REFUSED, DATA, "552 5.3.4 too big")),
    "DATA 5xx": ({"data": "554 5.5.0 no"}, End(REFUSED, DATA, "554 5.5.0 no")),
    "DATA 250": ({"data": "250 what?"}, End(DEFERRED, DATA, "250 what?")),
    "drop at DATA": ({"data": DROP}, End(DEFERRED, DATA, "closed", BROKEN)),
}


@pytest.mark.parametrize(("script", "end"), BEFORE_THE_DOT.values(), ids=BEFORE_THE_DOT)
def test_fault_before_the_final_dot_sends_nothing(
    extensions: tuple[str, ...], script: dict[str, Any], end: End
) -> None:
    with ScriptedSMTP(extensions=extensions, **script) as server:
        end.check(deliver(server)[BOB])
        assert server.received == []


ENDLESS: dict[str, tuple[dict[str, Any], Phase]] = {
    "silence at the greeting": ({"banner": HANG}, SESSION),
    "greeting that drips": ({"banner": DRIP}, SESSION),
    "silence at EHLO": ({"ehlo": HANG}, SESSION),
    "silence at MAIL": ({"mail": HANG}, MAIL),
    "silence at RCPT": ({"rcpt": HANG}, RCPT),
    "RCPT that drips": ({"rcpt": DRIP}, RCPT),
    "silence at DATA": ({"data": HANG}, DATA),
}
# Each octet ends a wait. So only the deadline ends a reply that drips.
NOTHING_AT_ALL = {name: row for name, row in ENDLESS.items() if HANG in row[0].values()}


@pytest.mark.parametrize(("script", "phase"), ENDLESS.values(), ids=ENDLESS)
def test_deadline_ends_a_wait_before_the_final_dot(
    extensions: tuple[str, ...], script: dict[str, Any], phase: Phase
) -> None:
    with ScriptedSMTP(extensions=extensions, **script) as server:
        outcomes = patiently(
            lambda seconds: deliver(server, deadline=seconds),
            lambda found: found[BOB].phase is phase,
        )
        End(DEFERRED, phase, "did not answer in time", SILENT).check(outcomes[BOB])
        assert server.received == []


@pytest.mark.parametrize(("script", "phase"), NOTHING_AT_ALL.values(), ids=NOTHING_AT_ALL)
def test_timeout_of_the_settings_ends_a_silence(
    extensions: tuple[str, ...], script: dict[str, Any], phase: Phase
) -> None:
    with ScriptedSMTP(extensions=extensions, **script) as server:
        outcomes = patiently(
            lambda seconds: deliver(server, timeout=seconds),
            lambda found: found[BOB].phase is phase,
        )
        End(DEFERRED, phase, "did not answer in time", SILENT).check(outcomes[BOB])


AFTER_THE_DOT: dict[str, tuple[Any, End]] = {
    "4xx": ("452 4.2.2 full", End(DEFERRED, MESSAGE, "452 4.2.2 full")),
    "5xx": ("554 5.7.1 spam", End(REFUSED, MESSAGE, "554 5.7.1 spam")),
    "552": ("552 5.3.4 too big", End(REFUSED, MESSAGE, "552 5.3.4 too big")),
    "421": ("421 4.3.2 down", End(DEFERRED, MESSAGE, "421 4.3.2 down", None, BUSY)),
    "drop": (DROP, End(UNKNOWN, MESSAGE, "after the mail was handed over", BROKEN)),
    "nonsense": ("hello?", End(UNKNOWN, MESSAGE, "after the mail was handed over", BROKEN)),
    "reply without end": ("250 " + "x" * 9000, End(UNKNOWN, MESSAGE, "unreadable", BROKEN)),
}


@pytest.mark.parametrize(("dot", "end"), AFTER_THE_DOT.values(), ids=AFTER_THE_DOT)
def test_fault_after_the_final_dot_has_its_end(
    extensions: tuple[str, ...], dot: Any, end: End
) -> None:
    with ScriptedSMTP(extensions=extensions, dot=dot) as server:
        end.check(deliver(server)[BOB])
        assert len(server.received) == 1


@pytest.mark.parametrize("dot", [HANG, DRIP])
def test_silence_after_the_final_dot_means_unknown(
    extensions: tuple[str, ...], settings: Any, dot: Any
) -> None:
    settings.MEETINGS_SMTP_LAST_REPLY = SOON
    with ScriptedSMTP(extensions=extensions, dot=dot) as server:
        outcome = deliver(server)[BOB]
        End(UNKNOWN, MESSAGE, "did not answer in time", SILENT).check(outcome)
        assert len(server.received) == 1


def test_reply_to_the_final_dot_has_its_own_time(extensions: tuple[str, ...]) -> None:
    """Neither EMAIL_TIMEOUT nor what the transaction has left of its deadline ends that wait."""
    with ScriptedSMTP(extensions=extensions) as server:

        def attempt(seconds: float) -> dict[str, Outcome]:
            server.scripts["dot"] = Slow("250 2.0.0 queued at last", 2 * seconds)
            return deliver(server, timeout=seconds, deadline=seconds)

        outcomes = patiently(attempt, lambda _: bool(server.received))
        assert outcomes[BOB] == Outcome(
            SendStatus.SENT, "250 2.0.0 queued at last", phase=Phase.MESSAGE
        )


MORE_THAN_THE_BUFFERS_HOLD = b"x: y\r\n" + b"x" * 16_000_000


@pytest.mark.parametrize(("fault", "loss"), [(HANG, SILENT), (DROP, BROKEN)])
def test_loss_within_the_content_is_deferred(fault: Any, loss: Loss) -> None:
    with ScriptedSMTP(content=fault, extensions=()) as server:
        outcomes = patiently(
            lambda seconds: deliver(server, raw=MORE_THAN_THE_BUFFERS_HOLD, deadline=seconds),
            lambda found: (found[BOB].phase, found[BOB].loss) == (DATA, loss),
        )
        End(DEFERRED, DATA, "", loss).check(outcomes[BOB])


def test_server_that_does_not_listen_is_deferred() -> None:
    with ScriptedSMTP() as server:
        pass
    End(DEFERRED, SESSION, "refused", BROKEN).check(deliver(server)[BOB])


def test_host_name_that_does_not_resolve_is_deferred() -> None:
    backend = EmailBackend(host="mail.invalid", port=25)
    [outcomes] = backend.deliver(ALICE, [BOB], RAW, may_finish=yes)
    End(DEFERRED, SESSION, "", BROKEN).check(outcomes[BOB])


def test_deadline_of_zero_sends_nothing(smtp_server: ScriptedSMTP) -> None:
    End(DEFERRED, SESSION, "in time", SILENT).check(deliver(smtp_server, deadline=0)[BOB])
    assert smtp_server.commands == []


BEYOND_THE_SERVER = {
    "SIZE": (("SIZE 20",), RAW, "35 octets, more than the mail server's limit of 20"),
    "SMTPUTF8": (("8BITMIME",), "Subject: 会议\r\n\r\nx\r\n".encode(), "needs SMTPUTF8"),
}


@pytest.mark.parametrize(
    ("offered", "raw", "words"), BEYOND_THE_SERVER.values(), ids=BEYOND_THE_SERVER
)
def test_mail_that_the_server_cannot_take_is_refused(
    offered: tuple[str, ...], raw: bytes, words: str
) -> None:
    with ScriptedSMTP(extensions=offered) as server:
        for _ in range(2):
            End(REFUSED, Phase.NONE, words).check(deliver(server, raw=raw)[BOB])
        assert server.verbs() == ["EHLO"]
