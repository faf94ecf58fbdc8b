"""Log lines about trouble that comes back with every mail: one a minute for each kind of it.

The first of a kind is logged at once. What follows within INTERVAL is counted, and one line at its
end says how much it was. No line has a mail address: what looks like one is masked.
"""

import atexit
import contextlib
import logging
import os
import re
import threading
import time
from dataclasses import dataclass
from typing import Final

logger = logging.getLogger("meetings")

INTERVAL: Final = 60.0
"""Seconds."""

_PART = r"[^\s@<>()\[\]\\,;:\"]+"  # of an address: what no punctuation around it has
_ADDRESS = re.compile(rf'(?:"[^"]*"|{_PART})(?:@|%40)(?:\[[^\]\s]*\]|{_PART})', re.IGNORECASE)

_lock = threading.Lock()
_now = time.monotonic


@dataclass(slots=True)
class _Silence:
    """What is not logged after a line: until ``ends_at`` its kind is only counted."""

    text: str
    level: int
    ends_at: float
    count: int = 0
    timer: threading.Timer | None = None

    def log_count(self) -> None:
        line = "%s … %d more in the last %g s"
        logger.log(self.level, line, self.text, self.count, INTERVAL)


_silences: dict[str, _Silence] = {}


def report(kind: str, text: str, *, level: int = logging.ERROR, count: int = 1) -> None:
    """Log ``text``, or count it if this process has a line of the same ``kind`` of late.

    ``count`` is how many things the text stands for, such as recipients; 0 where a line alone says
    it, and none is to say how often. Mail addresses in the text become ``***``: a mail server may
    name a user in any reply.
    """
    text = _ADDRESS.sub("***", text)
    with _lock:
        silence = _silences.get(kind)
        # One that has counted something ends with its line, even if that is late.
        if silence and (silence.count or _now() < silence.ends_at):
            silence.count += count
            silence.level = max(silence.level, level)
            if count:
                _start_timer(kind, silence)
            return
        _silences[kind] = _Silence(text, level, _now() + INTERVAL)
    logger.log(level, "%s", text)


def _start_timer(kind: str, silence: _Silence) -> None:
    """A thread for each kind, which lives only while something is counted."""
    if silence.timer:
        return
    timer = threading.Timer(max(0.0, silence.ends_at - _now()), _end, (kind, silence))
    timer.name = f"count of trouble: {kind}"
    timer.daemon = True
    # A process that ends starts no thread any more. The line is logged at its end.
    with contextlib.suppress(RuntimeError):
        timer.start()
        silence.timer = timer


def _end(kind: str, silence: _Silence) -> None:
    with _lock:
        if _silences.get(kind) is not silence:
            return
        # This line is the next minute's first.
        _silences[kind] = _Silence(silence.text, silence.level, _now() + INTERVAL)
    silence.log_count()


def log_counts() -> None:
    """Log now what is counted, as at the end of the process."""
    with _lock:
        silences = list(_silences.items())
    for kind, silence in silences:
        if silence.timer:
            silence.timer.cancel()
        if silence.count:
            _end(kind, silence)


def forget() -> None:
    """Log the next line of each kind at once. What is counted is lost."""
    with _lock:
        for silence in _silences.values():
            if silence.timer:
                silence.timer.cancel()
        _silences.clear()


def _begin_anew() -> None:
    """In a child process: what the parent has counted the parent logs, and no timer came along."""
    _silences.clear()
    _lock.release()


atexit.register(log_counts)
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_begin_anew)
