import pytest

from meetings.transport.outcome import (
    Outcome,
    Phase,
    SendStatus,
    outcome_of_rcpt,
    outcome_of_reply,
)

PHASES_OF_MAIL = [Phase.RCPT, Phase.DATA, Phase.MESSAGE]


@pytest.mark.parametrize("phase", list(Phase))
def test_closing_always_means_the_server(phase: Phase) -> None:
    assert outcome_of_reply(421, b"4.3.2 going down", phase).is_server_busy
    assert outcome_of_rcpt(421, b"too many errors").is_server_busy


@pytest.mark.parametrize("text", [b"later", b"4.1.8 later"])
def test_session_put_off_means_the_server(text: bytes) -> None:
    assert outcome_of_reply(450, text, Phase.SESSION).is_server_busy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"4.3.0 mail queue full", True),
        (b"4.3.1 no space", True),
        (b"4.7.0 too many mails from you", True),
        (b"4.7.1\nrate", True),
        (b"4.1.8 cannot find your domain", False),
        (b"4.30.1 what", False),
        (b"no code, then 4.3.0", False),
        (b"", False),
    ],
)
def test_mail_put_off_means_the_server_by_its_code(text: bytes, expected: bool) -> None:
    assert outcome_of_reply(451, text, Phase.MAIL).is_server_busy is expected


@pytest.mark.parametrize("phase", PHASES_OF_MAIL)
def test_mail_put_off_later_means_this_mail(phase: Phase) -> None:
    assert not outcome_of_reply(451, b"4.3.0 later", phase).is_server_busy


@pytest.mark.parametrize("phase", [Phase.SESSION, Phase.MAIL, *PHASES_OF_MAIL])
def test_refusal_never_means_a_busy_server(phase: Phase) -> None:
    assert not outcome_of_reply(535, b"5.3.0 no", phase).is_server_busy


@pytest.mark.parametrize("code", [452, 552])
@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"4.5.3 too many", True), (b"too many", True), (b"5.2.2 full", False)],
)
def test_full_mailbox_is_not_too_many(code: int, text: bytes, expected: bool) -> None:
    reply = f"{code} {text.decode()}"
    assert outcome_of_rcpt(code, text) == Outcome(
        SendStatus.DEFERRED, reply, too_many_recipients=expected, phase=Phase.RCPT
    )


def test_reply_that_is_not_smtp_is_said_to_be_so() -> None:
    outcome = outcome_of_reply(-1, b"o there", Phase.SESSION)
    assert (outcome.status, outcome.reply) == (
        SendStatus.DEFERRED,
        "a reply without a code: …o there",
    )
