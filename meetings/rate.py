"""How many calls there may be in which time, such as ``600/min``."""

import re
from dataclasses import dataclass
from typing import Self

_RATE = re.compile(r"([1-9]\d*)/([smhd])[a-z]*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``calls`` in a window of this many ``seconds``."""

    calls: int
    seconds: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a number, a slash, and a word for s, m, h or d. Raises ValueError."""
        found = _RATE.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is not a rate")
        return cls(calls=int(found[1]), seconds=_SECONDS[found[2]])
