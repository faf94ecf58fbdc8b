"""The mail server of the machine: what it replies is decided before each transaction.

It is an e-mail backend, named by EMAIL_BACKEND, and takes the place of SMTP on the wire. What lies
above, the one door included, is the real thing.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from enum import Enum

from django.conf import settings

from meetings.transport.outcome import LEASE_ENDED, Loss, Outcome, SendStatus, outcome_of_rcpt
from meetings.transport.smtp.backend import EmailBackend
from tests.machine.ledger import Ledger
from tests.machine.stage import this_program

OK, LATER, NEVER = "250 2.1.5 ok", "451 4.3.0 try later", "550 5.1.1 no such user"
_ENOUGH = "452 4.5.3 too many recipients"


class Dot(Enum):
    """How a transaction ends that has come to its final dot."""

    ACCEPTED = "250 2.0.0 queued"
    DEFERRED = "451 4.3.0 try later"
    REFUSED = "554 5.7.1 refused"
    LOST_BUT_ARRIVED = "the connection was lost"
    LOST = "the connection was lost before anything was kept"


_STATUS = {
    Dot.ACCEPTED: SendStatus.SENT,
    Dot.DEFERRED: SendStatus.DEFERRED,
    Dot.REFUSED: SendStatus.REFUSED,
    Dot.LOST_BUT_ARRIVED: SendStatus.UNKNOWN,
    Dot.LOST: SendStatus.UNKNOWN,
}


class MailServer:
    """Takes everything, until it is told otherwise.

    ``mailboxes`` has the reply to RCPT by address, ``dots`` how the next transactions end.
    ``takes`` is how many recipients a transaction may have, None for any number.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.mailboxes: dict[str, str] = {}
        self.dots: deque[Dot] = deque()
        self.takes: int | None = None

    def recover(self) -> None:
        """Take everything from now on."""
        self.mailboxes.clear()
        self.dots.clear()
        self.takes = None

    def transaction(
        self, recipients: Sequence[str], raw: bytes, may_finish: Callable[[], bool]
    ) -> dict[str, Outcome]:
        """Reply to one transaction of the program that runs."""
        replies = self._replies(recipients)
        outcomes = {to: outcome_of_rcpt(int(r[:3]), r[4:].encode()) for to, r in replies.items()}
        accepted = [to for to, outcome in outcomes.items() if outcome.status is SendStatus.SENT]
        if accepted and not may_finish():
            return outcomes | dict.fromkeys(accepted, LEASE_ENDED)
        dot = self.dots.popleft() if accepted and self.dots else Dot.ACCEPTED
        if dot in (Dot.ACCEPTED, Dot.LOST_BUT_ARRIVED):
            for to in accepted:
                self.ledger.take(to, raw, this_program(), acknowledged=dot is Dot.ACCEPTED)
        loss = Loss.BROKEN if _STATUS[dot] is SendStatus.UNKNOWN else None
        return outcomes | dict.fromkeys(accepted, Outcome(_STATUS[dot], dot.value, loss=loss))

    def _replies(self, recipients: Sequence[str]) -> dict[str, str]:
        replies = {to: self.mailboxes.get(to, OK) for to in recipients}
        taken = [to for to, reply in replies.items() if reply == OK]
        return replies | dict.fromkeys(taken[self.takes :] if self.takes else (), _ENOUGH)


class Backend(EmailBackend):
    """Our SMTP backend, but for the wire. Before each transaction other programs may run."""

    server: MailServer

    def deliver(
        self,
        envelope_from: str,
        recipients: Sequence[str],
        raw: bytes,
        *,
        may_finish: Callable[[], bool],
    ) -> Iterator[dict[str, Outcome]]:
        """Yield the outcomes of each transaction, as SMTP's own does."""
        most = settings.MEETINGS_SMTP_RECIPIENTS
        for first in range(0, len(recipients), most):
            this_program().stop()
            yield self.server.transaction(recipients[first : first + most], raw, may_finish)
