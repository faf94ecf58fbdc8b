"""Opening an SMTP session: connect, EHLO, TLS, login. It also says what each failure means."""

import base64
import logging
import re
import smtplib
import ssl
from dataclasses import dataclass, field, replace

from django.core.exceptions import ImproperlyConfigured

from meetings import trouble
from meetings.deadline import Deadline
from meetings.transport.outcome import Outcome, Phase, SendStatus, outcome_of_reply
from meetings.transport.smtp.connection import DeadlineSMTP, outcome_of_loss


class SessionError(Exception):
    """No session could be opened. ``outcome`` is that of every recipient."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reply)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Server:
    """Where the mail server is and how to log in. Equal values may share a connection.

    ``our_name`` is the name that EHLO says.
    """

    host: str
    port: int
    our_name: str
    username: str = ""
    password: str = field(default="", repr=False)
    use_tls: bool = False
    use_ssl: bool = False
    keyfile: str | None = None
    certfile: str | None = None

    def tls_context(self) -> ssl.SSLContext:
        """Return a context that verifies the server's certificate and its host name.

        It presents our own certificate if there is one. Raises ImproperlyConfigured if that cannot
        be loaded.
        """
        context = ssl.create_default_context()
        if self.certfile or self.keyfile:
            try:
                context.load_cert_chain(self.certfile or "", self.keyfile)
            except OSError as error:
                raise ImproperlyConfigured(f"EMAIL_SSL_CERTFILE cannot be used: {error}") from error
        return context

    def client(self, deadline: Deadline) -> DeadlineSMTP:
        """Return a client that is not connected yet, for ``open``."""
        return DeadlineSMTP(deadline=deadline, local_hostname=self.our_name)

    def open(self, smtp: DeadlineSMTP) -> None:
        """Make ``smtp`` ready for MAIL. Raises SessionError."""
        try:
            smtp.deadline.wait()  # raises if no time is left, before anything is sent
            smtp.reach(self.host, self.port, self.tls_context() if self.use_ssl else None)
            self._prepare(smtp)
        except (OSError, ValueError, ImproperlyConfigured) as error:
            smtp.hang_up()
            raise SessionError(self._report(error)) from error

    def _prepare(self, smtp: DeadlineSMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if self.use_tls:
            # Raises if the server does not offer STARTTLS. To go on without it would send password
            # and mail in the clear, and an attacker on the way can remove the offer from the
            # server's reply. So TLS that the settings ask for is never left out (RFC 8314).
            smtp.starttls(context=self.tls_context())
            # What the server said before TLS could be forged, so it is asked again (RFC 3207 §4.2).
            smtp.ehlo_or_helo_if_needed()
        if self.username and self.password:
            smtp.login(self.username, self.password)

    def _report(self, error: Exception) -> Outcome:
        """Log ``error``, as an error if only an operator can fix it. Return its outcome."""
        kind, outcome = _classify(error)
        outcome = replace(outcome, reply=self._without_secrets(outcome.reply))
        level = logging.ERROR if outcome.status is SendStatus.REFUSED else logging.WARNING
        trouble.report(
            f"smtp:{kind}",
            f"mail server {self.host}:{self.port}: {kind}: {outcome.reply}",
            level=level,
        )
        return outcome

    def _without_secrets(self, reply: str) -> str:
        """``reply`` without the login. Some servers repeat what they were sent."""
        if not (self.username and self.password):
            return reply
        plain = (self.username, self.password)
        coded = map(_base64, (*plain, f"\0{self.username}\0{self.password}"))
        # The longest first, because one may be a part of another.
        secrets = sorted((*plain, *coded), key=len, reverse=True)
        pattern = "|".join(map(self._pattern, secrets))
        return re.sub(pattern, "***", reply, flags=re.IGNORECASE)

    def _pattern(self, secret: str) -> str:
        # The name may be a short word, which is a part of others.
        escaped = re.escape(secret)
        return rf"(?<!\w){escaped}(?!\w)" if secret == self.username else escaped


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _classify(error: Exception) -> tuple[str, Outcome]:
    """The kind of trouble in a word or two, and its outcome."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _classify_reply(error)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "connection", outcome_of_loss(error, Phase.SESSION)
    if isinstance(error, smtplib.SMTPException):
        # The server offers no STARTTLS, no AUTH, or no way to log in that smtplib has.
        return "missing extension", _refused(str(error))
    if isinstance(error, ssl.SSLError) and not _is_loss(error):
        return "TLS", _refused(f"no TLS with the mail server: {error}")
    if isinstance(error, OSError):
        return "connection", outcome_of_loss(error, Phase.SESSION)
    return "settings", _refused(
        f"{type(error).__name__} in the e-mail settings: {_harmless(error)}"
    )


def _refused(reply: str) -> Outcome:
    return Outcome(SendStatus.REFUSED, reply, phase=Phase.SESSION)


def _is_loss(error: ssl.SSLError) -> bool:
    return isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)


def _harmless(error: Exception) -> str:
    # The text of a UnicodeError, or of a ValueError from smtplib, can contain the password.
    return str(error) if isinstance(error, ImproperlyConfigured) else "a value cannot be encoded"


_KINDS: dict[type[Exception], str] = {
    smtplib.SMTPConnectError: "greeting",
    smtplib.SMTPAuthenticationError: "login",
}


def _classify_reply(error: smtplib.SMTPResponseException) -> tuple[str, Outcome]:
    text = error.smtp_error
    text = text if isinstance(text, bytes) else str(text).encode()
    outcome = outcome_of_reply(error.smtp_code, text, Phase.SESSION)
    if isinstance(error, smtplib.SMTPConnectError) or outcome.status is SendStatus.SENT:
        # A 554 greeting is about this server at this moment, not about the mail. Another attempt
        # may meet another server.
        outcome = replace(outcome, status=SendStatus.DEFERRED)
    return _KINDS.get(type(error), "handshake"), outcome
