"""A client's connection, whose other end is the test's."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from meeting_server import connection
from meeting_server.connection import Connection, Late
from tests.support.waiting import wait_until

LONG = 3600.0  # seconds: no test lasts so long


class Places(threading.Semaphore):
    """They say whether one is taken."""

    is_taken = False

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        taken = super().acquire(blocking, timeout)
        self.is_taken |= taken
        return taken

    def release(self, n: int = 1) -> None:
        self.is_taken = False
        super().release(n)


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PROMPT", 0.05)


class Ends:
    """Both ends of a connection; ``places`` for slow requests there is one."""

    def __init__(self) -> None:
        self.places = Places(1)
        self.client, accepted = socket.socketpair()
        self.server = Connection.of(accepted, self.places)

    def read_in_thread(self) -> tuple[threading.Thread, list[bytes]]:
        """Read once. The thread ends with what was read."""
        read: list[bytes] = []
        thread = threading.Thread(target=lambda: read.append(self.server.recv(100)))
        thread.start()
        return thread, read


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    with made.client, made.server:
        yield made


def test_what_is_there_is_read(ends: Ends) -> None:
    ends.client.sendall(b"POST")
    ends.server.expect_request(LONG)
    assert ends.server.recv(100) == b"POST"


def test_end_of_the_client_is_read(ends: Ends) -> None:
    ends.client.close()
    ends.server.expect_request(LONG)
    assert ends.server.recv(100) == b""


def read_to_the_end(ends: Ends, *, of: bytes = b"") -> None:
    """The client sends ``of`` again and again. There is always something to read, or never."""
    ends.client.sendall(of)
    while ends.server.recv(100):
        ends.client.sendall(of)


@pytest.mark.parametrize("drip", [b"", b"P"], ids=["silent", "dripping"])
def test_request_that_takes_too_long_is_late(
    ends: Ends, drip: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    ends.server.expect_request(0.2)
    late: list[bool] = []
    ends.server.on_late = lambda: late.append(True)
    with pytest.raises(Late):
        read_to_the_end(ends, of=drip)
    assert late == [True]
    assert not ends.places.is_taken
    assert caplog.messages == ["A request did not arrive in time."]


def test_time_of_the_application_does_not_count(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([100.0, 110.0, 10_000.0, 10_009.0, 10_010.0])
    monkeypatch.setattr(connection, "_now", lambda: next(moments))
    ends.client.sendall(b"{}...")
    ends.server.expect_request(20.0)
    ends.server.pause()
    assert ends.server.recv(1) == b"{"
    assert ends.server.recv(1) == b"}"
    with pytest.raises(Late):
        ends.server.recv(1)


def test_slow_request_arrives_where_a_place_is_free(ends: Ends) -> None:
    ends.server.expect_request(LONG)
    thread, read = ends.read_in_thread()
    wait_until(lambda: ends.places.is_taken, "a place for a slow request")
    ends.client.sendall(b"POST")
    thread.join()
    assert read == [b"POST"]
    assert not ends.places.is_taken


def test_slow_request_is_late_where_no_place_is_free(ends: Ends) -> None:
    ends.places.acquire()
    ends.server.expect_request(LONG)
    with pytest.raises(Late):
        ends.server.recv(100)


def test_prompt_request_needs_no_place(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PROMPT", LONG)
    ends.places.acquire()
    ends.server.expect_request(LONG)
    thread, read = ends.read_in_thread()
    ends.client.sendall(b"POST")
    thread.join()
    assert read == [b"POST"]


def test_next_request_has_its_own_time(ends: Ends) -> None:
    ends.server.expect_request(0.2)
    with pytest.raises(Late):
        ends.server.recv(100)
    ends.server.expect_request(LONG)
    thread, read = ends.read_in_thread()
    wait_until(lambda: ends.places.is_taken, "a place for a slow request")
    ends.client.sendall(b"GET")
    thread.join()
    assert read == [b"GET"]


@pytest.mark.parametrize("drip", [b"", b"x"], ids=["silent", "dripping"])
def test_rest_of_a_request_is_not_waited_for(ends: Ends, drip: bytes) -> None:
    ends.server.expect_request(LONG)
    ends.server.expect_rest()
    with pytest.raises(TimeoutError):  # gunicorn then closes the connection
        read_to_the_end(ends, of=drip)
    assert not ends.places.is_taken


def test_late_client_is_told_so(ends: Ends) -> None:
    ends.server.respond_late()
    response = http.client.HTTPResponse(ends.client)
    response.begin()
    assert response.status == 408
    assert response.headers["Connection"] == "close"
    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(response.read()) == {"error": "The request did not arrive in time."}


def test_late_client_that_has_gone_is_no_error(ends: Ends) -> None:
    ends.client.close()
    ends.server.respond_late()


def test_connection_is_closed_when_the_client_has_closed(ends: Ends) -> None:
    ends.client.sendall(b"the rest of a body")
    assert not ends.server.close_politely()
    assert ends.server.is_closing
    assert ends.client.recv(100) == b""
    ends.client.sendall(b"more")
    assert not ends.server.close_politely()
    ends.client.close()
    wait_until(ends.server.close_politely, "the end of the client")


def test_connection_is_closed_if_the_client_does_not(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_LINGER", 0.0)
    ends.server.expect_request(0.0)  # and is late
    assert ends.server.close_politely()
    assert ends.server.recv(100) == b""  # gunicorn, which waits for the client, has its end


def test_connection_that_broke_is_closed(ends: Ends) -> None:
    ends.server.shutdown(socket.SHUT_RDWR)
    ends.server.detach()
    assert ends.server.close_politely()
