"""Django's SMTP backend, with `deliver` for invitations.

Ordinary mail goes through ``send_messages``, which stays Django's.
"""

import contextlib
import os
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from django.conf import settings
from django.core.mail.backends import smtp
from django.utils.functional import cached_property

from meetings.addresses import AddressError, wire_address
from meetings.deadline import Deadline
from meetings.transport.outcome import Loss, Outcome, Phase, SendStatus
from meetings.transport.smtp.connection import outcome_of_loss
from meetings.transport.smtp.name import our_name
from meetings.transport.smtp.pool import AllInUseError, lend, pool_of_process
from meetings.transport.smtp.pooled import Connection, Limits
from meetings.transport.smtp.session import Server, SessionError
from meetings.transport.smtp.submission import (
    Envelope,
    Submission,
    groups,
    usable_recipients,
    with_crlf,
)
from meetings.transport.smtp.transaction import FinalDot, NotBegunError, transact

_AMONG_RECIPIENTS = {Phase.RCPT, Phase.DATA}


class EmailBackend(smtp.EmailBackend):
    """``EMAIL_BACKEND`` for SMTP. The EMAIL_* settings mean what they mean for Django's own one."""

    limits = Limits()
    is_served_elsewhere: Callable[[], bool] = staticmethod(lambda: False)
    """Asked where the server refuses the only session of this process: whether it bears others."""

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
            our_name=our_name(),
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
        may_finish: Callable[[], bool],
    ) -> Iterator[dict[str, Outcome]]:
        """Send ``raw`` to all ``recipients``, and yield what became of it.

        Yields the outcomes of each transaction when it has ended, and before those the outcomes of
        addresses that no command can carry. Raises nothing. An empty ``envelope_from`` is the null
        path. Up to MEETINGS_SMTP_RECIPIENTS recipients share a transaction. Those whose local part
        is not ASCII have transactions of their own, with SMTPUTF8 (RFC 6531). An UNKNOWN outcome is
        yielded and not tried again. `FinalDot` says what ``may_finish`` is for.
        """
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
        most, content = settings.MEETINGS_SMTP_RECIPIENTS, with_crlf(raw)
        for group in groups(usable):
            waiting = group
            while waiting:
                submission = Submission(Envelope(sender, tuple(waiting[:most])), content)
                decided, room = _decided(self._transact(submission, may_finish))
                most = room or most
                waiting = [to for to in waiting if to.address not in decided]
                yield decided

    def _transact(
        self, submission: Submission, may_finish: Callable[[], bool]
    ) -> dict[str, Outcome]:
        """One transaction, with its own time from here to the final dot."""
        deadline = Deadline(settings.MEETINGS_SMTP_DEADLINE, step=self.timeout)
        final_dot = FinalDot(may_finish, settings.MEETINGS_SMTP_LAST_REPLY)
        outcomes = self._lend_and_converse(submission, deadline, final_dot)
        is_over = deadline.left <= 0 and len(outcomes) > 1
        return {to: _cut(each) for to, each in outcomes.items()} if is_over else outcomes

    def _lend_and_converse(
        self, submission: Submission, deadline: Deadline, final_dot: FinalDot
    ) -> dict[str, Outcome]:
        while True:
            try:
                with lend(self._server, self.limits, deadline) as connection:
                    outcomes = _converse(connection, submission, deadline, final_dot)
                    return self._minded(outcomes)
            except SessionError as failure:
                if not (_is_refusal(failure.outcome) and self._others_are_served(deadline)):
                    return submission.all(failure.outcome)
            except NotBegunError as failure:
                return submission.all(failure.outcome)
            except AllInUseError:
                reply = "all connections of this process to mail servers are in use"
                return submission.all(Outcome(SendStatus.DEFERRED, reply, loss=Loss.NONE_FREE))
            except OSError as error:
                return submission.all(outcome_of_loss(error, Phase.SESSION))

    def _minded(self, outcomes: dict[str, Outcome]) -> dict[str, Outcome]:
        """The outcomes, as our own doing where the server takes fewer mails at the same time.

        Exchange Online, for one, says so only after the final dot (432 4.3.2).
        """
        if not any(each.is_too_much_at_once for each in outcomes.values()):
            return outcomes
        loss = self._because_of_us()
        return {
            to: replace(each, loss=loss) if each.is_too_much_at_once else each
            for to, each in outcomes.items()
        }

    def _because_of_us(self) -> Loss | None:
        """Send fewer mails at once, if it was because of others of ours. None: it was not."""
        if pool_of_process().mind_a_refused_mail():
            return Loss.NONE_FREE
        if self.is_served_elsewhere():
            pool_of_process().step_back()
            return Loss.TURNED_AWAY
        return None

    def _others_are_served(self, deadline: Deadline) -> bool:
        """Whether the server refuses this session because it bears others of ours.

        Then the mail waits for a connection. Else the server has no room for anybody.
        """
        pool = pool_of_process()
        if pool.is_full(deadline):
            return True
        if not self.is_served_elsewhere():
            return False
        pool.step_back()
        return True


def _converse(
    connection: Connection, submission: Submission, deadline: Deadline, final_dot: FinalDot
) -> dict[str, Outcome]:
    """Transact on the kept connection, or on a new one if the kept one turns out to be dead."""
    kept = connection.kept(deadline)
    if kept is not None:
        # It may have been idle for too long. Then the server has closed it, or is about to (421).
        with contextlib.suppress(NotBegunError):
            return transact(kept, submission, final_dot)
    return transact(connection.open(deadline), submission, final_dot)


def _is_refusal(outcome: Outcome) -> bool:
    """Whether the server said that it wants no session now. Some say 554 to one too many."""
    return outcome.status is SendStatus.DEFERRED and not outcome.loss


def _cut(outcome: Outcome) -> Outcome:
    """The outcome of one of many recipients in a transaction that took all its time.

    Each reply may have come in time, so that is no hang. With PIPELINING the server may have said
    nothing since its reply to MAIL, because it works on all recipients first.
    """
    is_late = outcome.loss is Loss.SILENT and outcome.phase in _AMONG_RECIPIENTS
    reply = "the mail server needs too long for so many recipients"
    return replace(outcome, reply=reply, loss=Loss.CUT) if is_late else outcome


def _decided(outcomes: dict[str, Outcome]) -> tuple[dict[str, Outcome], int]:
    """The outcomes that are final for this mail, and how many recipients the next may have.

    The others can follow at once: those for whom the server had no room beside some that it took,
    and those of a transaction that took all its time, which is tried with half of them. 0: as many
    as before.
    """
    taken = sum(outcome.status is SendStatus.SENT for outcome in outcomes.values())
    decided = {
        to: each for to, each in outcomes.items() if not _follows(each, taken, len(outcomes))
    }
    if len(decided) == len(outcomes):
        return outcomes, 0
    return decided, taken or max(1, len(outcomes) // 2)


def _follows(outcome: Outcome, taken: int, together: int) -> bool:
    is_cut = outcome.loss is Loss.CUT and together > 1
    return is_cut or bool(taken and outcome.too_many_recipients)
