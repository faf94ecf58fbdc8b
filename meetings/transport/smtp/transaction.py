"""One SMTP transaction on an open connection (RFC 5321): a reply per recipient, and what a loss
means in each phase.
"""

import re
import smtplib
from dataclasses import dataclass

from meetings.transport.outcome import Outcome, SendStatus, outcome_of_reply
from meetings.transport.smtp.connection import DeadlineSMTP

_START_INPUT = 354
_CLOSING = 421
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"(?m)^\.")


def with_crlf(raw: bytes) -> bytes:
    """``raw`` with every line ended by CRLF, the last one too (RFC 5321 §2.3.8)."""
    lines = _LINE_END.sub(b"\r\n", raw)
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


@dataclass(frozen=True, slots=True)
class Mail:
    """What one transaction carries; a recipient is a pair: as the caller spelt it, as the command
    has it.
    """

    sender: str
    recipients: tuple[tuple[str, str], ...]
    raw: bytes

    @property
    def needs_smtputf8(self) -> bool:
        """Whether an address or a header cannot be said in ASCII (RFC 6531 §3.4)."""
        paths = (self.sender, *(wire for _, wire in self.recipients))
        return not (all(map(str.isascii, paths)) and self.raw.partition(b"\r\n\r\n")[0].isascii())


def begin(smtp: DeadlineSMTP, mail: Mail) -> Outcome | None:
    """Say MAIL; None when the server takes it, else everybody's outcome. Raises OSError when the
    connection broke.
    """
    refusal = _beyond_the_server(smtp, mail)
    if refusal:
        return refusal
    smtp.command_encoding = "utf-8" if mail.needs_smtputf8 else "ascii"
    code, text = smtp.docmd("MAIL", " ".join((f"FROM:<{mail.sender}>", *_options(smtp, mail))))
    outcome = outcome_of_reply(code, text)
    return None if outcome.status is SendStatus.SENT else outcome


def _beyond_the_server(smtp: DeadlineSMTP, mail: Mail) -> Outcome | None:
    if mail.needs_smtputf8 and not smtp.has_extn("smtputf8"):
        return Outcome(
            SendStatus.REFUSED, "the address needs SMTPUTF8, which the mail server does not offer"
        )
    limit = smtp.esmtp_features.get("size", "")
    # RFC 1870 §4: no number, or 0, is no limit.
    if limit.isdecimal() and 0 < int(limit) < len(mail.raw):
        sentence = (
            f"the mail has {len(mail.raw)} octets, more than the mail server's limit of {limit}"
        )
        return Outcome(SendStatus.REFUSED, sentence)
    return None


def _options(smtp: DeadlineSMTP, mail: Mail) -> list[str]:
    options = [f"SIZE={len(mail.raw)}"] if smtp.has_extn("size") else []
    if not mail.raw.isascii() and smtp.has_extn("8bitmime"):
        options.append("BODY=8BITMIME")
    if mail.needs_smtputf8:
        options.append("SMTPUTF8")
    return options


def finish(smtp: DeadlineSMTP, mail: Mail) -> dict[str, Outcome]:
    """Go on after MAIL: an outcome for each recipient, as the caller spelt it.

    The connection is closed afterwards unless it can carry another transaction.
    """
    outcomes: dict[str, Outcome] = {}
    verdict = Outcome(SendStatus.DEFERRED, "")
    try:
        if _name_recipients(smtp, mail, outcomes):
            verdict = _content(smtp, mail.raw)
        else:
            smtp.rset()
    except OSError as error:
        smtp.close()
        verdict = Outcome(SendStatus.DEFERRED, loss(error))
    return {address: outcomes.get(address, verdict) for address, _ in mail.recipients}


def _name_recipients(smtp: DeadlineSMTP, mail: Mail, refused: dict[str, Outcome]) -> bool:
    """Say RCPT for each, note who is refused; whether anybody is left."""
    for address, wire in mail.recipients:
        code, text = smtp.docmd("RCPT", f"TO:<{wire}>")
        outcome = outcome_of_reply(code, text)
        if code == _CLOSING:
            # It concerns the connection, so everybody; RFC 5321 §3.8.
            raise smtplib.SMTPServerDisconnected(outcome.reply)
        if outcome.status is not SendStatus.SENT:
            refused[address] = outcome
    return len(refused) < len(mail.recipients)


def _content(smtp: DeadlineSMTP, raw: bytes) -> Outcome:
    code, text = smtp.docmd("DATA")
    if code != _START_INPUT:
        smtp.hang_up()
        outcome = outcome_of_reply(code, text)
        return (
            Outcome(SendStatus.DEFERRED, outcome.reply)
            if outcome.status is SendStatus.SENT
            else outcome
        )
    smtp.send(_LEADING_DOT.sub(b"..", raw) + b".\r\n")
    outcome = _verdict(smtp)
    if outcome.status is not SendStatus.SENT:
        smtp.hang_up()
    return outcome


def _verdict(smtp: DeadlineSMTP) -> Outcome:
    # From here on a loss leaves open who has the mail (RFC 1047), so this one wait gets all the
    # time there is.
    smtp.deadline.step = None
    try:
        code, text = smtp.getreply()
    except OSError as error:
        return Outcome(SendStatus.UNKNOWN, f"{loss(error)} (after the mail was handed over)")
    return outcome_of_reply(code, text, unreadable=SendStatus.UNKNOWN)


def loss(error: OSError) -> str:
    """One sentence for a connection that broke or a server that fell silent."""
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "the mail server did not answer in time"
    return str(error) or type(error).__name__
