"""An edit changes a stored event or makes a new one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from meetings.itip.edit import Edit, apply, new_event
from meetings.itip.errors import InvalidProperty
from meetings.itip.event import Event, Override
from meetings.itip.message import NoteKind
from meetings.itip.moment import Moment
from meetings.itip.occurrence import split
from meetings.itip.recurrence.parts import RuleParts
from meetings.itip.recurrence.rule import Frequency
from tests.support.cast import ALICE, BOB, CAROL, MONDAYS, meeting

MARCH_1, MARCH_8, MARCH_9 = (datetime(2027, 3, day, 10) for day in (1, 8, 9))


def at(start: datetime) -> Edit:
    return Edit(start=Moment(start), end=Moment(start + timedelta(hours=1)))


def kinds(edit: Edit, stored: Event) -> list[NoteKind]:
    return [note.kind for note in apply(edit, stored).notes]


def test_empty_edit_changes_nothing() -> None:
    assert apply(Edit(), meeting()).event == meeting()


def test_given_text_replaces_only_itself() -> None:
    edited = apply(Edit(summary="New", location=""), meeting()).event
    assert (edited.summary, edited.location, edited.description) == ("New", "", "Bring numbers.")
    assert edited.attendees == (BOB, CAROL)


def test_none_removes_the_reminder() -> None:
    assert apply(Edit(reminder=None), meeting(reminder=15)).event.reminder is None


def test_new_event_has_zone_of_caller() -> None:
    edit = Edit(
        summary="Lunch",
        start=Moment(MARCH_1),
        end=Moment(MARCH_1 + timedelta(hours=1)),
        attendees=(BOB,),
    )
    event = new_event(edit, uid="1", organizer=ALICE, tzid="Europe/Berlin").event
    assert (event.tzid, event.start, event.organizer) == ("Europe/Berlin", MARCH_1, ALICE)


def test_instant_becomes_wall_clock_time_of_zone() -> None:
    at_noon_in_tokyo = datetime(2027, 3, 1, 12, tzinfo=timezone(timedelta(hours=9)))
    edit = Edit(start=Moment(at_noon_in_tokyo), end=Moment(datetime(2027, 3, 1, 4, tzinfo=UTC)))
    edited = apply(edit, meeting()).event
    assert (edited.start.hour, edited.end.hour) == (11, 12)


def test_all_day_end_is_the_last_day() -> None:
    day = Moment(datetime(2027, 3, 1), is_date=True)
    edited = apply(Edit(start=day, end=day), meeting()).event
    assert edited.all_day
    assert edited.duration == timedelta(days=1)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Edit(end=Moment(MARCH_1)), "after the start"),
        (Edit(start=Moment(datetime(2027, 3, 1), is_date=True)), "both be times"),
    ],
)
def test_end_that_does_not_fit_is_refused(edit: Edit, words: str) -> None:
    with pytest.raises(InvalidProperty, match=words) as refusal:
        apply(edit, meeting())
    assert refusal.value.property == "DTEND"


def test_second_pass_of_repeated_hour_is_refused() -> None:
    second_pass = Moment(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    with pytest.raises(InvalidProperty, match="second time") as refusal:
        apply(Edit(start=second_pass, tzid="Europe/Berlin"), meeting())
    assert refusal.value.property == "DTSTART"


def test_new_rule_moves_start_to_its_first_match() -> None:
    parts = RuleParts(freq=Frequency.WEEKLY, count=3, by_day=((None, "TU"),))
    edited = apply(Edit(recurrence=parts), meeting()).event
    assert (edited.start.day, edited.end - edited.start) == (2, timedelta(hours=1))


def test_no_recurrence_keeps_the_first_occurrence() -> None:
    series = meeting(rule=MONDAYS, exdates=(MARCH_8,))
    edited = apply(Edit(recurrence=None), series).event
    assert (edited.rule, edited.exdates, edited.start) == (None, (), MARCH_1)


def test_moved_series_notes_what_it_drops() -> None:
    series = meeting(rule=MONDAYS, exdates=(MARCH_8,))
    moved = Edit(start=Moment(MARCH_9), end=Moment(MARCH_9 + timedelta(hours=1)))
    assert kinds(moved, series) == [NoteKind.EXDATES_DROPPED, NoteKind.START_MOVED_TO_RULE]


@pytest.mark.parametrize("hour", [0, 9, 11, 23])
def test_until_moves_with_the_series(hour: int) -> None:
    six = meeting(rule=replace(MONDAYS, count=6))
    ended, _ = split(six, six.occurrences[3])
    moved = apply(at(MARCH_1.replace(hour=hour)), ended).event
    assert [start.day for start in moved.occurrences] == [1, 8, 15]
    assert {start.hour for start in moved.occurrences} == {hour}


@pytest.mark.parametrize("until", [datetime(2027, 3, 15, 10), datetime(2027, 3, 15, 12, 30)])
def test_until_of_a_caller_moves_too(until: datetime) -> None:
    stored = meeting(rule=replace(MONDAYS, count=None, until=until))
    for hour in (9, 11, 23):
        moved = apply(at(MARCH_1.replace(hour=hour)), stored).event
        assert [start.day for start in moved.occurrences] == [1, 8, 15]


def test_until_stays_where_the_time_of_day_stays() -> None:
    until = datetime(2027, 3, 15, 12)
    stored = meeting(rule=replace(MONDAYS, count=None, until=until))
    for edit in (at(MARCH_8), Edit(tzid="Asia/Tokyo"), Edit(end=Moment(MARCH_1.replace(hour=12)))):
        moved = apply(edit, stored).event
        assert moved.rule
        assert moved.rule.until == until


def occurrences_of(event: Event) -> tuple[datetime, ...]:
    return replace(event, overrides=()).occurrences


def test_new_rule_does_not_count_what_became_of_single_occurrences() -> None:
    cancelled = (Override(recurrence_id=day, is_cancelled=True) for day in (MARCH_1, MARCH_8))
    stored = meeting(rule=MONDAYS, overrides=tuple(cancelled))
    two = RuleParts(freq=Frequency.WEEKLY, count=2)
    assert [start.day for start in occurrences_of(apply(Edit(recurrence=two), stored).event)] == [
        1,
        8,
    ]


def test_day_that_some_months_lack_is_noted() -> None:
    parts = RuleParts(freq=Frequency.MONTHLY, count=3, by_month_day=31)
    assert kinds(Edit(recurrence=parts), meeting()) == [NoteKind.DAY_NOT_IN_EVERY_MONTH]
