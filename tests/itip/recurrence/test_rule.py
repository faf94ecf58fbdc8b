"""A rule and its text say the same (RFC 5545 §3.3.10)."""

import pytest
from hypothesis import given, settings

from meetings.itip.recurrence.rule import Frequency, Rule
from tests.itip.recurrence.rules import GOLDEN, rule, template_rules


@pytest.mark.parametrize("text", [text for text, *_ in GOLDEN.values()])
def test_rule_text_reads_back_as_same_rule(text: str) -> None:
    assert str(rule(text)) == text
    assert Rule.from_text(str(rule(text))) == rule(text)


def test_weekly_interval_is_written_with_wkst() -> None:
    every_other_week = Rule(freq=Frequency.WEEKLY, interval=2, count=3, by_day=("MO",))
    assert str(every_other_week) == "FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=MO;WKST=MO"


@settings(deadline=None)
@given(template_rules())
def test_every_template_rule_reads_back_from_text(wanted: Rule) -> None:
    assert Rule.from_text(str(wanted)) == wanted
