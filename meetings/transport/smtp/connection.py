"""The standard library's SMTP client under one deadline for everything it does.

A socket's timeout is for one read, and a server that drips one byte at a time never meets it. Here
each wait gets what is left of one point of the monotonic clock.
"""

import contextlib
import io
import smtplib
import socket
import ssl
from typing import TYPE_CHECKING

from meetings.deadline import Deadline

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

# Longer than any reply that is meant to be read.
_LONGEST_REPLY = 65536
_SHORTEST_WAIT = 0.001


class _Reader(io.RawIOBase):
    """The bytes of one connection, each read with what its deadline leaves."""

    def __init__(self, connection: "DeadlineSMTP") -> None:
        self._connection = connection
        self.read_so_far = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        sock = self._connection.sock
        if sock is None or self.read_so_far > _LONGEST_REPLY:
            raise ConnectionError("the reply has no end" if sock else "not connected")
        sock.settimeout(self._connection.deadline.wait())
        count = sock.recv_into(buffer)
        self.read_so_far += count
        return count


class DeadlineSMTP(smtplib.SMTP):
    """``smtplib.SMTP`` whose connecting, writing and reading all end at ``deadline``.

    ``deadline`` may be replaced between transactions. Name resolution cannot be interrupted, but
    nothing is sent when it came too late: it makes an answer late, never a mail double.
    """

    def __init__(self, host: str, port: int, *, deadline: Deadline, local_hostname: str) -> None:
        self.deadline = deadline
        self._reader: _Reader | None = None
        super().__init__(host, port, local_hostname)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # The one place where smtplib lets a subclass say how to connect (SMTP_SSL does it the same
        # way).
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        failure: OSError = ConnectionError(f"no address for {host}")
        for index, (family, kind, protocol, _, address) in enumerate(found):
            # A share each, so that one silent address does not cost the others their turn.
            wait = self.deadline.wait() / (len(found) - index)
            try:
                return self._connected(socket.socket(family, kind, protocol), address, wait)
            except OSError as error:
                failure = error
        raise failure

    def _connected(self, sock: socket.socket, address: object, wait: float) -> socket.socket:
        try:
            sock.settimeout(wait)
            sock.connect(address)  # type: ignore[arg-type]  # as getaddrinfo returned it
            sock.settimeout(self.deadline.wait())
        except OSError:
            sock.close()
            raise
        return sock

    def send(self, s: "ReadableBuffer | str") -> None:
        """Write all of ``s``; raises SMTPServerDisconnected, after which the last byte has not been
        written.
        """
        rest = memoryview(s.encode(self.command_encoding) if isinstance(s, str) else s)
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        try:
            while rest:
                self.sock.settimeout(self.deadline.wait())
                rest = rest[self.sock.send(rest) :]
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(f"connection lost: {error}") from error

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply; raises SMTPServerDisconnected for a connection or a reply that has come
        to nothing.
        """
        if self.file is None:
            self._reader = _Reader(self)
            self.file = io.BufferedReader(self._reader)
        if self._reader is not None:
            self._reader.read_so_far = 0
        try:
            return super().getreply()
        except smtplib.SMTPResponseException as error:
            # smtplib's own 500 for a line too long: the server never said 5yz.
            raise smtplib.SMTPServerDisconnected("unreadable reply") from error
        finally:
            # What follows without a read of ours, the TLS handshake, has the same deadline.
            if self.sock is not None:
                self.sock.settimeout(max(self.deadline.left, _SHORTEST_WAIT))

    def close(self) -> None:
        """Close without a word; may be called twice."""
        self._reader = None
        super().close()

    def hang_up(self) -> None:
        """Say QUIT without waiting for the answer, and close; never raises."""
        with contextlib.suppress(OSError, ValueError):
            self.putcmd("QUIT")
        with contextlib.suppress(OSError):
            self.close()


class DeadlineSMTPS(smtplib.SMTP_SSL, DeadlineSMTP):
    """The same with TLS from the first byte (RFC 8314 §3.3)."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        deadline: Deadline,
        local_hostname: str,
        context: ssl.SSLContext,
    ) -> None:
        self.deadline = deadline
        self._reader = None
        smtplib.SMTP_SSL.__init__(self, host, port, local_hostname, context=context)
