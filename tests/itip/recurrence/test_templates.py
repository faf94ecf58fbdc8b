"""A day that some months lack is detected, because Outlook moves it (interop R8)."""

import pytest

from meetings.itip.recurrence.templates import lacks_day_in_some_month
from tests.itip.recurrence.rules import SATURDAY
from tests.support.recurrences import rule_in


@pytest.mark.parametrize(
    ("parts", "is_lacking"),
    [
        ({"FREQ": "MONTHLY", "BYMONTHDAY": 28}, False),
        ({"FREQ": "MONTHLY", "BYMONTHDAY": 29}, True),
        ({"FREQ": "MONTHLY", "BYMONTHDAY": 31}, True),
        ({"FREQ": "MONTHLY", "BYMONTHDAY": -1}, False),
        ({"FREQ": "YEARLY", "BYMONTHDAY": 29, "BYMONTH": 2}, True),
        ({"FREQ": "YEARLY", "BYMONTHDAY": 31, "BYMONTH": 8}, False),
        ({"FREQ": "MONTHLY"}, True),
    ],
)
def test_day_that_some_months_lack_is_detected(parts: dict[str, object], is_lacking: bool) -> None:
    rule = rule_in({"COUNT": 2, **parts}, SATURDAY)
    assert rule
    assert lacks_day_in_some_month(rule) is is_lacking
