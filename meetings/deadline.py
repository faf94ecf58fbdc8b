"""A time limit. Every wait gets what is left of it."""

import time


class Deadline:
    """A point of the monotonic clock, ``seconds`` from now.

    ``step`` is the longest that one single wait may take, in seconds; None: as long as there is.
    """

    def __init__(self, seconds: float, *, step: float | None = None) -> None:
        self._end = time.monotonic() + seconds
        self.step = step

    @property
    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - time.monotonic())

    def wait(self) -> float:
        """Return how many seconds the next wait may take. Raises TimeoutError for none."""
        left = self.left
        if left <= 0:
            raise TimeoutError("the time allowed is over")
        return left if self.step is None else min(left, self.step)
