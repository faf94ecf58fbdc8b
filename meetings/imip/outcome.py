"""What became of one recipient's mail: the class that decides about a retry, and the mail server's last words."""

from dataclasses import dataclass
from enum import StrEnum

REPLY_LIMIT = 500


class Fate(StrEnum):
    """Whether a mail left, and if not, whether trying again can help (RFC 5321 §4.2.1)."""

    SENT = "sent"
    FAILED = "failed"
    TRANSIENT = "transient"
    # RFC 1047: between the final dot and its reply nobody can know who has the mail.
    AMBIGUOUS = "ambiguous"


def one_line(text: str) -> str:
    """``text`` as one printable line of at most REPLY_LIMIT characters."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    return line if len(line) <= REPLY_LIMIT else line[: REPLY_LIMIT - 1] + "…"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate of one recipient's mail; ``reply`` is one printable line, ``"550 5.1.1 no such user"``."""

    fate: Fate
    reply: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reply", one_line(self.reply))


_FATES = {2: Fate.SENT, 4: Fate.TRANSIENT, 5: Fate.FAILED}


def outcome_of_reply(code: int, text: bytes, *, unreadable: Fate = Fate.TRANSIENT) -> Outcome:
    """The outcome that an SMTP reply means (RFC 5321 §4.2.1); ``unreadable`` for a code not of 2yz, 4yz, 5yz."""
    fate = _FATES.get(code // 100, unreadable)
    return Outcome(fate, f"{code} {text.decode('utf-8', 'replace')}")
