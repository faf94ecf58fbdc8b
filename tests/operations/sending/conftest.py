"""Fixtures of what is sent."""

from collections.abc import Iterator

import pytest

from meetings.models.outbox.state import ALL_WELL
from meetings.operations.steps.sending import mail_server as known


@pytest.fixture
def knows_nothing_of_others(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test has taught this process is forgotten."""
    monkeypatch.setattr(known, "_replied_at", None)
    monkeypatch.setattr(known, "_told_others_at", -known._PATIENCE)
    yield
    known.note(ALL_WELL)
