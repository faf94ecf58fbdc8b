"""The body of the calls, and how time is taken."""

import time
from collections.abc import Callable

BODY = {
    "operation": "send",
    "start": "2027-03-01 10:00",
    "end": "2027-03-01 11:00",
    "timezone": "America/New_York",
    "sender": "Alice <alice@example.com>",
    "receiver": {"required": [f"Person {number} <p{number}@example.org>" for number in range(5)]},
    "subj": "会议测试 weekly review",
    "description": "欢迎参加会议！",
    "location": "7F会议室",
    "repeat": {"FREQ": "WEEKLY", "COUNT": 52, "BYDAY": "MO"},
}


def milliseconds(action: Callable[[int], object], times: int) -> float:
    """Mean wall-clock time of ``action(n)``, after a tenth as many calls to warm up."""
    for number in range(times // 10):
        action(-1 - number)
    begin = time.perf_counter()
    for number in range(times):
        action(number)
    return (time.perf_counter() - begin) * 1000 / times
