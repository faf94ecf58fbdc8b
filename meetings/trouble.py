"""One loud log line a minute for each kind of trouble, not one per message."""

import logging
import threading
import time

logger = logging.getLogger("meetings")

INTERVAL = 60.0

_lock = threading.Lock()
_last: dict[str, float] = {}


def report(kind: str, text: str, *, level: int = logging.ERROR) -> None:
    """Log ``text``, unless this process did so for the same ``kind`` in the last INTERVAL seconds."""
    now = time.monotonic()
    with _lock:
        due = kind not in _last or now - _last[kind] >= INTERVAL
        if due:
            _last[kind] = now
    if due:
        logger.log(level, "%s", text)


def forget() -> None:
    """Let the next alarm of every kind be logged, however soon it comes."""
    with _lock:
        _last.clear()
