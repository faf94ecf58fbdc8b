"""The operations, called as the interfaces call them, on real PostgreSQL and a mail server on
loopback.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from meetings.models import Meeting
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.resend import resend
from meetings.operations.send_meeting import send_meeting
from meetings.operations.update_meeting import update_meeting
from meetings.queries.standing import Receipt
from tests.cast import meeting
from tests.smtp_server import ScriptedSMTP

Do = Callable[..., Receipt]


@pytest.fixture
def send(db: None, mail_server: ScriptedSMTP) -> Do:
    """Send Alice's meeting with these changes."""

    def do(*, budget: float | None = None, **changes: Any) -> Receipt:
        return send_meeting(
            wanted=meeting(**changes),
            key=None,
            asked_by="tests",
            language="en",
            now=timezone.now(),
            budget=settings.MEETINGS_TIME_BUDGET if budget is None else budget,
        )

    return do


@pytest.fixture
def update() -> Do:
    """Update the meeting with these changes."""

    def do(uid: str = "meeting-1", *, budget: float | None = None, **changes: Any) -> Receipt:
        return update_meeting(
            uid=uid,
            among=Meeting.objects.all(),
            change=lambda held: replace(held, **changes),
            asked_by="tests",
            language=None,
            now=timezone.now(),
            budget=settings.MEETINGS_TIME_BUDGET if budget is None else budget,
        )

    return do


@pytest.fixture
def cancel() -> Do:
    """Cancel the meeting."""

    def do(uid: str = "meeting-1", *, comment: str = "", budget: float | None = None) -> Receipt:
        return cancel_meeting(
            uid=uid,
            among=Meeting.objects.all(),
            asked_by="tests",
            now=timezone.now(),
            budget=settings.MEETINGS_TIME_BUDGET if budget is None else budget,
            comment=comment,
        )

    return do


@pytest.fixture
def send_again() -> Do:
    """Resend the meeting's current version."""

    def do(uid: str = "meeting-1", **options: Any) -> Receipt:
        return resend(
            uid=uid,
            among=Meeting.objects.all(),
            now=timezone.now(),
            budget=settings.MEETINGS_TIME_BUDGET,
            **options,
        )

    return do
