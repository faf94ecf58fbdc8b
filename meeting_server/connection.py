"""A client's connection. A request has to arrive in time, however slowly its bytes come.

gunicorn reads each request in a thread and waits without limit for the next bytes. A few clients
that send theirs slowly, or not at all, would take all threads.
"""

import contextlib
import json
import logging
import math
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Final, Self

from meetings import trouble

PROMPT: Final = 1.0
"""Seconds that any request may take to arrive. A slower one needs one of the places for such."""
_LINGER: Final = 2.0  # seconds in which a client is to close its end
_GULP: Final = 65_536  # bytes
_GULPS: Final = 16  # in one go: no client keeps a thread by sending fast

STATUS: Final = "408 Request Timeout"
BODY: Final = json.dumps({"error": "The request did not arrive in time."}).encode()
HEADERS: Final = (("Content-Type", "application/json"), ("Content-Length", str(len(BODY))))

_now = time.monotonic


class Late(BaseException):
    """The request did not arrive in time.

    It is no Exception, so that no layer on the way takes it for an error of the application, which
    it would log with a traceback, or for a form without its fields.
    """


class Connection(socket.socket):
    """Reads bytes of a request as long as its time lasts. Raises Late then.

    ``places`` is shared by the connections of a process: so many of them may take longer than
    PROMPT at once.
    """

    on_late: Callable[[], None] | None = None
    _places: threading.Semaphore
    _prompt_until = _late_at = _closed_by = math.inf
    _paused_at: float | None = None
    _is_request = True

    @classmethod
    def of(cls, accepted: socket.socket, places: threading.Semaphore) -> Self:
        """The same connection. ``accepted`` is no connection any more."""
        connection = cls(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        connection._places = places
        return connection

    def expect_request(self, seconds: float) -> None:
        """The next request begins here, and has to arrive within ``seconds``."""
        self._expect(seconds, is_request=True)

    def expect_rest(self) -> None:
        """The request has its response. What is left of its body is read for a moment only.

        ``recv`` then raises TimeoutError.
        """
        self._expect(PROMPT, is_request=False)

    def _expect(self, seconds: float, *, is_request: bool) -> None:
        now = _now()
        self._prompt_until = now + min(PROMPT, seconds)
        self._late_at = now + seconds
        self._paused_at = None
        self._is_request = is_request

    def pause(self) -> None:
        """The time until ``recv`` is called again is the application's, and does not count."""
        self._paused_at = _now()

    def _resume(self, now: float) -> None:
        if self._paused_at is not None:
            self._prompt_until += now - self._paused_at
            self._late_at += now - self._paused_at
            self._paused_at = None

    @property
    def is_closing(self) -> bool:
        """Whether ``close_politely`` was called."""
        return self._closed_by < math.inf

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Like ``socket.recv``, but only until the request's time is over."""
        if self.is_closing:
            return super().recv(size, flags)
        now = _now()
        self._resume(now)
        while now < self._late_at:  # also where there is always a byte
            try:
                return super().recv(size, flags | socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._wait()
            now = _now()
        raise self._given_up()

    def _wait(self) -> None:
        """Until something can be read."""
        if self._is_readable_by(self._prompt_until):
            return
        if not self._places.acquire(blocking=False):
            raise self._given_up()
        try:
            self._is_readable_by(self._late_at)
        finally:
            self._places.release()

    def _given_up(self) -> BaseException:
        if not self._is_request:
            return TimeoutError()
        trouble.report("slow request", "A request did not arrive in time.", level=logging.WARNING)
        if self.on_late:
            self.on_late()
        return Late()

    def _is_readable_by(self, moment: float) -> bool:
        poll = select.poll()  # select() refuses descriptors from 1024 on
        poll.register(self, select.POLLIN)
        left = moment - _now()
        return left > 0 and bool(poll.poll(math.ceil(left * 1000)))

    def respond_late(self) -> None:
        """The response to a request whose headers did not arrive."""
        lines = [f"HTTP/1.1 {STATUS}", "Connection: close", *map(": ".join, HEADERS), "", ""]
        with contextlib.suppress(OSError):
            self.sendall("\r\n".join(lines).encode() + BODY)

    def close_politely(self) -> bool:
        """Say that nothing more comes. Return whether the client has closed its end, too.

        As long as it has not, call this again when there is something to read: it is thrown away.
        If the connection went at once, the client could lose the response (RFC 9112 §9.6). The
        client has two seconds.
        """
        try:
            if not self.is_closing:
                self._closed_by = _now() + _LINGER
                self.shutdown(socket.SHUT_WR)
            is_over = self._is_at_end() or _now() >= self._closed_by
        except OSError:
            is_over = True
        if is_over:
            with contextlib.suppress(OSError):
                self.shutdown(socket.SHUT_RD)  # gunicorn's close then waits for nothing
        return is_over

    def _is_at_end(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            for _ in range(_GULPS):
                if not super().recv(_GULP, socket.MSG_DONTWAIT):
                    return True
        return False
