"""One SMTP transaction on an open connection (RFC 5321 §3.3), with an outcome per recipient.

What a lost connection means depends on when it is lost. Before the final dot the server cannot have
accepted the mail. After it, the server may have.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from meetings.deadline import Deadline
from meetings.transport.outcome import (
    CLOSING,
    LEASE_ENDED,
    Loss,
    Outcome,
    Phase,
    SendStatus,
    outcome_of_rcpt,
    outcome_of_reply,
)
from meetings.transport.smtp.connection import (
    ClosingError,
    DeadlineSMTP,
    describe_loss,
    outcome_of_loss,
)
from meetings.transport.smtp.submission import Recipient, Submission

_OK = 250
_START_INPUT = 354
_LEADING_DOT = re.compile(rb"(?m)^\.")
_FINAL_DOT = b".\r\n"
_PATIENCE_WITH_RSET = 2.0  # seconds
_GROUP = 100  # commands that are written before their replies are read
_WITH_ONE_RECIPIENT = 3  # commands: MAIL, RCPT, DATA


class NotBegunError(Exception):
    """The connection ended before the server had replied to MAIL, or with 421 to it.

    ``outcome`` is that of every recipient, unless the same is tried on another connection. That
    cannot deliver the mail twice, because the server has nothing of it.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reply)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class FinalDot:
    """``may_follow`` is asked right before the dot. ``patience`` is how long we wait after it.

    If the answer is no, the dot is not sent and nothing is mailed. Seconds: RFC 5321 §4.5.3.2.6
    asks for 600.
    """

    may_follow: Callable[[], bool]
    patience: float


def transact(smtp: DeadlineSMTP, submission: Submission, final_dot: FinalDot) -> dict[str, Outcome]:
    """Mail ``submission``. Return an outcome for each recipient of whom the server was asked.

    It was not asked of those who come after one that was too many. The connection is closed
    afterwards unless another transaction can follow on it. Raises NotBegunError.
    """
    refusal = _beyond_the_server(smtp, submission)
    if refusal:
        return submission.all(refusal)
    dialogue = _Dialogue(smtp, submission)
    try:
        dialogue.introduce()
        return dialogue.conclude(final_dot)
    except OSError as error:
        smtp.close()
        lost = outcome_of_loss(error, dialogue.phase)
        if dialogue.phase is Phase.MAIL:
            raise NotBegunError(lost) from error
        return dialogue.outcomes(lost)


class _Command(NamedTuple):
    phase: Phase
    line: str
    recipient: Recipient | None = None


class _Dialogue:
    """The commands of one transaction, and what the server has replied so far."""

    def __init__(self, smtp: DeadlineSMTP, submission: Submission) -> None:
        self.phase = Phase.MAIL  # of the last command whose reply was waited for
        self._smtp = smtp
        self._submission = submission
        self._to_say = list(_commands(smtp, submission))
        # Who is asked of, and who was refused. None: accepted, or no reply so far.
        self._refusals: dict[str, Outcome | None] = dict.fromkeys(
            recipient.address for recipient in submission.envelope.recipients
        )
        self._has_accepted = False
        self._refusal_of_mail: Outcome | None = None
        self._reply_to_data = (0, b"")

    def outcomes(self, rest: Outcome) -> dict[str, Outcome]:
        """The outcome of each recipient; ``rest`` is that of those who were not refused."""
        return {address: refusal or rest for address, refusal in self._refusals.items()}

    def introduce(self) -> None:
        """Say MAIL, RCPT and DATA, as far as the server's replies allow. Raises OSError."""
        self._smtp.command_encoding = "utf-8" if self._submission.needs_smtputf8 else "ascii"
        most = _GROUP if self._smtp.has_extn("pipelining") else 1
        # Before several recipients, MAIL goes alone: its reply soon shows if the server works.
        size = most if len(self._to_say) == _WITH_ONE_RECIPIENT else 1
        while self._to_say and not self._refusal_of_mail:
            if self._to_say[0].phase is Phase.DATA and not self._has_accepted:
                return  # nobody is left to mail
            group, self._to_say = self._to_say[:size], self._to_say[size:]
            size = most
            replies = self._smtp.say([command.line for command in group])
            for command, (code, text) in zip(self._in_turn(group), replies, strict=True):
                self._take(command, code, text)

    def _in_turn(self, group: Iterable[_Command]) -> Iterator[_Command]:
        for command in group:
            self.phase = command.phase
            yield command

    def _take(self, command: _Command, code: int, text: bytes) -> None:
        if command.recipient is not None:
            self._take_rcpt(command.recipient, outcome_of_rcpt(code, text))
        elif command.phase is Phase.DATA:
            self._reply_to_data = code, text
        else:
            outcome = outcome_of_reply(code, text, Phase.MAIL)
            self._refusal_of_mail = None if outcome.status is SendStatus.SENT else outcome

    def _take_rcpt(self, recipient: Recipient, outcome: Outcome) -> None:
        if outcome.status is SendStatus.SENT:
            self._has_accepted = True
            return
        self._refusals[recipient.address] = outcome
        if outcome.too_many_recipients and self._has_accepted:
            self._ask_no_more()

    def _ask_no_more(self) -> None:
        """Leave the recipients whom the server was not asked of to another transaction."""
        for command in self._to_say:
            if command.recipient is not None:
                del self._refusals[command.recipient.address]
        self._to_say = [command for command in self._to_say if command.recipient is None]

    def conclude(self, final_dot: FinalDot) -> dict[str, Outcome]:
        """Send the content if the server takes it for anybody. Raises OSError."""
        code, text = self._reply_to_data
        if self._refusal_of_mail or not self._has_accepted:
            self._leave_empty()
            every = self._refusal_of_mail
            return self._submission.all(every) if every else self._all_refused()
        if code != _START_INPUT:
            self._smtp.hang_up()
            return self.outcomes(_refusal_of_data(code, text))
        return self.outcomes(_send_content(self._smtp, self._submission.content, final_dot))

    def _all_refused(self) -> dict[str, Outcome]:
        return {address: refusal for address, refusal in self._refusals.items() if refusal}

    def _leave_empty(self) -> None:
        """Make the connection ready for another transaction, or close it. Raises nothing."""
        if self._reply_to_data[0] == _START_INPUT:
            # The server waits for the content though it has no recipient, which RFC 2920 §3.1
            # allows. A dot, or a QUIT, would be a mail. So it gets nothing.
            self._smtp.close()
            return
        # All outcomes are known, and nobody is to wait for them.
        self._smtp.deadline = Deadline(_PATIENCE_WITH_RSET)
        try:
            is_ready = self._smtp.rset()[0] == _OK
        except OSError:
            is_ready = False
        if not is_ready:
            self._smtp.close()


