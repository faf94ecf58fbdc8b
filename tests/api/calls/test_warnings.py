"""Each note of the protocol becomes a sentence for the caller."""

from datetime import datetime

import pytest

from meetings.api.calls.warnings import warning_of
from meetings.itip.message import Note, NoteKind
from meetings.itip.recurrence.rule import Frequency, Rule

RULE = Rule(freq=Frequency.MONTHLY, count=2, by_month_day=31)


@pytest.mark.parametrize("kind", NoteKind)
def test_each_note_has_a_sentence(kind: NoteKind) -> None:
    sentence = warning_of(Note(kind, start=datetime(2032, 3, 1, 10), rule=RULE))
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_moved_start_is_named_with_its_rule() -> None:
    note = Note(NoteKind.START_MOVED_TO_RULE, start=datetime(2032, 3, 1, 10), rule=RULE)
    assert warning_of(note) == (
        "repeat: the rule is unchanged, so the series starts at 2032-03-01 10:00:"
        " FREQ=MONTHLY;COUNT=2;BYMONTHDAY=31."
    )


def test_excluded_occurrences_are_named_by_their_days() -> None:
    days = (datetime(2032, 3, 8, 10), datetime(2032, 3, 15, 10))
    assert warning_of(Note(NoteKind.OVERRIDES_EXCLUDED, occurrences=days)) == (
        "repeat.EXDATE: these occurrences were changed alone. They are left out now, and their"
        " changes are dropped: 2032-03-08, 2032-03-15."
    )


def test_missing_day_is_named() -> None:
    assert "without a day 31" in warning_of(Note(NoteKind.DAY_NOT_IN_EVERY_MONTH, rule=RULE))
