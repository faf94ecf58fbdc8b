"""What a refusal looks like in a terminal."""

import pytest
from django.core.management.base import CommandError
from django.db import OperationalError

from meetings.itip.errors import ZoneNotExpressible
from meetings.management.report import refusals_as_command_errors
from meetings.operations.steps.errors import Conflict, UnknownMeeting


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UnknownMeeting("meeting-1"), "No meeting has the uid meeting-1."),
        (Conflict("uid", "This meeting is over."), "This meeting is over."),
        (ZoneNotExpressible("No rule fits."), "No rule fits."),
        (OperationalError("no route to host"), "The database is unavailable: no route to host"),
    ],
)
def test_each_refusal_becomes_a_command_error(error: Exception, sentence: str) -> None:
    with pytest.raises(CommandError) as raised, refusals_as_command_errors():
        raise error
    assert str(raised.value) == sentence
