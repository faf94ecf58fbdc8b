"""One SMTP transaction on an open connection (RFC 5321 §3.3), with an outcome per recipient.

What a lost connection means depends on when it is lost. Before the final dot the server cannot have
accepted the mail. After it, the server may have.
"""

import re
import smtplib
from collections.abc import Callable

from meetings.transport.outcome import (
    LEASE_ENDED,
    Outcome,
    SendStatus,
    outcome_of_rcpt,
    outcome_of_reply,
)
from meetings.transport.smtp.connection import DeadlineSMTP, describe_loss
from meetings.transport.smtp.submission import Recipient, Submission

_START_INPUT = 354
_CLOSING = 421
_LEADING_DOT = re.compile(rb"(?m)^\.")
_FINAL_DOT = b".\r\n"


def begin(smtp: DeadlineSMTP, submission: Submission) -> Outcome | None:
    """Say MAIL. Return None if the server accepts it, otherwise the outcome of all recipients.

    Raises OSError if the connection is lost.
    """
    refusal = _beyond_the_server(smtp, submission)
    if refusal:
        return refusal
    smtp.command_encoding = "utf-8" if submission.needs_smtputf8 else "ascii"
    path = f"FROM:<{submission.envelope.sender}>"
    code, text = smtp.docmd("MAIL", " ".join((path, *_parameters(smtp, submission))))
    outcome = outcome_of_reply(code, text)
    return None if outcome.status is SendStatus.SENT else outcome


def transfer(
    smtp: DeadlineSMTP, submission: Submission, may_finish: Callable[[], bool]
) -> dict[str, Outcome]:
    """Say RCPT and DATA after `begin`. Return an outcome for each recipient, and raise nothing.

    ``may_finish`` is asked when the server has everything but the final dot, at which it accepts
    the mail. If it says no, nothing is mailed. The connection is closed afterwards unless another
    transaction can follow on it.
    """
    recipients = submission.envelope.recipients
    refused: dict[str, Outcome] = {}
    try:
        for recipient in recipients:
            refusal = _refusal(smtp, recipient)
            if refusal:
                refused[recipient.address] = refusal
        if len(refused) == len(recipients):
            smtp.rset()
            return refused
        rest = _send_content(smtp, submission.content, may_finish)
    except OSError as error:
        smtp.close()
        rest = Outcome(SendStatus.DEFERRED, describe_loss(error))
    return submission.all(rest) | refused


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


def _refusal(smtp: DeadlineSMTP, recipient: Recipient) -> Outcome | None:
    """Say RCPT. Return None if the server accepts the recipient."""
    code, text = smtp.docmd("RCPT", f"TO:<{recipient.path}>")
    outcome = outcome_of_rcpt(code, text)
    if code == _CLOSING:
        # The server closes the connection (RFC 5321 §3.8), so this is not about one recipient.
        raise smtplib.SMTPServerDisconnected(outcome.reply)
    return None if outcome.status is SendStatus.SENT else outcome


def _send_content(smtp: DeadlineSMTP, content: bytes, may_finish: Callable[[], bool]) -> Outcome:
    code, text = smtp.docmd("DATA")
    outcome = outcome_of_reply(code, text)
    if code != _START_INPUT:
        smtp.hang_up()
        if outcome.status is SendStatus.SENT:
            # 2yz is no reply to DATA. Nothing was sent, so nothing was accepted.
            return Outcome(SendStatus.DEFERRED, outcome.reply)
        return outcome
    smtp.send(_LEADING_DOT.sub(b"..", content))
    # A process that slept, or could not reach the database, may find here that its lease has ended.
    # Then another process may be sending the same mail, and this dot would deliver it twice. The
    # question comes this late because the content can take long. Without the dot the server drops
    # what it has (RFC 5321 §4.1.1.10). QUIT is not said, because it would be a line of the content.
    if not may_finish():
        smtp.close()
        return LEASE_ENDED
    smtp.send(_FINAL_DOT)
    outcome = _final_reply(smtp)
    if outcome.status is not SendStatus.SENT:
        smtp.hang_up()
    return outcome


def _final_reply(smtp: DeadlineSMTP) -> Outcome:
    # From the final dot on, the server may have accepted the mail, and only its reply tells whether
    # it has. If the connection is lost now, both conclusions can be wrong: "sent" may lose the
    # mail, "not sent" may deliver it twice (RFC 1047). So the outcome is UNKNOWN, never DEFERRED,
    # and the caller decides about a second attempt. So, too, this one wait ignores the limit of a
    # single wait and gets all the time that is left: a slow reply is better than none.
    smtp.deadline.step = None
    try:
        code, text = smtp.getreply()
    except OSError as error:
        reply = f"{describe_loss(error)} (after the mail was handed over)"
        return Outcome(SendStatus.UNKNOWN, reply)
    return outcome_of_reply(code, text, unreadable=SendStatus.UNKNOWN)
