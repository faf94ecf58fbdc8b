"""A mail server that fails often, by a seed, and remembers when it took which mail for whom."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tests.support.readers.itip_reader import ReceivedMessage, Version, read_mail
from tests.support.servers.smtp_conversation import Slow, Step, Transaction
from tests.support.servers.smtp_server import DROP, HANG, ScriptedSMTP

# Of each kind of reply this share is faulty.
FAULTY = 0.16
_LATER, _NEVER = "451 4.1.8 try later", "550 5.7.1 refused, number {}"
_TOO_MANY = "452 4.5.3 too many recipients"
# Then nobody sends for a while. It is rare, because nothing else is tested in that time.
_NO_ROOM, _CLOSING = "451 4.3.2 no room now", "421 4.3.2 closing"
# What a faulty reply is, by weight. A hang lasts until the client's own deadline.
_FAULTS: dict[str, tuple[tuple[Step, int], ...]] = {
    "mail": ((_LATER, 15), (_NEVER, 6), (DROP, 16), (HANG, 2), (_NO_ROOM, 1)),
    "rcpt": ((_LATER, 18), (_NEVER, 12), (DROP, 5), (HANG, 2), (_TOO_MANY, 2), (_CLOSING, 1)),
    "content": ((DROP, 1),),
    "dot": ((_LATER, 11), (_NEVER, 6), (DROP, 16), (HANG, 2), (_CLOSING, 1)),
}
_GREYLISTED = "451 4.7.1 greylisted"  # at the dot, where it is about the mail
_SLOW = 0.1  # of the replies to a dot, where the server is slow


@dataclass(frozen=True, slots=True)
class Manner:
    """How the server is besides its faults.

    It may be slow after the dot, by up to so many seconds, and defer each mail's first attempt.
    """

    slow: float = 0.0
    greylists: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail for one recipient, after its final dot.

    ``acknowledged``: the server replied 250, and not with silence. ``cut_off``: nothing else came
    on the connection, which ended without a QUIT. The client may not have lived to record the
    reply.
    """

    at: float
    message_id: str
    recipient: str
    message: ReceivedMessage
    acknowledged: bool
    cut_off: bool = False

    @property
    def uid(self) -> str:
        return self.message.one("UID").text

    @property
    def version(self) -> Version:
        """What calendars compare (RFC 5546 §2.1.5)."""
        return self.message.version

    @property
    def says(self) -> tuple[object, ...]:
        """What the mail tells whom: a second one that tells it again is a duplicate."""
        day = self.message.find("RECURRENCE-ID")
        return (
            *(self.uid, self.recipient, self.version.sequence, self.message.method),
            day and self.message.moment_of(day),
        )

    @property
    def is_unsure(self) -> bool:
        """Whether the client may not know that it was taken."""
        return not self.acknowledged or self.cut_off


class FaultyMailServer(ScriptedSMTP):
    """Accepts mail, apart from the faulty replies.

    A mail whose final dot is met with silence counts as taken.
    """

    def __init__(self, seed: int, manner: Manner) -> None:
        self._random = random.Random(seed)
        self._manner = manner
        self._counting = threading.Lock()
        self._times: list[tuple[float, int, Transaction]] = []
        self._seen: set[str] = set()
        self.replies = self.faults = 0
        self.healthy = False
        super().__init__(
            mail=lambda _: self._reply("mail", "250 2.1.0 ok"),
            rcpt=lambda _: self._reply("rcpt", "250 2.1.5 ok"),
            content=lambda _: self._reply("content", ""),
            dot=self._at_the_dot,
        )

    def record(self, transaction: Transaction) -> None:
        """Also when it came, and after how many commands."""
        with self._counting:
            self._times.append((time.monotonic(), len(self.commands), transaction))
        super().record(transaction)

    def taken(self) -> list[Taken]:
        """What was taken, in order, one for each recipient. Raises NotAnInvitation."""
        with self._counting:
            times = list(self._times)
        last = {number: place for place, (number, _) in enumerate(self.commands)}
        read = cache(read_mail)
        return [
            item
            for at, commands, transaction in times
            if transaction.reply[:1] in ("", "2")
            for item in _of_each(
                at,
                transaction,
                read,
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

    def _at_the_dot(self, content: str) -> Step:
        step = self._reply("dot", "250 2.0.0 queued")
        if self.healthy or not isinstance(step, str) or not step.startswith("250"):
            return step
        with self._counting:
            if self._manner.greylists and content not in self._seen:
                self._seen.add(content)
                return _GREYLISTED
            if self._random.random() < _SLOW:
                return Slow(step, self._random.uniform(0, self._manner.slow))
        return step


def was_refused(reply: str) -> bool:
    """Whether this is a permanent refusal by this server."""
    return "550 5.7.1 refused, number" in reply


def _of_each(
    at: float,
    transaction: Transaction,
    read: Callable[[bytes], ReceivedMessage],
    *,
    cut_off: bool,
) -> list[Taken]:
    head = transaction.raw.partition(b"\r\n\r\n")[0].decode()
    [message_id] = [
        line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("Message-ID: ")
    ]
    return [
        Taken(
            at=at,
            message_id=message_id,
            recipient=recipient,
            message=read(transaction.raw),
            acknowledged=bool(transaction.reply),
            cut_off=cut_off,
        )
        for recipient in transaction.recipients
    ]
