"""How a rate is written. ``tests/test_checks.py`` has what is refused."""

import pytest

from meetings.rate import Rate


@pytest.mark.parametrize(
    ("text", "calls", "seconds"),
    [
        ("600/min", 600, 60),
        ("5/s", 5, 1),
        ("5/sec", 5, 1),
        ("1000/hour", 1000, 3600),
        ("20000/day", 20_000, 86_400),
    ],
)
def test_rate_is_calls_in_a_window_of_seconds(text: str, calls: int, seconds: int) -> None:
    assert Rate.read(text) == Rate(calls=calls, seconds=seconds)
