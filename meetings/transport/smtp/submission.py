"""What one SMTP transaction carries: an envelope and its content (RFC 5321 §2.3.1)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from meetings.addresses import AddressError, wire_address
from meetings.transport.outcome import Outcome, SendStatus

_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient. ``address`` is what the caller wrote, ``path`` what RCPT says."""

    address: str
    path: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """Sender and recipients of one transaction. The null path has an empty ``sender``."""

    sender: str
    recipients: tuple[Recipient, ...]

    @property
    def is_ascii(self) -> bool:
        """Whether servers without SMTPUTF8 can take it (RFC 6531 §3.4)."""
        return self.sender.isascii() and all(to.path.isascii() for to in self.recipients)


@dataclass(frozen=True, slots=True)
class Submission:
    """An envelope and the octets that go with it. All lines of ``content`` end with CRLF."""

    envelope: Envelope
    content: bytes

    @property
    def needs_smtputf8(self) -> bool:
        """Whether an address or the header of the mail is not ASCII (RFC 6531 §3.4)."""
        header = self.content.partition(b"\r\n\r\n")[0]
        return not (self.envelope.is_ascii and header.isascii())

    def all(self, outcome: Outcome) -> dict[str, Outcome]:
        """Return the same ``outcome`` for every recipient, by the address that the caller wrote."""
        return {recipient.address: outcome for recipient in self.envelope.recipients}


def with_crlf(raw: bytes) -> bytes:
    """Return ``raw`` with CRLF at the end of every line, the last one too (RFC 5321 §2.3.8)."""
    lines = _LINE_END.sub(b"\r\n", raw)
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


def usable_recipients(
    addresses: Iterable[str],
) -> tuple[list[Recipient], dict[str, Outcome]]:
    """Return each recipient once, and the outcomes of addresses that no command can carry."""
    usable: list[Recipient] = []
    unusable: dict[str, Outcome] = {}
    for address in dict.fromkeys(addresses):
        try:
            usable.append(Recipient(address, wire_address(address)))
        except AddressError as error:
            unusable[address] = Outcome(SendStatus.REFUSED, str(error))
    return usable, unusable


def groups(recipients: Sequence[Recipient]) -> Iterator[list[Recipient]]:
    """Yield the recipients who may share a transaction.

    A transaction with SMTPUTF8 cannot go on to a server that lacks it. So one recipient who needs
    it would stop the mail of all the others: those who need it have transactions of their own.
    """
    for is_ascii in (True, False):
        group = [to for to in recipients if to.path.isascii() is is_ascii]
        if group:
            yield group
