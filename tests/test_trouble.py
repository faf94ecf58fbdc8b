import logging
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from meetings import trouble
from tests.support.servers.processes import PROJECT
from tests.support.waiting import wait_until


class Clock:
    """It stands still until a test sets it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(trouble, "_now", made)
    return made


def test_kind_of_trouble_is_logged_once_a_minute(
    caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    for text in ("first", "second"):
        trouble.report("mail server", text)
    trouble.report("database", "third", level=logging.WARNING)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("ERROR", "first"),
        ("WARNING", "third"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("no login of bob@example.org.", "no login of ***"),
        ("<bob@example.org>: 'o'bob+list@example.org'", "<***>: ***"),
        ('(张三@例子.cn) "bob smith"@[192.0.2.1], user%40example.org', "(***) ***, ***"),
        ("mail server 127.0.0.1:25: 5 mails @ noon", "mail server 127.0.0.1:25: 5 mails @ noon"),
    ],
)
def test_mail_addresses_are_masked(text: str, line: str, caplog: pytest.LogCaptureFixture) -> None:
    trouble.report("mail server", text)
    assert caplog.messages == [line]


def test_line_that_counts_nothing_is_not_followed_by_a_count(
    caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    for _ in range(2):
        trouble.report("mail server", "left alone", count=0)
    clock.now += trouble.INTERVAL
    trouble.log_counts()
    trouble.report("mail server", "left alone again", count=0)
    assert caplog.messages == ["left alone", "left alone again"]
    assert not [each for each in threading.enumerate() if each.name.startswith("count of")]


def test_trouble_is_logged_again_after_the_interval(
    caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    trouble.report("mail server", "first")
    clock.now += trouble.INTERVAL
    trouble.report("mail server", "second")
    assert caplog.messages == ["first", "second"]


def test_minute_of_trouble_ends_with_its_count(
    caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    trouble.report("refused", "A mail was refused.", level=logging.WARNING, count=40)
    clock.now += trouble.INTERVAL - 0.01  # the end is near by the real clock
    trouble.report("refused", "Another was refused.", level=logging.WARNING, count=559)
    wait_until(lambda: len(caplog.messages) > 1, "the line with the count")
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "A mail was refused."),
        ("WARNING", "A mail was refused. … 559 more in the last 60 s"),
    ]


def test_line_with_the_count_is_the_next_minutes_first(
    caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    for _ in range(3):
        trouble.report("refused", "Refused.")
    trouble.log_counts()
    trouble.report("refused", "Refused.")
    trouble.log_counts()
    assert caplog.messages == [
        "Refused.",
        "Refused. … 2 more in the last 60 s",
        "Refused. … 1 more in the last 60 s",
    ]
    clock.now += trouble.INTERVAL
    trouble.report("refused", "Refused.")
    assert caplog.messages[3:] == ["Refused."]


def test_count_has_the_gravest_level(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    trouble.report("refused", "Refused.", level=logging.WARNING)
    trouble.report("refused", "Refused.", level=logging.ERROR)
    trouble.log_counts()
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]


def test_count_that_comes_late_is_one_line(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    trouble.report("refused", "Refused.")
    trouble.report("refused", "Refused.")
    clock.now += trouble.INTERVAL  # and no timer has noticed
    trouble.report("refused", "Refused.")
    trouble.log_counts()
    assert caplog.messages == ["Refused.", "Refused. … 2 more in the last 60 s"]


def test_nothing_counted_is_no_line(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    trouble.report("refused", "Refused.")
    trouble.log_counts()
    assert caplog.messages == ["Refused."]


def timers() -> int:
    return sum(thread.name == "count of trouble: timed" for thread in threading.enumerate())


def test_only_what_is_counted_needs_a_thread(clock: Clock) -> None:
    trouble.report("timed", "Refused.")
    assert timers() == 0
    for _ in range(3):
        trouble.report("timed", "Refused.")
    assert timers() == 1
    trouble.forget()
    wait_until(lambda: timers() == 0, "the end of the thread")


def at_once(work: Callable[[], None]) -> None:
    """In eight threads."""
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_nothing_is_lost_among_threads(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    def report() -> None:
        for _ in range(500):
            trouble.report("refused", "Refused.")

    at_once(report)
    trouble.log_counts()
    assert caplog.messages == ["Refused.", "Refused. … 3999 more in the last 60 s"]


def test_count_is_logged_by_one_thread_only(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    for number in range(50):
        for _ in range(2):
            trouble.report(f"refused {number}", "Refused.")
    at_once(trouble.log_counts)
    assert len(caplog.messages) == 100


END = """
import logging
import os
import sys
from meetings import trouble

logging.basicConfig(format="%(message)s", stream=sys.stdout)
for _ in range(3):
    trouble.report("refused", "Refused.")
sys.stdout.flush()
if "fork" in sys.argv:
    if os.fork():
        os.wait()
    else:
        for _ in range(2):
            trouble.report("refused", "Refused in the child.")
"""


@pytest.mark.parametrize(
    ("argument", "lines"),
    [
        ("", ["Refused.", "Refused. … 2 more in the last 60 s"]),
        (
            "fork",
            [
                "Refused.",
                "Refused in the child.",
                "Refused in the child. … 1 more in the last 60 s",
                "Refused. … 2 more in the last 60 s",
            ],
        ),
    ],
    ids=["end", "fork"],
)
def test_process_logs_at_its_end_what_it_counted(argument: str, lines: list[str]) -> None:
    command = [sys.executable, "-W", "ignore", "-c", END, argument]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, check=True)
    assert ended.stdout.decode().splitlines() == lines
    assert not ended.stderr
