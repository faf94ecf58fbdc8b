"""Waiting for another process or thread. An event ends it, or a deadline that no machine meets."""

import time
from collections.abc import Callable

# Seconds: minutes beyond what any event takes, so that a busy machine is no failure.
PATIENCE = 240.0
_PAUSE = 0.02


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Look again and again until ``condition`` holds; ``what`` names it where it never does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE:g} s for: {what}")
        time.sleep(_PAUSE)
