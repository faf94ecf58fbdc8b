"""gunicorn's worker with threads. No client takes one of its threads by being slow.

It overrides methods of gunicorn's worker, some of which are not documented. requirements.txt names
the version that this was written for.
"""

import threading
from typing import Any

from django.conf import settings
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from meeting_server.connection import Connection, Late

_LONGEST_REST = 65_536  # bytes: beyond it a new connection is cheaper


class WebWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Reads requests only while their time lasts, and waits in no thread for what a client does.

    TLS is not gunicorn's here. Connections with it are gunicorn's own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = threading.Semaphore(max(1, self.cfg.threads // 4))

    def handle(self, conn: TConn) -> object:
        """Serve one request in a thread. The return value tells gunicorn what is next."""
        if self.cfg.is_ssl:
            return super().handle(conn)
        if not isinstance(conn.sock, Connection):
            conn.sock = Connection.of(conn.sock, self._places)
        if conn.sock.is_closing:
            return self._close(conn.sock)
        # gunicorn would wait for five seconds in this thread. The main thread can wait as well.
        if not conn.initialized and not conn.data_ready and not conn.wait_for_data(0):
            return _DEFER
        return self._serve(conn) or self._close(conn.sock)

    def _serve(self, conn: TConn) -> object:
        conn.sock.expect_request(settings.MEETINGS_BODY_TIMEOUT)
        try:
            return super().handle(conn)
        except Late:
            conn.sock.respond_late()
            return False

    def _close(self, connection: Connection) -> object:
        """gunicorn would wait up to two seconds in its main thread, which accepts connections."""
        if connection.close_politely() or not self.alive:
            return False
        return _DEFER  # until there is something to read

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Let the application respond. Return whether the connection can serve another request."""
        if isinstance(conn.sock, Connection):
            conn.sock.on_late = req.force_close
            conn.sock.pause()
        return bool(super().handle_request(req, conn))

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """gunicorn's own deadline starts anew with every byte."""
        if not isinstance(conn.sock, Connection):
            return bool(super()._keepalive_after(conn, keepalive))
        conn.sock.expect_rest()
        return keepalive and bool(conn.parser.finish_body(max_bytes=_LONGEST_REST))
