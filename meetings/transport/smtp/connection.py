"""The standard library's SMTP client, with one deadline for everything that it does.

The timeout of a socket is for one read. A server that sends one byte at a time never meets it. So
each wait here gets what is left until one point of the monotonic clock.
"""

import contextlib
import io
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from meetings.deadline import Deadline
from meetings.transport.outcome import (
    CLOSING,
    Loss,
    Outcome,
    Phase,
    SendStatus,
    outcome_of_reply,
)

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_LONGEST_REPLY = 65536  # octets, far more than any reply that people are to read
_SHORTEST_WAIT = 0.001  # seconds; a socket takes 0 for "do not wait", which is another mode
# Seconds without a word until the first probe, seconds between two, and how many are to be lost.
_KEEP_ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
_LONGEST_QUIT = 1.0  # seconds for writing it


def _keep_alive(sock: socket.socket) -> None:
    """Find out within two minutes if the other side is gone: a final reply may take ten."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class ClosingError(smtplib.SMTPServerDisconnected):
    """The server said 421 and closes the connection, whatever the command was (RFC 5321 §3.8)."""

    def __init__(self, text: bytes) -> None:
        super().__init__(f"{CLOSING} {text!r}")
        self.text = text


def outcome_of_loss(error: OSError, phase: Phase) -> Outcome:
    """Return the outcome of a connection that broke, fell silent or was closed with 421.

    The final dot must not have been sent.
    """
    if isinstance(error, ClosingError):
        return outcome_of_reply(CLOSING, error.text, phase)
    sentence, loss = describe_loss(error)
    return Outcome(SendStatus.DEFERRED, sentence, phase=phase, loss=loss)


def describe_loss(error: OSError) -> tuple[str, Loss]:
    """Return one sentence about a connection that broke or a server that fell silent."""
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "the mail server did not answer in time", Loss.SILENT
    return str(error) or type(error).__name__, Loss.BROKEN


class DeadlineSMTP(smtplib.SMTP):
    """``smtplib.SMTP`` whose connecting, writing and reading all end at ``deadline``.

    ``deadline`` may be replaced between two transactions. Looking up the host's name cannot be
    interrupted. A lookup that takes too long makes the call late, but then nothing is sent.
    """

    def __init__(self, *, deadline: Deadline, local_hostname: str) -> None:
        self.deadline = deadline
        self.is_interrupted = False
        self.dot_sent_at: float | None = None  # by the monotonic clock, while its reply is awaited
        self._reader: _Reader | None = None
        self._tls: ssl.SSLContext | None = None
        # A second handle of the same socket: TLS takes the first one away while it shakes hands.
        self._handle: socket.socket | None = None
        self._guard = threading.Lock()
        super().__init__(local_hostname=local_hostname)

    def reach(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Connect, with TLS from the first octet if there is a context (RFC 8314 §3.3).

        Raises SMTPConnectError for a greeting that is not 220, and OSError.
        """
        self._host, self._tls = host, tls  # smtplib verifies the certificate against _host
        code, text = self.connect(host, port)
        if code != 220:  # noqa: PLR2004 (RFC 5321 §4.3.2)
            self.close()
            raise smtplib.SMTPConnectError(code, text)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # The one place where smtplib lets a subclass decide how to connect.
        sock = self._connected(host, port)
        if self._tls is None:
            return sock
        return self._tls.wrap_socket(sock, server_hostname=host)

    def _connected(self, host: str, port: int) -> socket.socket:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        failure: OSError = ConnectionError(f"no address for {host}")
        for index, (family, kind, protocol, _, address) in enumerate(found):
            # Each address gets a share, so that a silent one leaves time for the others.
            wait = self.deadline.wait() / (len(found) - index)
            sock = socket.socket(family, kind, protocol)
            try:
                self._connect(sock, address, wait)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure

    def _connect(self, sock: socket.socket, address: object, wait: float) -> None:
        self._hand_over(sock)
        sock.settimeout(wait)
        sock.connect(address)  # type: ignore[arg-type]  # as getaddrinfo returned it
        # The final dot is written apart from the content. Otherwise it would wait until the
        # server has acknowledged that, which servers delay by 40 ms and more.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _keep_alive(sock)
        sock.settimeout(self.deadline.wait())

    def _hand_over(self, sock: socket.socket) -> None:
        """Let ``interrupt`` know the socket."""
        with self._guard:
            if self._handle is not None:
                self._handle.close()
            self._handle = sock.dup()
        # After the handle is there. So an interruption that has not seen it is seen here.
        self._check_interruption()

    def _check_interruption(self) -> None:
        if self.is_interrupted:
            raise smtplib.SMTPServerDisconnected("this process interrupted the connection")

    def interrupt(self) -> None:
        """End what another thread reads or writes on this connection, at once. Raises nothing."""
        with self._guard:
            self.is_interrupted = True
            if self._handle is not None:
                with contextlib.suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)

    def say(self, commands: Sequence[str]) -> Iterator[tuple[int, bytes]]:
        """Write all ``commands`` at once, and yield the reply to each (RFC 2920 §3.1).

        A server may hold its replies back until it has read the whole group, and so until it has
        worked on all of it. So one wait has the time of all replies that are still to come.
        """
        step = self.deadline.step
        self.send("".join(f"{command}\r\n" for command in commands))
        for outstanding in range(len(commands), 0, -1):
            self.deadline.step = None if step is None else step * outstanding
            yield self.getreply()

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
            self._check_interruption()
            raise smtplib.SMTPServerDisconnected(f"connection lost: {error}") from error

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply.

        Raises ClosingError for 421, and SMTPServerDisconnected if there is no reply, or none to be
        read.
        """
        if self.file is None:
            self._reader = _Reader(self)
            self.file = io.BufferedReader(self._reader)
        if self._reader is not None:
            self._reader.read_so_far = 0
        try:
            code, text = super().getreply()
        except smtplib.SMTPServerDisconnected:
            self._check_interruption()
            raise
        except smtplib.SMTPResponseException as error:
            # For a line that is too long, smtplib makes up a 500. The server did not say 5yz.
            raise smtplib.SMTPServerDisconnected("unreadable reply") from error
        finally:
            # The TLS handshake reads the socket without our reader. It has the same deadline.
            if self.sock is not None:
                self.sock.settimeout(max(self.deadline.left, _SHORTEST_WAIT))
        if code == CLOSING:
            self.close()
            raise ClosingError(text)
        return code, text

    def ehlo_or_helo_if_needed(self) -> None:
        """Say EHLO unless it was said. HELO follows only if the server does not know EHLO.

        Raises SMTPHeloError. smtplib would say HELO after a 4yz too, and report that reply.
        """
        if self.helo_resp is not None or self.ehlo_resp is not None:
            return
        code, text = self.ehlo()
        if code // 100 == 5:  # noqa: PLR2004 (5yz, RFC 5321 §3.2)
            code, text = self.helo()
        if code // 100 != 2:  # noqa: PLR2004 (2yz)
            raise smtplib.SMTPHeloError(code, text)

    def close(self) -> None:
        """Close without QUIT. May be called twice."""
        self._reader = None
        with self._guard:
            if self._handle is not None:
                self._handle.close()
            self._handle = None
        super().close()

    def hang_up(self) -> None:
        """Say QUIT, do not wait for the reply, and close. Raises nothing."""
        self.deadline = Deadline(_LONGEST_QUIT)
        with contextlib.suppress(OSError, ValueError):
            self.putcmd("QUIT")
        with contextlib.suppress(OSError):
            self.close()


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
