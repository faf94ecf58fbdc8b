"""What became of a mail with one recipient."""

import re
from dataclasses import dataclass
from enum import StrEnum

REPLY_LIMIT = 500  # characters
CLOSING = 421  # the server closes the connection, at any moment (RFC 5321 §3.8)


class SendStatus(StrEnum):
    """Whether a mail has left, and if not, whether another attempt can help (RFC 5321 §4.2.1)."""

    SENT = "sent"
    REFUSED = "refused"
    DEFERRED = "deferred"
    # The connection was lost between the final dot and the server's reply to it. Neither side can
    # find out what the other one believes (RFC 1047).
    UNKNOWN = "unknown"


class Phase(StrEnum):
    """Where in the conversation with the mail server an outcome was decided."""

    NONE = ""  # in none: by another backend, or by ourselves
    SESSION = "session"  # connecting, greeting, EHLO, STARTTLS, AUTH
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"  # the command, and the content until the final dot
    MESSAGE = "message"  # the reply to the final dot


class Loss(StrEnum):
    """How the mail server's reply was missed."""

    BROKEN = "broken"  # the connection was refused, reset, closed or interrupted
    SILENT = "silent"  # no reply came in time
    CUT = "cut"  # our own time for the transaction was over, while the server replied
    NONE_FREE = "none free"  # our own connections were all in use
    TURNED_AWAY = "turned away"  # the server had too many mails of our other processes at once


_TOO_MANY = {452, 552}
_ABOUT_ONE_MAILBOX = re.compile(rb"[45]\.2\.")  # RFC 3463 §3.3: it is full, for example
_ABOUT_THE_SERVER = re.compile(rb"4\.[37]\.")  # RFC 3463 §3.4 and §3.8: the system, the policy
# RFC 3463 §3.4: the system takes no mail at this moment.
_TAKES_NONE_NOW = re.compile(r"4\d\d 4\.3\.2\b")
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
    transaction, and may take them at once in the next. ``loss`` is set where no reply came: the
    mail is DEFERRED before the final dot, and UNKNOWN after it. ``is_server_busy`` says that the
    reply is about the whole server at this moment, and not about this mail.
    """

    status: SendStatus
    reply: str
    too_many_recipients: bool = False
    phase: Phase = Phase.NONE
    loss: Loss | None = None
    is_server_busy: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "reply", _one_line(self.reply))

    @property
    def is_too_much_at_once(self) -> bool:
        """Whether the server refused the whole mail because it has too much to do just then."""
        is_whole = self.phase in {Phase.DATA, Phase.MESSAGE}
        return is_whole and not self.loss and bool(_TAKES_NONE_NOW.match(self.reply))


# A lease that has ended means that another process may be sending the same mail.
LEASE_ENDED = Outcome(SendStatus.DEFERRED, "this process may no longer send: its lease has ended")


def outcome_of_reply(
    code: int,
    text: bytes,
    phase: Phase = Phase.NONE,
    *,
    unreadable: SendStatus = SendStatus.DEFERRED,
) -> Outcome:
    """Return what an SMTP reply means in this ``phase`` (RFC 5321 §4.2.1).

    ``unreadable`` is the status for a code that is not 2yz, 4yz or 5yz.
    """
    status = _STATUS_OF_CLASS.get(code // 100, unreadable)
    words = text.decode("utf-8", "replace")
    return Outcome(
        status,
        f"{code} {words}" if code > 0 else f"a reply without a code: …{words}",
        phase=phase,
        is_server_busy=_is_server_busy(code, text, phase),
    )


def outcome_of_rcpt(code: int, text: bytes, phase: Phase = Phase.RCPT) -> Outcome:
    """Return what a reply to RCPT means. 552 means what 452 means (RFC 5321 §4.5.3.1.10).

    Both may also say that one mailbox is full. Then the others are not too many.
    """
    outcome = outcome_of_reply(code, text, phase)
    if code not in _TOO_MANY:
        return outcome
    too_many = not _ABOUT_ONE_MAILBOX.match(text)
    return Outcome(SendStatus.DEFERRED, outcome.reply, too_many, phase)


def _is_server_busy(code: int, text: bytes, phase: Phase) -> bool:
    """Whether the server means every mail. MAIL 450 4.1.8, say, is about its sender only."""
    if code == CLOSING:
        return True
    if code // 100 != 4:  # noqa: PLR2004 (4yz)
        return False
    is_about_the_server = phase is Phase.MAIL and _ABOUT_THE_SERVER.match(text)
    return phase is Phase.SESSION or bool(is_about_the_server)
