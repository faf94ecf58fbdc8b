"""What the end of a message makes of what a person was told: the rules that SQL keeps too.

The series is on the Mondays 1, 8, 15 and 22 March 2027, and every message has SEQUENCE 5.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from meetings.itip.event import Event
from meetings.itip.group import Reader, grouped
from meetings.itip.message import Method
from meetings.itip.outstanding import Present, Step
from meetings.itip.readers import Past, Planned, planned
from meetings.itip.told import Person, RecurrenceId
from tests.itip.situations import FIRST, FOURTH, SECOND, THIRD, bob, changed, row, series
from tests.support.cast import NOW
from tests.support.recording import accepted, forgotten, unknown

# Without the first Monday, and with the second one changed.
EVENT = series(changed(SECOND), exdates=(FIRST,))
WHOLE = Step(method=Method.REQUEST)
NOT_THE_THIRD = Step(method=Method.REQUEST, excluded=(THIRD,))
CANCEL = Step(method=Method.CANCEL)


def of(when: datetime, method: Method, *, plain: bool = False) -> Step:
    return Step(method=method, recurrence_id=RecurrenceId.of(EVENT, when), plain=plain)


def mail(step: Step, person: Person, event: Event = EVENT) -> Planned:
    [made] = planned(Present(event, NOW), grouped([Reader(person, (step,))]), Past(event, {}))
    return made


def rows(person: Person) -> dict[int, str]:
    """What was told of single occurrences, by day."""
    found = {}
    for told in person.occurrences:
        words = [told.method.value, str(told.sequence)]
        words += [word for word in ("possible", "alone") if getattr(told, word)]
        found[told.recurrence_id.when.day] = " ".join(words)
    return found


def whole(person: Person) -> tuple[Method | None, int | None, bool]:
    return person.method, person.sequence, person.possible


class Case(NamedTuple):
    name: str
    end: Callable[[Person, Planned], Person]
    step: Step
    before: Person
    whole: tuple[Method | None, int | None, bool]
    rows: dict[int, str]


REQUESTED, CANCELLED = Method.REQUEST, Method.CANCEL
OF_THE_WHOLE = [
    Case("certain", accepted, WHOLE, bob("REQUEST 1 possible"), (REQUESTED, 5, False), {}),
    Case("possible", unknown, WHOLE, bob("REQUEST 1"), (REQUESTED, 1, True), {}),
    Case(
        "possible REQUEST",
        unknown,
        WHOLE,
        bob("REQUEST 1", row(SECOND, "REQUEST 2 alone"), row(THIRD, "CANCEL 2")),
        (REQUESTED, 1, True),
        {8: "REQUEST 2 possible alone", 15: "CANCEL 2 possible"},
    ),
    Case(
        "possible CANCEL",
        unknown,
        CANCEL,
        bob("REQUEST 1", row(SECOND, "REQUEST 2 alone")),
        (REQUESTED, 1, True),
        {8: "REQUEST 2 alone"},
    ),
    Case(
        "accepted REQUEST, rows that were possible",
        accepted,
        WHOLE,
        bob("", row(FIRST, "CANCEL 2 possible"), row(SECOND, "REQUEST 3 possible alone")),
        (REQUESTED, 5, False),
        {1: "REQUEST 2 possible", 8: "REQUEST 3 possible alone"},
    ),
    Case(
        "accepted REQUEST, rows that it shows",
        accepted,
        WHOLE,
        bob("", row(SECOND, "REQUEST 3 alone"), row(THIRD, "CANCEL 3 alone")),
        (REQUESTED, 5, False),
        {8: "REQUEST 3 possible alone", 15: "REQUEST 3 possible alone"},
    ),
    Case(
        "accepted REQUEST, rows that it does not show",
        accepted,
        WHOLE,
        bob("", row(FIRST, "CANCEL 3 alone"), row(SECOND + timedelta(days=1), "CANCEL 3 alone")),
        (REQUESTED, 5, False),
        {1: "CANCEL 3 alone", 9: "CANCEL 3 alone"},
    ),
    Case(
        "accepted REQUEST, rows that were never sent alone",
        accepted,
        WHOLE,
        bob("", row(FIRST, "CANCEL 3"), row(FOURTH, "CANCEL 3")),
        (REQUESTED, 5, False),
        {},
    ),
    Case(
        "an EXDATE that only these readers have",
        accepted,
        NOT_THE_THIRD,
        bob("", row(SECOND, "REQUEST 3 alone"), row(THIRD, "CANCEL 3 possible alone")),
        (REQUESTED, 5, False),
        {8: "REQUEST 3 possible alone", 15: "CANCEL 5 alone"},
    ),
    Case(
        "the same, never sent alone",
        accepted,
        NOT_THE_THIRD,
        bob(),
        (REQUESTED, 5, False),
        {15: "CANCEL 5"},
    ),
    Case(
        "accepted CANCEL",
        accepted,
        CANCEL,
        bob("", row(SECOND, "REQUEST 3 possible alone"), row(THIRD, "CANCEL 3 possible")),
        (CANCELLED, 5, False),
        {8: "CANCEL 3 alone"},
    ),
]

OF_ONE = [
    Case(
        "REQUEST",
        accepted,
        of(SECOND, REQUESTED),
        bob("REQUEST 1", row(SECOND, "REQUEST 3 possible alone"), row(THIRD, "CANCEL 3")),
        (REQUESTED, 1, False),
        {8: "REQUEST 5 alone", 15: "CANCEL 3"},
    ),
    Case(
        "CANCEL",
        accepted,
        of(SECOND, CANCELLED),
        bob("", row(SECOND, "REQUEST 3 alone")),
        (None, None, False),
        {8: "CANCEL 5 alone"},
    ),
    Case(
        "CANCEL, never sent alone",
        accepted,
        of(SECOND, CANCELLED),
        bob("REQUEST 1"),
        (REQUESTED, 1, False),
        {8: "CANCEL 5"},
    ),
    Case(
        "possible CANCEL",
        unknown,
        of(SECOND, CANCELLED),
        bob("REQUEST 1", row(SECOND, "REQUEST 3 alone")),
        (REQUESTED, 1, False),
        {8: "CANCEL 5 possible alone"},
    ),
    Case(
        "plain REQUEST before the whole, of a day that is hidden",
        accepted,
        of(THIRD, REQUESTED, plain=True),
        bob("REQUEST 1", row(THIRD, "CANCEL 3")),
        (REQUESTED, 1, False),
        {15: "CANCEL 5 possible alone"},
    ),
    Case(
        "possible plain REQUEST, of a day that is hidden: it keeps the older SEQUENCE",
        unknown,
        of(THIRD, REQUESTED, plain=True),
        bob("REQUEST 1", row(THIRD, "CANCEL 3")),
        (REQUESTED, 1, False),
        {15: "CANCEL 3 possible alone"},
    ),
    Case(
        "plain REQUEST before the whole, of another",
        accepted,
        of(THIRD, REQUESTED, plain=True),
        bob("REQUEST 1", row(THIRD, "REQUEST 3 possible alone")),
        (REQUESTED, 1, False),
        {15: "REQUEST 5 alone"},
    ),
]


@pytest.mark.parametrize("case", [*OF_THE_WHOLE, *OF_ONE], ids=lambda case: case.name)
def test_end_of_a_message_makes_this_of_what_was_told(case: Case) -> None:
    after = case.end(case.before, mail(case.step, case.before))
    assert (whole(after), rows(after)) == (case.whole, case.rows)


@pytest.mark.parametrize("case", [*OF_THE_WHOLE, *OF_ONE], ids=lambda case: case.name)
def test_unknown_end_is_the_same_for_a_sender_who_died(case: Case) -> None:
    made = mail(case.step, case.before)
    [told] = accepted(Person(attendee=case.before.attendee), made).occurrences or (None,)
    said = told if case.step.recurrence_id and told else case.step.method
    died = case.before.after_unknown(said, plain=case.step.plain)
    assert died == replace(unknown(case.before, made), knows_until=None)


def test_end_that_was_told_is_the_latest() -> None:
    late, early = series(changed(SECOND, end=FOURTH)), series(changed(SECOND))
    person = bob()
    for event in (late, early):
        person = accepted(person, mail(of(SECOND, REQUESTED), person, event))
    [told] = person.occurrences
    assert told.ends_at == person.knows_until == late.instant(FOURTH)


def test_mail_again_makes_possible_what_stood() -> None:
    person = bob("REQUEST 3", row(SECOND, "REQUEST 4 alone"), row(THIRD, "CANCEL 4"))
    after = forgotten(person, is_cancelled=False)
    assert (whole(after), rows(after)) == (
        (None, None, True),
        {8: "REQUEST 4 possible alone", 15: "CANCEL 4 possible"},
    )


def test_mail_again_of_a_cancelled_meeting_is_for_those_who_were_told() -> None:
    assert whole(forgotten(bob("CANCEL 5"), is_cancelled=True)) == (None, None, True)
    assert whole(forgotten(bob("CANCEL 5"), is_cancelled=False)) == (CANCELLED, 5, False)
    assert whole(forgotten(bob(), is_cancelled=True)) == (None, None, False)


def test_mail_again_leaves_what_was_cancelled_of_a_meeting_that_goes_on() -> None:
    person = bob("CANCEL 3", row(SECOND, "REQUEST 4 alone"), row(THIRD, "CANCEL 4"))
    assert rows(forgotten(person, is_cancelled=False)) == {
        8: "REQUEST 4 possible alone",
        15: "CANCEL 4",
    }
    assert rows(forgotten(person, is_cancelled=True)) == {
        8: "REQUEST 4 possible alone",
        15: "CANCEL 4 possible",
    }
