"""Log lines about trouble that comes back with every mail: one a minute for each kind of it."""

import logging
import threading
import time

logger = logging.getLogger("meetings")

INTERVAL = 60.0  # seconds

_lock = threading.Lock()
_reported_at: dict[str, float] = {}


def report(kind: str, text: str, *, level: int = logging.ERROR) -> None:
    """Log ``text``, unless this process logged the same ``kind`` within the last INTERVAL."""
    now = time.monotonic()
    with _lock:
        due = kind not in _reported_at or now - _reported_at[kind] >= INTERVAL
        if due:
            _reported_at[kind] = now
    if due:
        logger.log(level, "%s", text)
