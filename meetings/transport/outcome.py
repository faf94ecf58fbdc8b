"""What became of a mail with one recipient."""

from dataclasses import dataclass
from enum import StrEnum

REPLY_LIMIT = 500  # characters


class SendStatus(StrEnum):
    """Whether a mail has left, and if not, whether another attempt can help (RFC 5321 §4.2.1)."""

    SENT = "sent"
    REFUSED = "refused"
    DEFERRED = "deferred"
    # The connection was lost between the final dot and the server's reply to it. Neither side can
    # find out what the other one believes (RFC 1047).
    UNKNOWN = "unknown"


_TOO_MANY = {452, 552}
_STATUS_OF_CLASS = {2: SendStatus.SENT, 4: SendStatus.DEFERRED, 5: SendStatus.REFUSED}


def _one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    return line if len(line) <= REPLY_LIMIT else line[: REPLY_LIMIT - 1] + "…"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The status of a mail for one recipient, and why: ``550 5.1.1 no such user``.

    ``reply`` becomes one printable line of at most REPLY_LIMIT characters. ``too_many_recipients``
    says that the reply to RCPT was 452 or 552: the server takes no more recipients in this
    transaction, and may take them at once in the next.
    """

    status: SendStatus
    reply: str
    too_many_recipients: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "reply", _one_line(self.reply))


# A lease that has ended means that another process may be sending the same mail.
LEASE_ENDED = Outcome(SendStatus.DEFERRED, "this process may no longer send: its lease has ended")


def outcome_of_reply(
    code: int, text: bytes, *, unreadable: SendStatus = SendStatus.DEFERRED
) -> Outcome:
    """Return what an SMTP reply means (RFC 5321 §4.2.1).

    ``unreadable`` is the status for a code that is not 2yz, 4yz or 5yz.
    """
    status = _STATUS_OF_CLASS.get(code // 100, unreadable)
    return Outcome(status, f"{code} {text.decode('utf-8', 'replace')}")


def outcome_of_rcpt(code: int, text: bytes) -> Outcome:
    """Return what a reply to RCPT means. 552 means what 452 means (RFC 5321 §4.5.3.1.10)."""
    if code not in _TOO_MANY:
        return outcome_of_reply(code, text)
    reply = outcome_of_reply(code, text).reply
    return Outcome(SendStatus.DEFERRED, reply, too_many_recipients=True)
