"""A mail server that fails often, by a seed, and remembers when it took which mail for whom."""

import email
import random
import re
import threading
import time
from dataclasses import dataclass
from email import policy

from tests.support.servers.smtp_conversation import Step, Transaction
from tests.support.servers.smtp_server import DROP, HANG, ScriptedSMTP

# Of each kind of reply this share is faulty.
FAULTY = 0.16
_LATER, _NEVER = "451 4.3.0 try later", "550 5.7.1 refused, number {}"
# What a faulty reply is, by weight. A hang lasts until the client's own deadline.
_FAULTS: dict[str, tuple[tuple[Step, int], ...]] = {
    "mail": ((_LATER, 8), (_NEVER, 3), (DROP, 8), (HANG, 1)),
    "rcpt": ((_LATER, 10), (_NEVER, 6), (DROP, 3), (HANG, 1)),
    "content": ((DROP, 1),),
    "dot": ((_LATER, 6), (_NEVER, 3), (DROP, 8), (HANG, 1)),
}
_FOLD = re.compile(r"\r?\n[ \t]")
_FIELDS = re.compile(r"^(METHOD|UID|SEQUENCE|DTSTAMP):(.*?)\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail for one recipient, after its final dot.

    ``acknowledged``: the server replied 250, and not with silence. ``cut_off``: nothing else came
    on the connection, which ended without a QUIT. The client may not have lived to record the
    reply.
    """

    at: float
    message_id: str
    uid: str
    sequence: int
    dtstamp: str
    method: str
    recipient: str
    acknowledged: bool
    cut_off: bool = False

    @property
    def version(self) -> tuple[int, str]:
        """What calendars compare (RFC 5546 §2.1.5)."""
        return self.sequence, self.dtstamp


class FaultyMailServer(ScriptedSMTP):
    """Accepts mail, apart from the faulty replies.

    A mail whose final dot is met with silence counts as taken.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._counting = threading.Lock()
        self._times: list[tuple[float, int, Transaction]] = []
        self.replies = self.faults = 0
        self.healthy = False
        super().__init__(
            mail=lambda _: self._reply("mail", "250 2.1.0 ok"),
            rcpt=lambda _: self._reply("rcpt", "250 2.1.5 ok"),
            content=lambda _: self._reply("content", ""),
            dot=lambda _: self._reply("dot", "250 2.0.0 queued"),
        )

    def record(self, transaction: Transaction) -> None:
        """Also when it came, and after how many commands."""
        with self._counting:
            self._times.append((time.monotonic(), len(self.commands), transaction))
        super().record(transaction)

    def taken(self) -> list[Taken]:
        """What was taken, in order, one for each recipient."""
        with self._counting:
            times = list(self._times)
        last = {number: place for place, (number, _) in enumerate(self.commands)}
        return [
            item
            for at, commands, transaction in times
            if transaction.reply[:1] in ("", "2")
            for item in _read(
                at,
                transaction,
                cut_off=transaction.connection in self.broken_off
                and last[transaction.connection] < commands,
            )
        ]

    def _reply(self, moment: str, good: Step) -> Step:
        with self._counting:
            self.replies += 1
            if self.healthy or self._random.random() >= FAULTY:
                return good
            self.faults += 1
            steps, weights = zip(*_FAULTS[moment], strict=True)
            step: Step = self._random.choices(steps, weights)[0]
            return step.format(self.faults) if isinstance(step, str) else step


def was_refused(reply: str) -> bool:
    """Whether this is a permanent refusal by this server."""
    return "550 5.7.1 refused, number" in reply


def _read(at: float, transaction: Transaction, *, cut_off: bool) -> list[Taken]:
    mail = email.message_from_bytes(transaction.raw, policy=policy.default)
    [calendar] = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    text = _FOLD.sub("", bytes(calendar.get_payload(decode=True)).decode())
    fields = dict(_FIELDS.findall(text))
    return [
        Taken(
            at=at,
            message_id=str(mail["Message-ID"]),
            uid=fields["UID"],
            sequence=int(fields["SEQUENCE"]),
            dtstamp=fields["DTSTAMP"],
            method=fields["METHOD"],
            recipient=recipient,
            acknowledged=bool(transaction.reply),
            cut_off=cut_off,
        )
        for recipient in transaction.recipients
    ]