def _commands(smtp: DeadlineSMTP, submission: Submission) -> Iterator[_Command]:
    path = f"MAIL FROM:<{submission.envelope.sender}>"
    yield _Command(Phase.MAIL, " ".join((path, *_parameters(smtp, submission))))
    for recipient in submission.envelope.recipients:
        yield _Command(Phase.RCPT, f"RCPT TO:<{recipient.path}>", recipient)
    yield _Command(Phase.DATA, "DATA")


def _beyond_the_server(smtp: DeadlineSMTP, submission: Submission) -> Outcome | None:
    """The outcome of a mail that the server says beforehand it cannot take."""
    if submission.needs_smtputf8 and not smtp.has_extn("smtputf8"):
        return Outcome(
            SendStatus.REFUSED, "the address needs SMTPUTF8, which the mail server does not offer"
        )
    octets = len(submission.content)
    limit = smtp.esmtp_features.get("size", "")
    # RFC 1870 §4: no number, or 0, is no limit.
    if limit.isdecimal() and 0 < int(limit) < octets:
        sentence = f"the mail has {octets} octets, more than the mail server's limit of {limit}"
        return Outcome(SendStatus.REFUSED, sentence)
    return None


def _parameters(smtp: DeadlineSMTP, submission: Submission) -> list[str]:
    parameters = [f"SIZE={len(submission.content)}"] if smtp.has_extn("size") else []
    if not submission.content.isascii() and smtp.has_extn("8bitmime"):
        parameters.append("BODY=8BITMIME")
    if submission.needs_smtputf8:
        parameters.append("SMTPUTF8")
    return parameters


def _refusal_of_data(code: int, text: bytes) -> Outcome:
    outcome = outcome_of_reply(code, text, Phase.DATA)
    if outcome.status is SendStatus.SENT:
        # 2yz is no reply to DATA. Nothing was sent, so nothing was accepted.
        return replace(outcome, status=SendStatus.DEFERRED)
    return outcome


def _send_content(smtp: DeadlineSMTP, content: bytes, final_dot: FinalDot) -> Outcome:
    smtp.send(_LEADING_DOT.sub(b"..", content))
    # A process that slept, or could not reach the database, may find here that its lease has ended.
    # Then another process may be sending the same mail, and this dot would deliver it twice. The
    # question comes this late because the content can take long. Without the dot the server drops
    # what it has (RFC 5321 §4.1.1.10). QUIT is not said, because it would be a line of the content.
    if not final_dot.may_follow():
        smtp.close()
        return LEASE_ENDED
    smtp.send(_FINAL_DOT)
    outcome = _final_reply(smtp, final_dot.patience)
    if outcome.status is not SendStatus.SENT:
        smtp.hang_up()
    return outcome


def _final_reply(smtp: DeadlineSMTP, patience: float) -> Outcome:
    # From the final dot on, the server may have accepted the mail, and only its reply tells whether
    # it has. If the connection is lost now, both conclusions can be wrong: "sent" may lose the
    # mail, "not sent" may deliver it twice (RFC 1047). So the outcome is UNKNOWN, never DEFERRED,
    # and the caller decides about a second attempt. So, too, this one wait has a time of its own,
    # whatever the transaction has used so far: a slow reply is better than none.
    smtp.deadline, smtp.dot_sent_at = Deadline(patience), time.monotonic()
    try:
        code, text = smtp.getreply()
    except ClosingError as error:
        return outcome_of_reply(CLOSING, error.text, Phase.MESSAGE)
    except OSError as error:
        return _unknown(*describe_loss(error))
    finally:
        smtp.dot_sent_at = None
    outcome = outcome_of_reply(code, text, Phase.MESSAGE, unreadable=SendStatus.UNKNOWN)
    is_unreadable = outcome.status is SendStatus.UNKNOWN
    return _unknown(outcome.reply, Loss.BROKEN) if is_unreadable else outcome


def _unknown(sentence: str, loss: Loss) -> Outcome:
    reply = f"{sentence} (after the mail was handed over)"
    return Outcome(SendStatus.UNKNOWN, reply, phase=Phase.MESSAGE, loss=loss)
