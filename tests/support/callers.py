"""Programs that call a running server over HTTP."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.support.waiting import PATIENCE

PATH = "/meeting_server/"
JSON = {"Content-Type": "application/json"}
_PAUSE = 0.05  # between two tries to connect


@dataclass(frozen=True, slots=True)
class Response:
    """``status`` is 0 where the connection broke first. ``began`` is when the call was made."""

    began: float
    status: int
    body: dict[str, Any]


def post(
    port: int,
    body: dict[str, Any] | Iterator[bytes],
    headers: Mapping[str, str] | None = None,
    *,
    give_up_at: float | None = None,
) -> Response:
    """Call the server at ``port``; a ``body`` of several pieces goes in chunks.

    Where nothing listens the call has not begun. It is tried again until ``give_up_at``.
    """
    content = json.dumps(body) if isinstance(body, dict) else body
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    _connect(connection, give_up_at or time.monotonic() + PATIENCE)
    began = time.monotonic()
    try:
        with suppress(BrokenPipeError):  # it may have responded before it has read the whole body
            connection.request("POST", PATH, content, {**JSON, **(headers or {})})
        response = connection.getresponse()
        return Response(began, response.status, json.loads(response.read()))
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException):
        return Response(began, 0, {})
    finally:
        connection.close()


def _connect(connection: http.client.HTTPConnection, give_up_at: float) -> None:
    while time.monotonic() < give_up_at:
        try:
            connection.connect()
        except OSError:
            time.sleep(_PAUSE)
        else:
            return


def is_served(port: int) -> bool:
    """Whether a server responds there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", PATH)
        return connection.getresponse().status > 0
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
