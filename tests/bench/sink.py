"""A mail server in a process of its own, so that its work is not taken for the service's.

    python -m tests.bench.sink

It writes its port, and ends with its standard input.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.servers.processes import PROJECT
from tests.support.servers.smtp_server import ScriptedSMTP


@contextmanager
def mail_server() -> Iterator[int]:
    """Start it. Its port on loopback."""
    command = [sys.executable, "-m", "tests.bench.sink"]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.stdin.close()


if __name__ == "__main__":
    with ScriptedSMTP() as server:
        print(server.port, flush=True)
        sys.stdin.read()
