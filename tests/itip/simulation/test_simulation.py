"""20,000 random conversations end with every calendar right, whatever the mail server did.

A failure names its history and its delivery. The same numbers make the same conversation again.
"""

from random import Random

import pytest

from tests.itip.simulation.conversation import Conversation
from tests.itip.simulation.histories import History, make_history

PARTS, HISTORIES, DELIVERIES = 8, 1600, 13


@pytest.mark.parametrize("part", range(PARTS))
def test_every_calendar_shows_what_is_stored(part: int) -> None:
    for number in range(part, HISTORIES, PARTS):
        history = make_history(Random(number))  # noqa: S311
        for delivery in range(DELIVERIES):
            try:
                converse(history, number, delivery)
            except AssertionError as error:
                error.add_note(f"in history {number}, delivery {delivery}")
                raise


def converse(history: History, number: int, delivery: int) -> None:
    Conversation(Random(f"{number} {delivery}")).run(history)  # noqa: S311
