"""Django's SMTP backend with a reply per recipient, a total deadline, and a kept connection per
thread.

``send_messages`` stays Django's, for ordinary mail. ``deliver`` is what invitations go through.
"""

import atexit
import os
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.core.mail.backends import smtp
from django.utils.functional import cached_property

from meetings.addresses import AddressError, wire_address
from meetings.deadline import Deadline
from meetings.transport.outcome import Outcome, SendStatus
from meetings.transport.smtp import transaction
from meetings.transport.smtp.connection import DeadlineSMTP
from meetings.transport.smtp.session import Server, SessionError
from meetings.transport.smtp.transaction import Mail

# RFC 5321 §4.5.3.1.8 promises no more.
RECIPIENTS_PER_TRANSACTION = 100
_OK = 250
_PROBE_SECONDS = 2.0


@dataclass(slots=True)
class _Kept:
    """An open connection between two transactions of one thread."""

    smtp: DeadlineSMTP
    used_at: float
    transactions: int = 0

    def __del__(self) -> None:
        # A thread that ends leaves no socket open.
        self.smtp.close()


class _Pool(threading.local):
    """This thread's connections; the process is part of the key because a fork must not share a
    socket.
    """

    def __init__(self) -> None:
        self.connections: dict[tuple[int, Server], _Kept] = {}


_pool = _Pool()


def close_kept_connections() -> None:
    """Say QUIT on the connections that this thread keeps, and forget them."""
    while _pool.connections:
        (process, _), kept = _pool.connections.popitem()
        # After a fork the parent still talks on it.
        if process == os.getpid():
            kept.smtp.deadline = Deadline(1)
            kept.smtp.hang_up()


atexit.register(close_kept_connections)


class EmailBackend(smtp.EmailBackend):
    """``EMAIL_BACKEND`` for SMTP; the EMAIL_* settings mean what they mean for Django's own
    backend.

    A connection is probed with NOOP after ``probe_after`` seconds without use, and given up after
    ``idle_limit`` seconds or ``transaction_limit`` transactions.
    """

    probe_after = 2.0
    idle_limit = 60.0
    transaction_limit = 100

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """A verifying context, also with EMAIL_SSL_CERTFILE, where Django 5.2 would trust no
        authority at all.
        """
        return self._server.tls_context()

    @cached_property
    def _server(self) -> Server:
        return Server(
            host=str(self.host),
            port=int(self.port),
            username=self.username or "",
            password=self.password or "",
            use_tls=bool(self.use_tls),
            use_ssl=bool(self.use_ssl),
            keyfile=os.fsdecode(self.ssl_keyfile) if self.ssl_keyfile else None,
            certfile=os.fsdecode(self.ssl_certfile) if self.ssl_certfile else None,
        )

    def deliver(
        self, envelope_from: str, recipients: Sequence[str], raw: bytes, *, deadline: float
    ) -> dict[str, Outcome]:
        """Send ``raw`` to all ``recipients`` within ``deadline`` seconds; one outcome for each, no
        exception.

        An empty ``envelope_from`` is the null path. Up to 100 recipients share a transaction (RFC
        5321 §4.5.3.1.8), those with a non-ASCII local part have their own, with SMTPUTF8 (RFC
        6531). An UNKNOWN outcome is reported, not tried again.
        """
        clock = Deadline(deadline)
        usable, outcomes = _wire_addresses(recipients)
        try:
            sender = wire_address(envelope_from) if envelope_from else ""
        except AddressError as error:
            return dict.fromkeys(
                recipients, Outcome(SendStatus.REFUSED, f"envelope sender: {error}")
            )
        content = transaction.with_crlf(raw)
        for batch in _batches(usable):
            clock.step = self.timeout
            outcomes |= self._transact(Mail(sender, batch, content), clock)
        return outcomes

    def _transact(self, mail: Mail, deadline: Deadline) -> dict[str, Outcome]:
        try:
            kept, refusal = self._begin(mail, deadline)
        except SessionError as failure:
            return _all(mail, failure.outcome)
        except OSError as error:
            return _all(mail, Outcome(SendStatus.DEFERRED, transaction.loss(error)))
        if refusal:
            kept.smtp.hang_up()
            return _all(mail, refusal)
        outcomes = transaction.finish(kept.smtp, mail)
        self._keep(kept)
        return outcomes

    def _begin(self, mail: Mail, deadline: Deadline) -> tuple[_Kept, Outcome | None]:
        """MAIL on the kept connection, or on a new one when the kept one turns out to be dead."""
        kept = self._take(deadline)
        if kept is not None:
            try:
                refusal = transaction.begin(kept.smtp, mail)
            except OSError:
                kept.smtp.close()
            else:
                if refusal is None or not refusal.reply.startswith("421"):
                    return kept, refusal
                kept.smtp.hang_up()
        kept = _Kept(self._server.open(deadline), time.monotonic())
        try:
            return kept, transaction.begin(kept.smtp, mail)
        except OSError:
            kept.smtp.close()
            raise

    def _take(self, deadline: Deadline) -> _Kept | None:
        """This thread's connection, if it is still alive."""
        kept = _pool.connections.pop((os.getpid(), self._server), None)
        if kept is None:
            return None
        kept.smtp.deadline = deadline
        idle = time.monotonic() - kept.used_at
        if idle >= self.idle_limit:
            kept.smtp.hang_up()
            return None
        if idle >= self.probe_after and not _answers(kept.smtp, deadline):
            kept.smtp.close()
            return None
        return kept

    def _keep(self, kept: _Kept) -> None:
        kept.transactions += 1
        if kept.smtp.sock is None:
            return
        if kept.transactions >= self.transaction_limit:
            kept.smtp.hang_up()
            return
        kept.used_at = time.monotonic()
        _pool.connections[os.getpid(), self._server] = kept


def _answers(connection: DeadlineSMTP, deadline: Deadline) -> bool:
    # A firewall that forgot the connection makes no sound; time must be left for a new one.
    connection.deadline = Deadline(min(_PROBE_SECONDS, deadline.left / 2))
    try:
        return connection.noop()[0] == _OK
    except OSError:
        return False
    finally:
        connection.deadline = deadline


def _all(mail: Mail, outcome: Outcome) -> dict[str, Outcome]:
    return {address: outcome for address, _ in mail.recipients}


def _wire_addresses(recipients: Sequence[str]) -> tuple[list[tuple[str, str]], dict[str, Outcome]]:
    """Each recipient once with its form for the command, and the outcomes of those that have none."""
    usable: list[tuple[str, str]] = []
    unusable: dict[str, Outcome] = {}
    for address in dict.fromkeys(recipients):
        try:
            usable.append((address, wire_address(address)))
        except AddressError as error:
            unusable[address] = Outcome(SendStatus.REFUSED, str(error))
    return usable, unusable


def _batches(recipients: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], ...]]:
    for ascii_only in (True, False):
        # Apart, because SMTPUTF8 on a transaction makes it undeliverable at the next server without
        # it.
        group = (pair for pair in recipients if pair[1].isascii() is ascii_only)
        while batch := tuple(islice(group, RECIPIENTS_PER_TRANSACTION)):
            yield batch
