"""The standard library's SMTP client, with one deadline for everything that it does.

The timeout of a socket is for one read. A server that sends one byte at a time never meets it. So
each wait here gets what is left until one point of the monotonic clock.
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

_LONGEST_REPLY = 65536  # octets, far more than any reply that people are to read
_SHORTEST_WAIT = 0.001  # seconds; a socket takes 0 for "do not wait", which is another mode


def describe_loss(error: OSError) -> str:
    """Return one sentence about a connection that broke or a server that fell silent."""
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "the mail server did not answer in time"
    return str(error) or type(error).__name__


class DeadlineSMTP(smtplib.SMTP):
    """``smtplib.SMTP`` whose connecting, writing and reading all end at ``deadline``.

    ``deadline`` may be replaced between two transactions. Looking up the host's name cannot be
    interrupted. A lookup that takes too long makes the call late, but then nothing is sent.
    """

    def __init__(self, host: str, port: int, *, deadline: Deadline, local_hostname: str) -> None:
        self.deadline = deadline
        self._reader: _Reader | None = None
        super().__init__(host, port, local_hostname)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # The one place where smtplib lets a subclass decide how to connect. SMTP_SSL uses it too.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        failure: OSError = ConnectionError(f"no address for {host}")
        for index, (family, kind, protocol, _, address) in enumerate(found):
            # Each address gets a share, so that a silent one leaves time for the others.
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
            # The final dot is written apart from the content. Otherwise it would wait until the
            # server has acknowledged that, which servers delay by 40 ms and more.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(self.deadline.wait())
        except OSError:
            sock.close()
            raise
        return sock

    def send(self, s: "ReadableBuffer | str") -> None:
        """Write all of ``s``.

        Raises SMTPServerDisconnected, and then the last octet of ``s`` has not been written. For
        the content of a mail this means that the server has not seen the final dot.
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
        """Read one reply. Raises SMTPServerDisconnected if there is none, or none to be read."""
        if self.file is None:
            self._reader = _Reader(self)
            self.file = io.BufferedReader(self._reader)
        if self._reader is not None:
            self._reader.read_so_far = 0
        try:
            return super().getreply()
        except smtplib.SMTPResponseException as error:
            # For a line that is too long, smtplib makes up a 500. The server did not say 5yz.
            raise smtplib.SMTPServerDisconnected("unreadable reply") from error
        finally:
            # The TLS handshake reads the socket without our reader. It has the same deadline.
            if self.sock is not None:
                self.sock.settimeout(max(self.deadline.left, _SHORTEST_WAIT))

    def close(self) -> None:
        """Close without QUIT. May be called twice."""
        self._reader = None
        super().close()

    def hang_up(self) -> None:
        """Say QUIT, do not wait for the reply, and close. Raises nothing."""
        with contextlib.suppress(OSError, ValueError):
            self.putcmd("QUIT")
        with contextlib.suppress(OSError):
            self.close()


class DeadlineSMTPS(smtplib.SMTP_SSL, DeadlineSMTP):
    """The same with TLS from the first octet (RFC 8314 §3.3)."""

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


class _Reader(io.RawIOBase):
    """The octets of one connection. Each read waits only as long as the deadline allows."""

    def __init__(self, connection: DeadlineSMTP) -> None:
        self._connection = connection
        self.read_so_far = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        sock = self._connection.sock
        if sock is None:
            raise ConnectionError("not connected")
        if self.read_so_far > _LONGEST_REPLY:
            raise ConnectionError("the reply has no end")
        sock.settimeout(self._connection.deadline.wait())
        count = sock.recv_into(buffer)
        self.read_so_far += count
        return count
