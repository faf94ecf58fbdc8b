"""A mail server on loopback that follows a script and remembers the mail it was given.

    with ScriptedSMTP(rcpt={"bob@example.com": "550 5.1.1 no such user"}) as server:
        ...  # send to server.host, server.port
        [transaction] = server.received

Each keyword of the constructor scripts one moment of the conversation. A script is a step, or a
sequence of steps of which the last one stays, or a table by address, or a function of the command's
argument (at DATA: of the recipients so far; at the dot: of the mail). A step is a reply without its
CRLF ("451 4.3.0 later"), or a Slow one, or HANG, DROP or DRIP.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

import pytest
import trustme

from tests.support.servers.smtp_conversation import Fault, Listener, Slow, Step, Transaction
from tests.support.waiting import PATIENCE, wait_until

HANG, DROP, DRIP = Fault.HANG, Fault.DROP, Fault.DRIP

Script = Step | Sequence[Step] | Mapping[str, Step] | Callable[[str], Step]

DEFAULTS = {
    "banner": "220 mail.example.test ESMTP",
    "noop": "250 2.0.0 alive",
    "rset": "250 2.0.0 forgotten",
    "mail": "250 2.1.0 sender ok",
    "rcpt": "250 2.1.5 recipient ok",
    "data": "354 go ahead",
    # Read on after the 354; a fault here comes before the first line is read.
    "content": "",
    "dot": "250 2.0.0 queued",
    "quit": "221 2.0.0 bye",
    "starttls": "220 2.0.0 go ahead",
    "auth": "",
}


TOO_MANY_CONNECTIONS = "421 4.7.0 too many connections"


class Gate:
    """A step that holds up the client until ``open`` is called."""

    def __init__(self, reply: Step) -> None:
        self._reply = reply
        self._reached = threading.Event()
        self._opened = threading.Event()

    def __call__(self, _: str) -> Step:
        self._reached.set()
        self._opened.wait(PATIENCE)
        return self._reply

    def wait_for_client(self) -> None:
        wait_until(self._reached.is_set, "a client at the gate")

    def open(self) -> None:
        self._opened.set()


class ScriptedSMTP:
    """Listens at once. ``close`` or the end of ``with`` stops every thread and socket."""

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        extensions: Sequence[str] = ("8BITMIME", "SMTPUTF8", "SIZE 10485760"),
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        credentials: tuple[str, str] | None = None,
        **scripts: Script,
    ) -> None:
        unknown = scripts.keys() - DEFAULTS.keys() - {"ehlo"}
        if unknown:
            raise TypeError(f"no such moment: {unknown}")
        self.scripts: dict[str, Script] = {**DEFAULTS, **scripts}
        self.extensions = tuple(extensions)
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.credentials = credentials
        # Recipients that one transaction may have, and the reply to each one beyond.
        self.room: int | None = None
        self.beyond_room = "452 4.5.3 too many recipients"
        self.extensions_in_tls = self.extensions
        self.bears: int | None = None  # connections at a time; each one beyond is refused (421)
        self.takes_data_always = False  # also if no recipient was accepted
        self.received: list[Transaction] = []
        # The content, dots stuffed, of each mail whose connection the client closed before its dot.
        self.unfinished: list[bytes] = []
        self.commands: list[tuple[int, str]] = []
        self.groups: list[int] = []  # how many replies were said at once
        self.connections = 0
        self.broken_off: set[int] = set()
        self.stopped = threading.Event()
        self._gates: list[Gate] = []
        self._guard = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._borne: set[int] = set()
        self._server = Listener(self)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The server as an EMAIL_URL."""
        scheme = "smtp" if self.tls is None else "smtp+ssl" if self.implicit_tls else "smtp+tls"
        login = "{}:{}@".format(*self.credentials) if self.credentials else ""
        return f"{scheme}://{login}{self.host}:{self.port}"

    @property
    def accepted(self) -> list[Transaction]:
        """The mails that the server accepted."""
        return [transaction for transaction in self.received if transaction.reply.startswith("2")]

    @property
    def holds_replies(self) -> bool:
        """Whether replies are said when there is no more input, as PIPELINING allows."""
        return "PIPELINING" in self.extensions

    def verbs(self) -> list[str]:
        """The commands so far, without their arguments."""
        return [line.split(" ")[0].upper() for _, line in self.commands]

    def hold(self, moment: str, reply: Step = "") -> Gate:
        """Hold up the clients at this ``moment`` until the gate is opened."""
        self._gates.append(Gate(reply or DEFAULTS[moment]))
        self.scripts[moment] = self._gates[-1]
        return self._gates[-1]

    def drop_connections(self) -> None:
        """Close every connection without a reply, as a server does with idle clients."""
        for sock in list(self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop; may be called twice."""
        self.stopped.set()
        for gate in self._gates:
            gate.open()
        self.drop_connections()
        self._server.shutdown()
        self._thread.join()
        # The handlers' threads are joined here.
        self._server.server_close()

    def step(self, moment: str, argument: str = "") -> Step:
        """What the script has for this ``moment``."""
        script = self.scripts[moment]
        if isinstance(script, str | Fault | Slow):
            return script
        if isinstance(script, Mapping):
            return script.get(argument, DEFAULTS[moment])
        if callable(script):
            return script(argument)
        if len(script) > 1:
            self.scripts[moment] = script[1:]
        return script[0]

    def opened(self, sock: socket.socket) -> int:
        """Number a new connection, from 1."""
        with self._guard:
            self._sockets.add(sock)
            self.connections += 1
            if self.bears is None or len(self._borne) < self.bears:
                self._borne.add(self.connections)
            return self.connections

    def greeting(self, number: int) -> Step:
        """What a new connection is told."""
        return self.step("banner") if number in self._borne else TOO_MANY_CONNECTIONS

    def replaced(self, sock: socket.socket, by: socket.socket) -> None:
        """Know a connection by its TLS socket from now on."""
        with self._guard:
            self._sockets.discard(sock)
            self._sockets.add(by)

    def closed(self, sock: socket.socket, number: int) -> None:
        """Forget a connection."""
        with self._guard:
            self._sockets.discard(sock)
            self._borne.discard(number)

    def broke_off(self, number: int) -> None:
        """Remember that the client ended this connection without a QUIT."""
        self.broken_off.add(number)

    def record(self, transaction: Transaction) -> None:
        """Remember a mail."""
        with self._guard:
            self.received.append(transaction)


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """The server's side of TLS, with a certificate for ``names`` (127.0.0.1 when none is given)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or (ScriptedSMTP.host,))).configure_cert(context)
    return context


@pytest.fixture
def smtp_server() -> Iterator[ScriptedSMTP]:
    """A mail server that takes everything; ``scripts`` may be changed while it runs."""
    with ScriptedSMTP() as server:
        yield server
