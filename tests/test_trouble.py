import logging

import pytest

from meetings import trouble


def test_kind_of_trouble_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    for text in ("first", "second"):
        trouble.report("mail server", text)
    trouble.report("database", "third", level=logging.WARNING)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("ERROR", "first"),
        ("WARNING", "third"),
    ]


def test_trouble_is_logged_again_after_the_interval(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trouble, "INTERVAL", 0.0)
    for text in ("first", "second"):
        trouble.report("mail server", text)
    assert caplog.messages == ["first", "second"]
