"""What goes before a REQUEST of the whole, so that no calendar keeps a single day (interop R13).

Everybody was told all of the old event. The meeting is on the Mondays 1, 8, 15 and 22 March 2027.
Carol, and Dan where he is on it, have the same calendar problem as Bob.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest

from meetings.itip import organizer
from meetings.itip.edit import Edit, apply
from meetings.itip.event import Event
from meetings.itip.moment import Moment
from meetings.itip.recurrence.parts import RuleParts
from meetings.itip.recurrence.rule import Frequency
from tests.itip.situations import AFTER_THE_SECOND, FIRST, FOURTH, SECOND, THIRD, said
from tests.support.cast import BOB, CAROL, DAN, MONDAYS, NOW, meeting
from tests.support.telling import everybody, mails, told

HOUR = timedelta(hours=1)
FOUR = RuleParts(freq=Frequency.WEEKLY, count=4)
NEW = Edit(summary="New")


def series(**changes: Any) -> Event:
    return meeting(attendees=(BOB,), rule=replace(MONDAYS, count=4), **changes)


def update(stored: Event, edit: Edit) -> Event:
    return organizer.update(stored, apply(edit, stored).event, now=NOW).event


def change(stored: Event, when: datetime, edit: Edit = NEW) -> Event:
    return organizer.update_occurrence(stored, when, edit, now=NOW, most=100).event


def cancel(stored: Event, when: datetime) -> Event:
    return organizer.cancel_occurrence(stored, when).event


def at(start: datetime, **changes: Any) -> Edit:
    return Edit(start=Moment(start), end=Moment(start + HOUR), **changes)


def without(*days: datetime) -> Edit:
    return Edit(recurrence=replace(FOUR, exdates=tuple(map(Moment, days))))


def with_zone(tzid: str, hour: int) -> Edit:
    return at(FIRST.replace(hour=hour), tzid=tzid)


def due(old: Sequence[Event], new: Event, *, now: datetime = NOW) -> dict[str, list[str]]:
    """What each person is told of ``new``, in order, by name."""
    found: dict[str, list[str]] = {}
    for mail in mails(new, everybody(new, told(*old)), now=now):
        for reader in mail.readers:
            found.setdefault(reader.attendee.name, []).append(said(mail.step))
    return found


CHANGED = change(series(), SECOND)
WITH_GUEST = change(series(), SECOND, Edit(attendees=(BOB, DAN)))
WITH_CAROL = change(series(), SECOND, Edit(attendees=(BOB, CAROL)))
EXCLUDED = update(CHANGED, without(SECOND))
WITHOUT_BOB = change(meeting(rule=MONDAYS), FIRST, Edit(attendees=(CAROL,)))
FOR_CAROL = update(CHANGED, Edit(attendees=(CAROL,)))
LENGTH = Edit(end=Moment(FIRST + 2 * HOUR))


class Case(NamedTuple):
    name: str
    old: Sequence[Event]
    new: Event
    due: dict[str, list[str]]


VOID = [
    Case(
        "a new time of the series",
        [CHANGED],
        update(CHANGED, at(FIRST + HOUR)),
        {"Bob": ["CANCEL 8", "REQUEST"]},
    ),
    Case(
        "a new time, and a guest of the one occurrence",
        [WITH_GUEST],
        update(WITH_GUEST, at(FIRST + HOUR)),
        {"Bob": ["CANCEL 8", "REQUEST"], "Dan": ["CANCEL 8"]},
    ),
    Case(
        "a new rule that leaves the day out",
        [CHANGED],
        update(CHANGED, Edit(recurrence=replace(FOUR, interval=2))),
        {"Bob": ["CANCEL 8", "REQUEST"]},
    ),
    Case(
        "a cut",
        [CHANGED],
        organizer.cut(CHANGED, SECOND).ended.event,
        {"Bob": ["CANCEL 8", "REQUEST"]},
    ),
    Case(
        "a split",
        [CHANGED],
        organizer.split_off(CHANGED, SECOND, NEW, uid="2", now=NOW).ended.event,
        {"Bob": ["CANCEL 8", "REQUEST"]},
    ),
    Case(
        "an EXDATE on it",
        [CHANGED],
        update(CHANGED, without(SECOND)),
        {"Bob": ["CANCEL 8", "REQUEST"]},
    ),
    Case(
        "cancelled, and the title is new too",
        [CHANGED],
        update(cancel(CHANGED, SECOND), NEW),
        {"Bob": ["CANCEL 8", "REQUEST"]},
    ),
    Case(
        "taken off it, and the title is new too",
        [WITH_CAROL],
        update(change(WITH_CAROL, SECOND, Edit(attendees=(CAROL,))), NEW),
        {"Bob": ["CANCEL 8 uninvites", "REQUEST without 8"], "Carol": ["REQUEST 8"]},
    ),
    Case(
        "no repetition any more",
        [change(CHANGED, FIRST)],
        update(change(CHANGED, FIRST), Edit(recurrence=None)),
        {"Bob": ["CANCEL 8", "REQUEST 1 plain", "REQUEST"]},
    ),
    Case(
        "no repetition any more, and the reader was off the first day",
        [WITHOUT_BOB],
        update(WITHOUT_BOB, Edit(recurrence=None)),
        {"Bob": ["REQUEST 1 plain", "REQUEST"], "Carol": ["REQUEST 1 plain", "REQUEST"]},
    ),
    Case(
        "no repetition any more, but the first day is cancelled",
        [cancel(CHANGED, FIRST)],
        update(cancel(CHANGED, FIRST), Edit(recurrence=None)),
        {"Bob": ["CANCEL 8", "REQUEST"]},
    ),
]

PLAIN = [
    Case(
        "its change is void by a new length",
        [CHANGED],
        update(CHANGED, LENGTH),
        {"Bob": ["REQUEST 8 plain", "REQUEST"]},
    ),
    Case(
        "its change is void, and others are",
        [change(change(CHANGED, THIRD), FOURTH)],
        update(change(change(CHANGED, THIRD), FOURTH), LENGTH),
        {"Bob": ["REQUEST 8 plain", "REQUEST 15 plain", "REQUEST 22 plain", "REQUEST"]},
    ),
    Case(
        "an EXDATE on it was taken off again",
        [CHANGED, EXCLUDED],
        update(EXCLUDED, without()),
        {"Bob": ["REQUEST 8 plain", "REQUEST"]},
    ),
    Case(
        "the whole was cancelled for the reader, who is asked back",
        [CHANGED, FOR_CAROL],
        update(FOR_CAROL, Edit(end=Moment(FIRST + 2 * HOUR), attendees=(BOB,))),
        {"Bob": ["REQUEST 8 plain", "REQUEST"], "Carol": ["CANCEL uninvites"]},
    ),
    Case(
        "never sent alone",
        [cancel(series(), SECOND)],
        update(cancel(series(), SECOND), LENGTH),
        {"Bob": ["REQUEST"]},
    ),
    Case(
        "changed still: the change follows",
        [CHANGED],
        update(CHANGED, NEW),
        {"Bob": ["REQUEST", "REQUEST 8"]},
    ),
    Case(
        "changed still, but as its series is now",
        [CHANGED],
        change(CHANGED, SECOND, Edit(summary=CHANGED.summary)),
        {"Bob": ["REQUEST 8"]},
    ),
    Case(
        "another zone, the same hour",
        [CHANGED],
        update(CHANGED, with_zone("Asia/Tokyo", 10)),
        {"Bob": ["CANCEL 8", "REQUEST 8 plain", "REQUEST"]},
    ),
    Case(
        "another zone, the same instant",
        [CHANGED],
        update(CHANGED, with_zone("Asia/Tokyo", 11)),
        {"Bob": ["CANCEL 8", "REQUEST 8 plain", "REQUEST"]},
    ),
    Case(
        "another zone, neither",
        [CHANGED],
        update(CHANGED, with_zone("Asia/Tokyo", 9)),
        {"Bob": ["CANCEL 8", "REQUEST"]},
    ),
]


@pytest.mark.parametrize("case", VOID, ids=lambda case: case.name)
def test_occurrence_that_is_void_is_cancelled_first(case: Case) -> None:
    assert due(case.old, case.new) == case.due


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.name)
def test_occurrence_that_goes_on_is_sent_plain_and_never_cancelled(case: Case) -> None:
    assert due(case.old, case.new) == case.due


def test_what_is_over_is_left_alone() -> None:
    both = change(CHANGED, THIRD)
    assert due([both], update(both, at(FIRST + HOUR)), now=AFTER_THE_SECOND) == {
        "Bob": ["CANCEL 15", "REQUEST"]
    }
