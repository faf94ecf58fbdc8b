"""Mail servers, each in a process of its own.

    python -m tests.bench.sink quick

KINDS has their names.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.bench.elsewhere import listening
from tests.support.servers.smtp_conversation import Slow, Step
from tests.support.servers.smtp_server import DEFAULTS, HANG, ScriptedSMTP

SLOW_READER = "slow@example.org"
SECONDS = 4.0  # for each mail to that reader


def mail_server(kind: str = "quick") -> AbstractContextManager[int]:
    """Start one. Its port on loopback."""
    return listening("tests.bench.sink", kind)


def _slow_for_one(mail: str) -> Step:
    return Slow(DEFAULTS["dot"], SECONDS) if SLOW_READER in mail else DEFAULTS["dot"]


def _pipelining() -> ScriptedSMTP:
    server = ScriptedSMTP()
    server.extensions += ("PIPELINING",)
    return server


KINDS: dict[str, Callable[[], ScriptedSMTP]] = {
    "quick": ScriptedSMTP,
    "pipelining": _pipelining,
    "slow for one": lambda: ScriptedSMTP(dot=_slow_for_one),
    "hanging": lambda: ScriptedSMTP(banner=HANG),
}

if __name__ == "__main__":
    with KINDS[sys.argv[1]]() as server:
        print(server.port, flush=True)
        sys.stdin.read()
