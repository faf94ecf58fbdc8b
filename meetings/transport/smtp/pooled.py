"""One connection of the pool: opened, kept from mail to mail, and probed before its next use."""

import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass

from meetings.deadline import Deadline
from meetings.transport.smtp.connection import DeadlineSMTP
from meetings.transport.smtp.session import Server

_OK = 250


@dataclass(frozen=True, slots=True)
class Limits:
    """When a kept connection is probed with NOOP, and when it is given up. Times are in seconds."""

    probe_after: float = 2.0
    probe: float = 2.0  # how long the reply to NOOP may take
    idle: float = 60.0
    transactions: int = 100


class Connection:
    """A place in the pool, and the connection in it once there is one."""

    def __init__(self, server: Server, limits: Limits, changed: Callable[[], None]) -> None:
        self.server = server
        self.limits = limits
        self.smtp: DeadlineSMTP | None = None
        self.is_opening = False
        self._changed = changed
        self.is_interrupted = False
        self.used_at = self.gives_up_at = time.monotonic()
        self.transactions = 0

    def open(self, deadline: Deadline) -> DeadlineSMTP:
        """Return a new connection to the server. Raises SessionError and OSError."""
        self.close()
        self.transactions = 0
        self.is_opening = True
        self.smtp = self.server.client(deadline)
        # After it is there. So an interruption that has not seen it is seen here.
        if self.is_interrupted:
            raise smtplib.SMTPServerDisconnected("this process interrupted the connection")
        self.server.open(self.smtp)
        self.is_opening = False
        self._changed()
        return self.smtp

    def kept(self, deadline: Deadline) -> DeadlineSMTP | None:
        """Return the connection of an earlier transaction, with ``deadline``, if it is alive."""
        if self.smtp is None:
            return None
        self.smtp.deadline = deadline
        is_probed = time.monotonic() - self.used_at >= self.limits.probe_after
        if is_probed and not _is_alive(self.smtp, deadline, self.limits):
            self.close()
        return self.smtp

    def interrupt(self) -> None:
        """End what another thread does on it, and let it open no new one."""
        self.is_interrupted = True
        smtp = self.smtp
        if smtp is not None:
            smtp.interrupt()

    def rest(self, idle: float) -> bool:
        """Close it unless another transaction can follow, and return whether one can.

        It may be ``idle`` for so many seconds, or for its own limit if that is shorter.
        """
        self.transactions += 1
        self.used_at = time.monotonic()
        self.gives_up_at = self.used_at + min(idle, self.limits.idle)
        if self.smtp is None or self.smtp.sock is None or self.is_interrupted:
            self.close()
        elif self.transactions >= self.limits.transactions:
            self.hang_up()
        return self.smtp is not None

    def hang_up(self) -> None:
        """Say QUIT and close."""
        if self.smtp is not None:
            self.smtp.hang_up()
            self.smtp = None

    def close(self) -> None:
        """Close without QUIT."""
        if self.smtp is not None:
            self.smtp.close()
            self.smtp = None


def _is_alive(smtp: DeadlineSMTP, deadline: Deadline, limits: Limits) -> bool:
    # A firewall that has forgotten the connection drops our packets without a word. So the probe
    # gets a part of the time, and the rest is left for a new connection.
    smtp.deadline = Deadline(min(limits.probe, deadline.left / 2))
    try:
        return smtp.noop()[0] == _OK
    except OSError:
        return False
    finally:
        smtp.deadline = deadline
