"""What became of one recipient's mail: the class that decides about a retry, and the mail server's
last words.
"""

from dataclasses import dataclass
from enum import StrEnum

REPLY_LIMIT = 500


class SendStatus(StrEnum):
    """Whether a mail left, and if not, whether trying again can help (RFC 5321 §4.2.1)."""

    SENT = "sent"
    REFUSED = "refused"
    DEFERRED = "deferred"
    # RFC 1047: between the final dot and its reply nobody can know who has the mail.
    UNKNOWN = "unknown"


def one_line(text: str) -> str:
    """``text`` as one printable line of at most REPLY_LIMIT characters."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    return line if len(line) <= REPLY_LIMIT else line[: REPLY_LIMIT - 1] + "…"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The status of one recipient's mail; ``reply`` is one printable line, ``"550 5.1.1 no such
    user"``.
    """

    status: SendStatus
    reply: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reply", one_line(self.reply))


_STATUS_OF_CLASS = {2: SendStatus.SENT, 4: SendStatus.DEFERRED, 5: SendStatus.REFUSED}


def outcome_of_reply(
    code: int, text: bytes, *, unreadable: SendStatus = SendStatus.DEFERRED
) -> Outcome:
    """The outcome that an SMTP reply means (RFC 5321 §4.2.1); ``unreadable`` for a code not of 2yz,
    4yz, 5yz.
    """
    status = _STATUS_OF_CLASS.get(code // 100, unreadable)
    return Outcome(status, f"{code} {text.decode('utf-8', 'replace')}")
