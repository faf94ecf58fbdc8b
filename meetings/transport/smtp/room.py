"""How many connections the mail server bears from this process, as far as it has shown.

A server that limits connections never says how many it bears. It refuses one more. So the number
that it bore then is the limit, and after a while one more is tried.
"""

import math
import time

_TRIES_MORE_AFTER = 10.0  # seconds
_TRIES_MORE_MAILS_AFTER = 30.0  # seconds, where one more means that a mail is refused


class Room:
    """The limit of connections, in use and idle together, and since when none may begin."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._learned_at = 0.0
        self._grows_every = _TRIES_MORE_AFTER
        self._opens_at = -math.inf

    @property
    def closed_for(self) -> float:
        """Seconds until the next transaction may begin; 0 if it may now."""
        return max(0.0, self._opens_at - time.monotonic())

    @property
    def changes_in(self) -> float:
        """Seconds after which it may be more, or open."""
        return self.closed_for or self._grows_every

    def limit(self, most: int) -> int:
        """Return how many connections there may be now, ``most`` where no limit has shown."""
        if self._number is None:
            return most
        grown = int((time.monotonic() - self._learned_at) / self._grows_every)
        return min(most, self._number + grown)

    def learn(self, number: int, *, by_mail: bool = False) -> None:
        """Note that the server bore so many. ``by_mail``: it refused a mail, not a connection."""
        self._number = max(1, number)
        self._learned_at = time.monotonic()
        self._grows_every = _TRIES_MORE_MAILS_AFTER if by_mail else _TRIES_MORE_AFTER

    def close_for(self, seconds: float) -> None:
        """Let no transaction begin for so many seconds."""
        self._opens_at = time.monotonic() + seconds
