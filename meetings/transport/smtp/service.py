"""When the mail server last bore a connection of this process, which its heartbeat says."""

import math
import threading
import time

from django.conf import settings


class Service:
    """The moment of the last connection, what was said of it, and whether more is to be said."""

    def __init__(self) -> None:
        self._last_at = self._said = -math.inf
        self._is_news = threading.Event()

    def note(self) -> None:
        """Note that there is a connection now."""
        self._last_at = time.monotonic()

    def note_opened(self) -> None:
        """Note that one was opened, and have the heart beat, if what it has said is old.

        A heartbeat comes after a third of the lease at most. With a fifteenth, what it said of a
        connection that is there is never older than two fifths, which others take for lately.
        """
        self.note()
        if self._last_at - self._said > settings.MEETINGS_LEASE / 15:
            self._is_news.set()

    def say(self) -> float | None:
        """Return how many seconds ago it was, for the heart to say; None for never."""
        self._said = self._last_at
        return None if math.isinf(self._said) else time.monotonic() - self._said

    def wait_for_news(self, seconds: float) -> bool:
        """Return whether there is more to be said within so many seconds."""
        is_news = self._is_news.wait(seconds)
        self._is_news.clear()
        return is_news
