"""When the mail server last bore a connection of this process, which its heartbeat says."""

import math
import threading
import time

from django.conf import settings


class Service:
    """The moment of the last connection, and whether there is one again after a while."""

    def __init__(self) -> None:
        self._last_at = -math.inf
        self._is_there_again = threading.Event()

    @property
    def ago(self) -> float | None:
        """How many seconds ago it was; None for never."""
        return None if math.isinf(self._last_at) else time.monotonic() - self._last_at

    def note(self) -> None:
        """Note that there is a connection now."""
        now = time.monotonic()
        if now - self._last_at > settings.MEETINGS_LEASE / 3:  # no heartbeat has said it
            self._is_there_again.set()
        self._last_at = now

    def wait_until_there_again(self, seconds: float) -> bool:
        """Return whether there is one within so many seconds, the first after a while."""
        is_there_again = self._is_there_again.wait(seconds)
        self._is_there_again.clear()
        return is_there_again
