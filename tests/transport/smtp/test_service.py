"""When the mail server last bore a connection of this process, which its heartbeat says."""

import pytest
from pytest_django import Settings

from meetings.transport.send import close_kept_connections, say_served_ago, wait_for_news
from meetings.transport.smtp.service import Service
from tests.support.servers.smtp_server import TOO_MANY_CONNECTIONS, ScriptedSMTP
from tests.transport.smtp.wire import deliver


def test_process_without_any_connection_so_far_was_never_served(smtp_server: ScriptedSMTP) -> None:
    assert say_served_ago() is None
    smtp_server.scripts["banner"] = TOO_MANY_CONNECTIONS
    deliver(smtp_server)
    assert say_served_ago() is None
    assert not wait_for_news(0)


def test_process_is_served_for_as_long_as_it_has_a_connection(
    smtp_server: ScriptedSMTP, seconds: list[float]
) -> None:
    deliver(smtp_server)
    seconds[0] += 5
    assert say_served_ago() == 0
    close_kept_connections()
    seconds[0] += 5
    assert say_served_ago() == 5


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, which a test moves on."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_heart_beats_where_what_it_has_said_is_old(
    seconds: list[float], settings: Settings
) -> None:
    settings.MEETINGS_LEASE = 30.0
    service = Service()
    service.note_opened()
    assert service.wait_for_news(0)
    assert service.say() == 0
    seconds[0] += 1
    service.note_opened()
    assert not service.wait_for_news(0)
    seconds[0] += 9
    assert service.say() == 9
    service.note_opened()
    assert service.wait_for_news(0)


def test_heart_waits_for_the_next_news_after_the_last(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    assert wait_for_news(0)
    assert not wait_for_news(0)
