"""When the mail server last bore a connection of this process, which its heartbeat says."""

import pytest
from pytest_django import Settings

from meetings.transport.send import close_kept_connections, served_ago, wait_until_served_again
from meetings.transport.smtp.service import Service
from tests.support.servers.smtp_server import TOO_MANY_CONNECTIONS, ScriptedSMTP
from tests.transport.smtp.wire import deliver


def test_process_without_any_connection_so_far_was_never_served(smtp_server: ScriptedSMTP) -> None:
    assert served_ago() is None
    smtp_server.scripts["banner"] = TOO_MANY_CONNECTIONS
    deliver(smtp_server)
    assert served_ago() is None
    assert not wait_until_served_again(0)


def test_process_is_served_for_as_long_as_it_has_a_connection(smtp_server: ScriptedSMTP) -> None:
    deliver(smtp_server)
    assert served_ago() == 0
    close_kept_connections()
    ago = served_ago()
    assert ago is not None
    assert ago > 0


def test_heart_beats_at_the_first_connection_after_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEETINGS_LEASE = 30.0
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    service = Service()
    beats = []
    for seconds in (0, 9, 9, 11):
        clock[0] += seconds
        service.note()
        beats.append(service._is_there_again.is_set())
        service._is_there_again.clear()
    assert beats == [True, False, False, True]


def test_wait_for_a_connection_ends_with_it_and_the_next_begins_anew(
    smtp_server: ScriptedSMTP,
) -> None:
    deliver(smtp_server)
    assert wait_until_served_again(0)
    assert not wait_until_served_again(0)
