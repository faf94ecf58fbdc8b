"""Django's SMTP backend, with `deliver` for invitations.

Ordinary mail goes through ``send_messages``, which stays Django's.
"""

import os
import ssl
from collections.abc import Callable, Iterator, Sequence

from django.conf import settings
from django.core.mail.backends import smtp
from django.utils.functional import cached_property

from meetings.addresses import AddressError, wire_address
from meetings.deadline import Deadline
from meetings.transport.outcome import Outcome, SendStatus
from meetings.transport.smtp import pool, transaction
from meetings.transport.smtp.connection import describe_loss
from meetings.transport.smtp.session import Server, SessionError
from meetings.transport.smtp.submission import (
    Envelope,
    Submission,
    batches,
    usable_recipients,
    with_crlf,
)


class EmailBackend(smtp.EmailBackend):
    """``EMAIL_BACKEND`` for SMTP. The EMAIL_* settings mean what they mean for Django's own one."""

    limits = pool.Limits()

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """A context that verifies the server.

        With EMAIL_SSL_CERTFILE, Django 5.2 makes one that trusts no authority at all.
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
        self,
        envelope_from: str,
        recipients: Sequence[str],
        raw: bytes,
        *,
        deadline: Deadline,
        may_finish: Callable[[], bool],
    ) -> Iterator[dict[str, Outcome]]:
        """Send ``raw`` to all ``recipients`` until ``deadline``; yield what became of it.

        Yields the outcomes of each transaction when it has ended, and before those the outcomes of
        addresses that no command can carry. Raises nothing. An empty ``envelope_from`` is the null
        path. Up to MEETINGS_SMTP_RECIPIENTS recipients share a transaction. Those whose local part
        is not ASCII have transactions of their own, with SMTPUTF8 (RFC 6531). An UNKNOWN outcome is
        yielded and not tried again. `transaction.transfer` says what ``may_finish`` is for.
        """
        clock = Deadline(deadline.left)  # its own, because each wait has a step of its own
        try:
            sender = wire_address(envelope_from) if envelope_from else ""
        except AddressError as error:
            yield dict.fromkeys(
                recipients, Outcome(SendStatus.REFUSED, f"envelope sender: {error}")
            )
            return
        usable, unusable = usable_recipients(recipients)
        if unusable:
            yield unusable
        content = with_crlf(raw)
        for batch in batches(usable, settings.MEETINGS_SMTP_RECIPIENTS):
            # EMAIL_TIMEOUT bounds each wait. A transaction may have lifted that for its last one.
            clock.step = self.timeout
            submission = Submission(Envelope(sender, batch), content)
            yield self._deliver_one(submission, clock, may_finish)

    def _deliver_one(
        self, submission: Submission, deadline: Deadline, may_finish: Callable[[], bool]
    ) -> dict[str, Outcome]:
        try:
            connection, refusal = self._begin(submission, deadline)
        except SessionError as failure:
            return submission.all(failure.outcome)
        except OSError as error:
            return submission.all(Outcome(SendStatus.DEFERRED, describe_loss(error)))
        if refusal:
            connection.smtp.hang_up()
            return submission.all(refusal)
        outcomes = transaction.transfer(connection.smtp, submission, may_finish)
        pool.keep(self._server, connection, self.limits)
        return outcomes

    def _begin(
        self, submission: Submission, deadline: Deadline
    ) -> tuple[pool.Connection, Outcome | None]:
        """Say MAIL on the kept connection, or on a new one if the kept one turns out to be dead.

        A server that has not accepted MAIL has nothing of this mail, so a second MAIL cannot
        deliver it twice.
        """
        kept = pool.take(self._server, deadline, self.limits)
        if kept is not None:
            try:
                refusal = transaction.begin(kept.smtp, submission)
            except OSError:
                kept.smtp.close()
            else:
                # 421: the server is about to close a connection that was idle for too long.
                if refusal is None or not refusal.reply.startswith("421"):
                    return kept, refusal
                kept.smtp.hang_up()
        new = pool.Connection(self._server.open(deadline))
        try:
            return new, transaction.begin(new.smtp, submission)
        except OSError:
            new.smtp.close()
            raise
