"""Clients that send a request slowly, or not at all, beside others."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Event, Thread

import pytest

from tests.e2e.conftest import Server
from tests.support.callers import is_served, post
from tests.support.servers.ports import free_port
from tests.support.waiting import PATIENCE, wait_until

MANY = 40  # clients. The server has 16 threads
# Without its cookie a form is refused before it is read.
FORM = (
    b"Host: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Cookie: csrftoken=" + b"t" * 32 + b"\r\n"
)
CALL = b"Host: 127.0.0.1\r\nContent-Type: application/json\r\n"
BEGINNINGS = {
    "nothing": b"",
    "headers": b"POST /admin/login/ HTTP/1.1\r\n" + FORM + b"X-Padding: ",
    "length": b"POST /admin/login/ HTTP/1.1\r\n" + FORM + b"Content-Length: 100000\r\n\r\n",
    "chunks": b"POST /admin/login/ HTTP/1.1\r\n"
    + FORM
    + b"Transfer-Encoding: chunked\r\n\r\n186a0\r\n",
    "call": b"POST /meeting_server/ HTTP/1.1\r\n" + CALL + b"Content-Length: 100000\r\n\r\n",
    "call in chunks": b"POST /meeting_server/ HTTP/1.1\r\n"
    + CALL
    + b"Transfer-Encoding: chunked\r\n\r\n186a0\r\n",
}
REFUSED = (
    b"POST /meeting_server/ HTTP/1.1\r\n"
    + CALL
    + b"Authorization: Api-Key wrong\r\nContent-Length: %d\r\n\r\n"
)


@pytest.fixture(scope="module")
def patient(server: Server) -> Iterator[int]:
    """The port of a server that waits for a request for an hour."""
    yield from _another(server, "web2", WEB_CONCURRENCY="1", MEETINGS_BODY_TIMEOUT="3600")


@pytest.fixture(scope="module")
def hasty(server: Server) -> Iterator[int]:
    """The port of a server that waits for a request for a second."""
    yield from _another(server, "web3", MEETINGS_BODY_TIMEOUT="1")


def _another(server: Server, name: str, **env: str) -> Iterator[int]:
    port = free_port()
    server.site.start(name, PORT=str(port), **env)
    wait_until(lambda: is_served(port), "another web server")
    yield port
    server.site.stop(name)


def connect(port: int, beginning: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), PATIENCE)
    client.sendall(beginning)
    return client


def response_to(client: socket.socket) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(client)
    response.begin()
    return response


def ends(client: socket.socket) -> bool:
    """Whether the server has closed the connection: at once, or it waits until it has."""
    try:
        while client.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


@contextmanager
def dripping(client: socket.socket) -> Iterator[None]:
    """Meanwhile it sends a byte now and then."""
    over = Event()

    def drip() -> None:
        with suppress(OSError):  # the server has closed the connection
            while not over.wait(0.05):
                client.sendall(b"a")

    thread = Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_others_are_served_beside_unfinished_requests(
    server: Server, patient: int, beginning: str
) -> None:
    with ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(connect(patient, BEGINNINGS[beginning]))
        page = http.client.HTTPConnection("127.0.0.1", patient, timeout=PATIENCE)
        page.request("GET", "/admin/login/")
        assert page.getresponse().status == 200
        page.close()
        call = {"operation": "cancel", "uid": "nobody sent it"}
        assert post(patient, call).status == 404


@pytest.mark.parametrize("beginning", [name for name in BEGINNINGS if name != "nothing"])
def test_dripping_request_gets_408(hasty: int, beginning: str) -> None:
    with connect(hasty, BEGINNINGS[beginning]) as client:
        with dripping(client):
            response = response_to(client)
        assert response.status == 408
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Connection"] == "close"
        assert json.loads(response.read()) == {"error": "The request did not arrive in time."}
        assert ends(client)


def test_client_that_sends_nothing_is_left(patient: int) -> None:
    with connect(patient, b"") as client:
        assert client.recv(100) == b""


def test_refused_request_is_not_waited_for(patient: int) -> None:
    with connect(patient, REFUSED % 100_000) as client, dripping(client):
        response = response_to(client)
        assert response.status == 401
        response.read()
        assert ends(client)


def test_response_reaches_who_still_sends_a_body_that_is_too_large(patient: int) -> None:
    size = 3 * 1024 * 1024
    head = b"POST /meeting_server/ HTTP/1.1\r\n" + CALL + b"Content-Length: %d\r\n\r\n"
    with connect(patient, head % size + b"x" * size) as client:
        response = response_to(client)
        assert response.status == 413
        assert json.loads(response.read())["error"]


def test_connection_serves_again_after_a_refused_body(patient: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", patient, timeout=PATIENCE)
    for _ in range(2):
        client.request("POST", "/meeting_server/", b"x" * 1000, {"Authorization": "Api-Key wrong"})
        connected = client.sock
        response = client.getresponse()
        assert response.status == 401
        response.read()
        assert client.sock is connected
    client.close()
