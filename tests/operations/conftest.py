"""The operations, called as the interfaces call them, on real PostgreSQL and a mail server on
loopback.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from meetings.deadline import Deadline
from meetings.itip.edit import Edit
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.resend import resend
from meetings.operations.send_meeting import send_meeting
from meetings.operations.steps.call import Actor, Cancel, Resend, Send, Update
from meetings.operations.update_meeting import update_meeting
from meetings.queries.standing import Standing
from tests.support.cast import meeting
from tests.support.smtp_server import ScriptedSMTP

Do = Callable[..., Standing]
TESTS = Actor(name="tests")


def deadline(budget: float | None) -> Deadline:
    return Deadline(settings.MEETINGS_TIME_BUDGET if budget is None else budget)


@pytest.fixture
def send(db: None, mail_server: ScriptedSMTP) -> Do:
    """Send Alice's meeting with these changes."""

    def do(*, budget: float | None = None, **changes: Any) -> Standing:
        command = Send(event=meeting(**changes), language="en")
        return send_meeting(command, TESTS, now=timezone.now(), deadline=deadline(budget))

    return do


@pytest.fixture
def update() -> Do:
    """Update the meeting with these changes."""

    def do(uid: str = "meeting-1", *, budget: float | None = None, **changes: Any) -> Standing:
        command = Update(uid=uid, edit=Edit(**changes))
        return update_meeting(command, TESTS, now=timezone.now(), deadline=deadline(budget))

    return do


@pytest.fixture
def cancel() -> Do:
    """Cancel the meeting."""

    def do(uid: str = "meeting-1", *, comment: str = "", budget: float | None = None) -> Standing:
        command = Cancel(uid=uid, reason=comment)
        return cancel_meeting(command, TESTS, now=timezone.now(), deadline=deadline(budget))

    return do


@pytest.fixture
def send_again() -> Do:
    """Resend the meeting's current version."""

    def do(uid: str = "meeting-1", **options: Any) -> Standing:
        command = Resend(uid=uid, **options)
        return resend(command, TESTS, now=timezone.now(), deadline=deadline(None))

    return do
