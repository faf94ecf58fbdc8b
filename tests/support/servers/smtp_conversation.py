"""One connection to a ScriptedSMTP: it reads commands and plays the script's steps."""

import base64
import contextlib
import select
import socket
import socketserver
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.servers.smtp_server import ScriptedSMTP

_DRIP_SECONDS = 0.02


class Fault(Enum):
    """What a server may do instead of replying."""

    HANG = "says nothing until the test is over"
    DROP = "closes the connection"
    DRIP = "begins a reply and never ends it, one byte every few milliseconds"


@dataclass(frozen=True, slots=True)
class Slow:
    """A reply that comes after so many seconds."""

    reply: str
    seconds: float


Step = str | Fault | Slow


@dataclass(frozen=True, slots=True)
class Transaction:
    """One mail whose final dot arrived. ``reply`` is empty if the server never sent one.

    ``raw`` is the text between DATA and the dot, with CRLF, dots unstuffed.
    """

    connection: int
    envelope_from: str
    recipients: tuple[str, ...]
    raw: bytes
    reply: str
    mail_options: tuple[str, ...]
    tls: bool


class _Over(Exception):  # no error: the conversation has ended
    pass


class _Input:
    """What the client has sent and nobody has read yet."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._octets = bytearray()

    def is_empty(self) -> bool:
        """Whether the next line would have to be waited for."""
        while b"\n" not in self._octets:
            pending = isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()
            if not pending and not select.select([self._sock], [], [], 0)[0]:
                return True
            if not self._receive():
                return False  # the client has closed, which is no wait
        return False

    def readline(self) -> bytes:
        """The next line, or what came without an end before the client closed."""
        while (end := self._octets.find(b"\n")) < 0 and self._receive():
            pass
        # What follows is not copied. A mail has some hundred lines.
        line = bytes(self._octets[: end + 1 or None])
        del self._octets[: len(line)]
        return line

    def _receive(self) -> bool:
        octets = self._sock.recv(65536)
        self._octets += octets
        return bool(octets)


class Conversation(socketserver.BaseRequestHandler):
    """One connection."""

    request: socket.socket
    server: "Listener"

    def handle(self) -> None:
        self.script = self.server.script
        self.number = self.script.opened(self.request)
        self.raw_socket = self.request
        self.composed: tuple[str, tuple[str, ...]] | None = None
        self.recipients: list[str] = []
        self.held: list[bytes] = []
        self.input = _Input(self.request)
        try:
            if self.script.implicit_tls:
                self._start_tls()
            self._say(self.script.greeting(self.number))
            while True:
                self._obey(self._line())
        except _Over:
            pass
        except OSError:
            self.script.broke_off(self.number)
        finally:
            self.script.closed(self.raw_socket, self.number)
            self._close()

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            self.request.close()

    def _start_tls(self) -> None:
        if self.script.tls is None:
            raise TypeError("implicit_tls wants tls")
        self.request = self.script.tls.wrap_socket(self.request, server_side=True)
        self.script.replaced(self.raw_socket, self.request)
        self.raw_socket = self.request
        self.input = _Input(self.request)

    def _line(self) -> str:
        if self.held and self.input.is_empty():
            self._release()
        line = self.input.readline()
        if not line:
            raise ConnectionResetError
        return line.decode("utf-8", "surrogateescape").rstrip("\r\n")

    def _release(self) -> None:
        """Say what was held back."""
        held, self.held = self.held, []
        if held:
            self.script.groups.append(len(held))
            self.request.sendall(b"".join(held))

    def _say(self, step: Step) -> str:
        """Play a step. With PIPELINING its reply is said when there is no more input (Postfix)."""
        if isinstance(step, Fault) or not self.script.holds_replies:
            self._release()
        if step is Fault.HANG:
            self.script.stopped.wait()
        if step is Fault.DRIP:
            self._drip()
        if isinstance(step, Slow):
            self.script.stopped.wait(step.seconds)
            step = step.reply
        if not isinstance(step, str):
            raise _Over
        self.held.append(step.replace("\n", "\r\n").encode() + b"\r\n")
        is_last = step.startswith(("421", "221"))
        if is_last or not self.script.holds_replies:
            self._release()
        if is_last:
            raise _Over
        return step

    def _drip(self) -> None:
        self.request.sendall(b"250-")
        while not self.script.stopped.wait(_DRIP_SECONDS):
            self.request.sendall(b"x")

    def _obey(self, line: str) -> None:
        self.script.commands.append((self.number, line))
        verb, _, argument = line.partition(" ")
        obey: Callable[[str], Any] | None = getattr(self, f"_{verb.lower()}", None)
        if obey is None:
            self._say("500 5.5.1 what?")
        else:
            obey(argument)

    def _ehlo(self, _: str) -> None:
        if "ehlo" in self.script.scripts:
            self._say(self.script.step("ehlo"))
            return
        tls_is_up = isinstance(self.request, ssl.SSLSocket)
        extensions = self.script.extensions_in_tls if tls_is_up else self.script.extensions
        names = ["mail.example.test", *extensions]
        if self.script.tls and not tls_is_up:
            names.append("STARTTLS")
        if self.script.credentials:
            names.append("AUTH PLAIN")
        self._say("\n".join([*(f"250-{name}" for name in names[:-1]), f"250 {names[-1]}"]))

    def _helo(self, _: str) -> None:
        self._say("250 mail.example.test")

    def _noop(self, _: str) -> None:
        self._say(self.script.step("noop"))

    def _rset(self, _: str) -> None:
        self.composed, self.recipients = None, []
        self._say(self.script.step("rset"))

    def _quit(self, _: str) -> None:
        self._say(self.script.step("quit"))
        raise _Over

    def _starttls(self, _: str) -> None:
        if self._say(self.script.step("starttls")).startswith("220"):
            self._release()
            self._start_tls()

    def _auth(self, argument: str) -> None:
        scripted = self.script.step("auth")
        if scripted:
            self._say(scripted)
            return
        login = "\0".join(("", *(self.script.credentials or ())))
        right = argument == f"PLAIN {base64.b64encode(login.encode()).decode()}"
        self._say("235 2.7.0 welcome" if right else "535 5.7.8 wrong user or password")

    def _mail(self, argument: str) -> None:
        path, *options = argument.split(" ")
        address = path.partition(":")[2].strip("<>")
        if self._say(self.script.step("mail", address)).startswith("2"):
            self.composed, self.recipients = (address, tuple(options)), []

    def _rcpt(self, argument: str) -> None:
        address = argument.partition(":")[2].strip("<>")
        room = self.script.room
        is_full = room is not None and len(self.recipients) >= room
        step = self.script.beyond_room if is_full else self.script.step("rcpt", address)
        if self._say(step).startswith("2"):
            self.recipients.append(address)

    def _data(self, _: str) -> None:
        has_envelope = self.recipients and self.composed is not None
        if not has_envelope and not self.script.takes_data_always:
            self._say("503 5.5.1 no valid recipients")
            return
        if not self._say(self.script.step("data", " ".join(self.recipients))).startswith("354"):
            return
        self._release()
        fault = self.script.step("content")
        if fault:
            self._say(fault)
        raw = self._content()
        step = self.script.step("dot", raw.decode("utf-8", "surrogateescape"))
        self._record(raw, _reply_of(step))
        self._say(step)

    def _content(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.input.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                lines.append(line)
                self.script.unfinished.append(b"".join(lines))
                raise ConnectionResetError
            lines.append(line)
        return b"".join(line.removeprefix(b".") for line in lines)

    def _record(self, raw: bytes, reply: str) -> None:
        sender, options = self.composed or ("", ())
        secure = isinstance(self.request, ssl.SSLSocket)
        transaction = Transaction(
            self.number, sender, tuple(self.recipients), raw, reply, options, secure
        )
        self.composed, self.recipients = None, []
        self.script.record(transaction)


def _reply_of(step: Step) -> str:
    if isinstance(step, Slow):
        return step.reply
    return step if isinstance(step, str) else ""


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, script: "ScriptedSMTP") -> None:
        self.script = script
        super().__init__((script.host, 0), Conversation)
