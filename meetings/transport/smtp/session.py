"""Opening an SMTP session: connect, EHLO, TLS, login, and the class of everything that can go wrong
before MAIL.
"""

import base64
import logging
import smtplib
import ssl
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured
from django.core.mail.utils import DNS_NAME

from meetings import trouble
from meetings.deadline import Deadline
from meetings.transport.outcome import Outcome, SendStatus, outcome_of_reply
from meetings.transport.smtp.connection import DeadlineSMTP, DeadlineSMTPS
from meetings.transport.smtp.transaction import loss


class SessionError(Exception):
    """No session could be had; ``outcome`` is that of every recipient."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reply)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Server:
    """Where the mail server is and how to come in; equal values may share a connection."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    use_tls: bool = False
    use_ssl: bool = False
    keyfile: str | None = None
    certfile: str | None = None

    def tls_context(self) -> ssl.SSLContext:
        """A context that verifies the server's certificate and host name, with our own certificate
        if there is one.

        Raises ImproperlyConfigured when that cannot be loaded.
        """
        context = ssl.create_default_context()
        if self.certfile or self.keyfile:
            try:
                context.load_cert_chain(self.certfile or "", self.keyfile)
            except OSError as error:
                raise ImproperlyConfigured(f"EMAIL_SSL_CERTFILE cannot be used: {error}") from error
        return context

    def open(self, deadline: Deadline) -> DeadlineSMTP:
        """A connection ready for MAIL; raises SessionError. TLS that was asked for is never left
        out (RFC 8314).
        """
        smtp: DeadlineSMTP | None = None
        try:
            smtp = self._connected(deadline)
            self._prepare(smtp)
        except (OSError, ValueError, ImproperlyConfigured) as error:
            if smtp is not None:
                smtp.hang_up()
            raise SessionError(self._outcome(error)) from error
        return smtp

    def _connected(self, deadline: Deadline) -> DeadlineSMTP:
        deadline.wait()
        name = DNS_NAME.get_fqdn()
        if self.use_ssl:
            context = self.tls_context()
            return DeadlineSMTPS(
                self.host, self.port, deadline=deadline, local_hostname=name, context=context
            )
        return DeadlineSMTP(self.host, self.port, deadline=deadline, local_hostname=name)

    def _prepare(self, smtp: DeadlineSMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if self.use_tls:
            smtp.starttls(context=self.tls_context())
            # RFC 3207 §4.2: what was said before TLS counts for nothing.
            smtp.ehlo_or_helo_if_needed()
        if self.username and self.password:
            smtp.login(self.username, self.password)

    def _outcome(self, error: Exception) -> Outcome:
        kind, outcome = _classify(error)
        outcome = Outcome(outcome.status, self._without_secrets(outcome.reply))
        level = logging.ERROR if outcome.status is SendStatus.REFUSED else logging.WARNING
        trouble.report(
            f"smtp:{kind}",
            f"mail server {self.host}:{self.port}: {kind}: {outcome.reply}",
            level=level,
        )
        return outcome

    def _without_secrets(self, reply: str) -> str:
        """``reply`` without the login, should a server have sent it back."""
        if not self.password:
            return reply
        login = f"\0{self.username}\0{self.password}"
        for secret in (login, self.password):
            reply = reply.replace(base64.b64encode(secret.encode()).decode(), "***")
        return reply.replace(self.password, "***")


def _classify(error: Exception) -> tuple[str, Outcome]:
    """The kind of trouble in a word, and its outcome. What only an operator can mend is FAILED."""
    if isinstance(error, smtplib.SMTPException):
        return _classify_smtp(error)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "connection", Outcome(SendStatus.DEFERRED, loss(error))
    if isinstance(error, ssl.SSLError):
        return "TLS", Outcome(SendStatus.REFUSED, f"no TLS with the mail server: {error}")
    if isinstance(error, OSError):
        return "connection", Outcome(SendStatus.DEFERRED, loss(error))
    return "settings", Outcome(
        SendStatus.REFUSED, f"{type(error).__name__} in the e-mail settings: {_harmless(error)}"
    )


def _harmless(error: Exception) -> str:
    # The message of a UnicodeError, and of a ValueError that smtplib raises, may quote the
    # password.
    return str(error) if isinstance(error, ImproperlyConfigured) else "a value cannot be encoded"


def _classify_smtp(error: smtplib.SMTPException) -> tuple[str, Outcome]:
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "connection", Outcome(SendStatus.DEFERRED, loss(error))
    if isinstance(error, smtplib.SMTPResponseException):
        return _classify_reply(error)
    # Not supported: STARTTLS or AUTH missing; plain SMTPException: no login mechanism in common.
    return "missing extension", Outcome(SendStatus.REFUSED, str(error))


def _classify_reply(error: smtplib.SMTPResponseException) -> tuple[str, Outcome]:
    text = (
        error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
    )
    outcome = outcome_of_reply(error.smtp_code, text)
    if isinstance(error, smtplib.SMTPConnectError):
        # A greeting of 554 is about this moment's server, not about the mail: another attempt may
        # meet another.
        return "greeting", Outcome(SendStatus.DEFERRED, outcome.reply)
    if outcome.status is SendStatus.SENT:
        outcome = Outcome(SendStatus.DEFERRED, outcome.reply)
    return "login" if isinstance(error, smtplib.SMTPAuthenticationError) else "handshake", outcome
