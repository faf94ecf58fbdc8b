"""A long line to a mail server: a proxy that delays what passes it, in either direction.

    python -m tests.bench.line 2525

All is done in one thread, which sleeps until the next bytes are due.
"""

import asyncio
import sys
from typing import cast

from tests.support.servers.smtp_server import ScriptedSMTP

DELAY = 0.01  # seconds


class End(asyncio.Protocol):
    """One end of a connection. What arrives here leaves at the ``other`` end, DELAY later."""

    def __init__(self, other: "End | None" = None) -> None:
        self.other = other

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        assert self.other is not None
        asyncio.get_running_loop().call_later(DELAY, self.other.transport.write, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            asyncio.get_running_loop().call_later(DELAY, self.other.transport.close)


class Near(End):
    """The end at the service. Nothing is read before the far end is there."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self.connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, self.other = await loop.create_connection(
            lambda: End(self), ScriptedSMTP.host, self.port
        )
        self.transport.resume_reading()


async def main(port: int) -> None:
    """Carry connections to the mail server at ``port`` until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Near(port), ScriptedSMTP.host, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
