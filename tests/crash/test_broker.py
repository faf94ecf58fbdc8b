"""While the message broker is down, calls still succeed. When it is back, their mail goes out."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.crash.conftest import Scene
from tests.support.servers import broker
from tests.support.servers.ports import free_port
from tests.support.servers.site import Site, open_folder
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.waiting import wait_until


class Door:
    """It stands before the broker. Shut, it is like a broker that is stopped."""

    def __init__(self) -> None:
        self.port = free_port()
        self._sockets: list[socket.socket] = []
        self._listener: socket.socket | None = None

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._let_in, args=[self._listener], daemon=True).start()

    def shut(self) -> None:
        if self._listener:
            self._sockets.append(self._listener)
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._sockets = []
        self._listener = None

    def _let_in(self, listener: socket.socket) -> None:
        parts = urlsplit(broker.URL)
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5672))
                self._sockets += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    made.open()
    yield made
    made.shut()


@pytest.fixture
def celery(door: Door) -> Iterator[Scene]:
    """A web server, a Celery worker and beat, which reach the broker through the door."""
    broker.require()
    parts = urlsplit(broker.URL)
    through = parts._replace(
        netloc=f"{parts.username}:{parts.password}@127.0.0.1:{door.port}"
    ).geturl()
    with (
        open_folder() as var,
        ScriptedSMTP() as smtp,
        Site(
            var, smtp.url, with_broker=True, WEB_CONCURRENCY="1", CELERY_BROKER_URL=through
        ) as site,
    ):
        for name in ("web", "worker", "beat"):
            site.start(name)
        site.wait_for_web()
        yield Scene(site, smtp, "broker-1", who="worker")


def test_stopped_broker_loses_nothing(celery: Scene, door: Door) -> None:
    assert celery.call().result().status == 202
    wait_until(lambda: celery.states() == {"sent"}, "the worker")
    door.shut()
    celery.uid = "broker-2"
    assert celery.call().result().status == 202
    assert celery.states() == set()
    door.open()
    wait_until(lambda: celery.states() == {"sent"}, "the sweep")
    assert set(celery.copies().values()) == {1}
