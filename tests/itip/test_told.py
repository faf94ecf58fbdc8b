"""What a person was told: how single occurrences are named, and what unknown ends make of it."""

from datetime import UTC, datetime, timedelta

import pytest

from meetings.itip.message import Method
from meetings.itip.told import Person, RecurrenceId, ToldOccurrence
from tests.itip.situations import SECOND, THIRD, bob, row
from tests.support.cast import BOB, meeting

LATER = datetime(2027, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (RecurrenceId(SECOND, "Asia/Shanghai"), "TZID=Asia/Shanghai:20270308T100000"),
        (RecurrenceId(datetime(2027, 3, 8)), "VALUE=DATE:20270308"),
    ],
)
def test_recurrence_id_is_written_and_read_as_in_a_calendar(
    identity: RecurrenceId, text: str
) -> None:
    assert str(identity) == text
    assert RecurrenceId.from_text(text) == identity


@pytest.mark.parametrize("text", ["", "20270308T100000", "TZID=Asia/Shanghai:2027", "VALUE=DATE:x"])
def test_other_text_is_no_recurrence_id(text: str) -> None:
    with pytest.raises(ValueError, match="does not match format"):
        RecurrenceId.from_text(text)


def test_recurrence_id_is_that_of_the_event() -> None:
    all_day = meeting(all_day=True, start=datetime(2027, 3, 1), end=datetime(2027, 3, 2))
    assert RecurrenceId.of(meeting(), SECOND) == RecurrenceId(SECOND, "Asia/Shanghai")
    assert RecurrenceId.of(all_day, datetime(2027, 3, 8)) == RecurrenceId(datetime(2027, 3, 8))


def test_recurrence_ids_of_two_zones_differ_and_may_be_the_same_instant() -> None:
    shanghai = RecurrenceId(SECOND, "Asia/Shanghai")
    tokyo = RecurrenceId(SECOND + timedelta(hours=1), "Asia/Tokyo")
    assert shanghai != tokyo
    assert shanghai.instant(shanghai.when) == tokyo.instant(tokyo.when)


@pytest.mark.parametrize(
    ("told", "stands", "knows_request", "knows_cancel"),
    [
        ("REQUEST 3", True, True, False),
        ("REQUEST 3 possible", True, False, False),
        ("REQUEST 2", True, False, False),
        ("CANCEL 3", False, False, True),
        ("CANCEL 3 possible", True, False, False),
    ],
)
def test_what_is_possible_stands_and_is_not_known(
    told: str, stands: bool, knows_request: bool, knows_cancel: bool
) -> None:
    of_one = row(SECOND, told)
    assert of_one.stands is stands
    assert of_one.knows(Method.REQUEST, 3) is knows_request
    assert of_one.knows(Method.CANCEL) is knows_cancel


def test_certain_request_is_that_of_the_whole() -> None:
    assert bob("REQUEST 3").certain_request == 3
    for told in ("", "possible", "REQUEST 3 possible", "CANCEL 3"):
        assert bob(told).certain_request == -1


def test_person_was_told_once_any_message_may_have_arrived() -> None:
    assert not Person(attendee=BOB).was_told
    for person in (bob("CANCEL 1"), bob("possible"), bob("", row(SECOND, "CANCEL 1"))):
        assert person.was_told


# Unknown ends


def test_unknown_request_of_the_whole_makes_occurrences_possible() -> None:
    before = bob("REQUEST 1", row(SECOND, "REQUEST 2 alone"), row(THIRD, "CANCEL 2"))
    assert before.after_unknown(Method.REQUEST) == bob(
        "REQUEST 1 possible",
        row(SECOND, "REQUEST 2 possible alone"),
        row(THIRD, "CANCEL 2 possible"),
    )


def test_unknown_cancel_of_the_whole_leaves_occurrences() -> None:
    before = bob("REQUEST 1", row(SECOND, "REQUEST 2 alone"), row(THIRD, "CANCEL 2 possible"))
    assert before.after_unknown(Method.CANCEL) == bob("REQUEST 1 possible", *before.occurrences)


@pytest.mark.parametrize(
    ("before", "unknown", "after"),
    [
        (None, "REQUEST 5", "REQUEST 5 possible alone"),
        (None, "CANCEL 5", "CANCEL 5 possible"),
        ("CANCEL 4", "REQUEST 5", "REQUEST 5 possible alone"),
        ("REQUEST 4 alone", "CANCEL 5", "CANCEL 5 possible alone"),
        ("CANCEL 4 alone", "CANCEL 5", "CANCEL 5 possible alone"),
    ],
)
def test_unknown_message_of_an_occurrence_is_possible(
    before: str | None, unknown: str, after: str
) -> None:
    rows: list[ToldOccurrence] = [row(SECOND, before)] if before else []
    person = bob("REQUEST 1", *rows).after_unknown(row(SECOND, unknown))
    assert person == bob("REQUEST 1", row(SECOND, after))


def test_occurrence_keeps_the_latest_end_that_was_told() -> None:
    before = bob("", row(SECOND, "REQUEST 4 alone", ends_at=LATER))
    [after] = before.after_unknown(row(SECOND, "REQUEST 5")).occurrences
    assert (after.sequence, after.ends_at) == (5, LATER)
