"""What a person is still to be told of single occurrences, and what organizers are told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from meetings.itip.event import Attendee
from meetings.itip.outstanding import Present, outstanding
from tests.itip.situations import (
    AFTER_THE_SECOND,
    CANCELLED,
    FIRST,
    FOURTH,
    GONE,
    SECOND,
    THIRD,
    Case,
    bob,
    changed,
    off,
    on,
    row,
    said,
    series,
)
from tests.support.cast import ALICE, BOB, NOW

SOME_OCCURRENCES = [
    Case(
        "the whole stands",
        series(on(SECOND), on(THIRD), **GONE),
        bob("REQUEST 1", row(SECOND, "REQUEST 4 alone"), row(FOURTH, "REQUEST 1 alone")),
        ["CANCEL uninvites", "REQUEST 8", "REQUEST 15"],
    ),
    Case("nothing was told", series(on(SECOND), **GONE), bob(), ["REQUEST 8"]),
    Case(
        "the CANCEL of the whole was told",
        series(on(SECOND), **GONE),
        bob("CANCEL 3", row(SECOND, "CANCEL 3 alone")),
        ["REQUEST 8"],
    ),
    Case(
        "it is known",
        series(on(SECOND), **GONE),
        bob("", row(SECOND, "REQUEST 4 alone")),
        [],
    ),
    Case(
        "the whole is newer, of which it has title and place",
        series(on(SECOND), whole_sequence=5, **GONE),
        bob("", row(SECOND, "REQUEST 4 alone")),
        ["REQUEST 8"],
    ),
    Case(
        "another one stands",
        series(on(THIRD), **GONE),
        bob("", row(SECOND, "REQUEST 4 alone"), row(THIRD, "REQUEST 4 alone")),
        ["CANCEL 8 uninvites"],
    ),
    Case(
        "theirs is cancelled",
        series(replace(on(SECOND), is_cancelled=True), on(THIRD), **GONE),
        bob("", row(SECOND, "REQUEST 3 alone"), row(THIRD, "REQUEST 4 alone")),
        ["CANCEL 8"],
    ),
    Case("it is over", series(on(SECOND), **GONE), bob(), [], AFTER_THE_SECOND),
]


def days_later(days: int) -> datetime:
    return SECOND.replace(tzinfo=UTC) + timedelta(days=days)


OVER = [
    Case(
        "the rule's day is ahead",
        series(changed(SECOND, start=SECOND - timedelta(days=20), end=SECOND - timedelta(days=19))),
        bob("REQUEST 2"),
        ["REQUEST 8"],
        datetime(2027, 3, 1, tzinfo=UTC),
    ),
    Case(
        "its time is ahead",
        series(changed(SECOND, start=SECOND + timedelta(days=3), end=SECOND + timedelta(days=4))),
        bob("REQUEST 2"),
        ["REQUEST 8"],
        AFTER_THE_SECOND,
    ),
    Case(
        "the time that was told is ahead",
        series(changed(SECOND, start=SECOND, end=SECOND + timedelta(hours=2))),
        bob("REQUEST 2", row(SECOND, "REQUEST 3 alone", ends_at=days_later(3))),
        ["REQUEST 8"],
        AFTER_THE_SECOND,
    ),
    Case(
        "every time is past",
        series(changed(SECOND, start=SECOND, end=SECOND + timedelta(hours=2))),
        bob("REQUEST 2", row(SECOND, "REQUEST 3 alone", ends_at=days_later(0))),
        [],
        AFTER_THE_SECOND,
    ),
    Case(
        "the meeting has become longer than what was told",
        series(end=FIRST + timedelta(hours=20), whole_sequence=5),
        bob("REQUEST 2", row(SECOND, "REQUEST 3 alone", ends_at=days_later(0))),
        ["REQUEST 8 plain", "REQUEST"],
        datetime(2027, 3, 8, 18, tzinfo=UTC),
    ),
]

TABLE = {
    "some occurrences": SOME_OCCURRENCES,
    "over": OVER,
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{wanted}: {case.name}")
        for wanted, cases in TABLE.items()
        for case in cases
    ],
)
def test_occurrence_is_due_until_it_is_over(case: Case) -> None:
    steps = outstanding(Present(case.event, case.now), case.person)
    assert [said(step) for step in steps] == case.due


ORGANIZER = Attendee(address=ALICE.address)


def test_organizer_is_never_taken_off_their_own_meeting() -> None:
    alice = replace(bob("REQUEST 1", row(THIRD, "REQUEST 1 alone")), attendee=ORGANIZER)
    off_one = replace(off(SECOND), removed=(ALICE.address,))
    on_one = replace(on(SECOND), added=(ORGANIZER,))
    listed = series(off_one, attendees=(ORGANIZER, BOB))
    assert outstanding(Present(series(**GONE), NOW), alice) == ()
    assert [said(step) for step in outstanding(Present(listed, NOW), alice)] == [
        "REQUEST 15 plain",
        "REQUEST",
        "REQUEST 8",
    ]
    assert [said(step) for step in outstanding(Present(series(on_one, **GONE), NOW), alice)] == [
        "REQUEST 8"
    ]


def test_organizer_alone_on_the_list_is_told_of_the_end() -> None:
    alice = replace(bob("REQUEST 1"), attendee=ORGANIZER)
    event = series(attendees=(ORGANIZER,), **CANCELLED)
    assert [said(step) for step in outstanding(Present(event, NOW), alice)] == ["CANCEL"]
