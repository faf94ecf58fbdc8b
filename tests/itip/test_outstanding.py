"""What a person is still to be told of the whole: each line of the table, with its corners."""

from datetime import timedelta

import pytest

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
    cancelled,
    changed,
    off,
    row,
    said,
    series,
)
from tests.support.cast import NOW

NOTHING_IS_WANTED = [
    Case("not listed, the whole stands", series(**GONE), bob("REQUEST 1"), ["CANCEL uninvites"]),
    Case("cancelled, the whole stands", series(**CANCELLED), bob("REQUEST 1"), ["CANCEL"]),
    Case("the whole may stand", series(**GONE), bob("possible"), ["CANCEL uninvites"]),
    Case("its CANCEL may have arrived", series(**CANCELLED), bob("REQUEST 1 possible"), ["CANCEL"]),
    Case(
        "not listed, occurrences stand",
        series(**GONE),
        bob("", row(THIRD, "REQUEST 3 alone"), row(SECOND, "CANCEL 3 possible")),
        ["CANCEL 8 uninvites", "CANCEL 15 uninvites"],
    ),
    Case(
        "cancelled, an occurrence stands",
        series(**CANCELLED),
        bob("", row(SECOND, "REQUEST 3 alone")),
        ["CANCEL 8"],
    ),
    Case(
        "an occurrence stands that is over",
        series(**GONE),
        bob("", row(SECOND, "REQUEST 3 alone"), row(THIRD, "REQUEST 3 alone")),
        ["CANCEL 15 uninvites"],
        AFTER_THE_SECOND,
    ),
    Case("nothing was told", series(**GONE), bob(), []),
    Case("CANCEL was told", series(**CANCELLED), bob("CANCEL 3"), []),
    Case("CANCEL of one was told", series(**GONE), bob("", row(SECOND, "CANCEL 3")), []),
]

THE_WHOLE_IS_WANTED = [
    Case("nothing was told", series(), bob(), ["REQUEST"]),
    Case("CANCEL was told", series(), bob("CANCEL 2"), ["REQUEST"]),
    Case("an older one was told", series(), bob("REQUEST 1"), ["REQUEST"]),
    Case("a newer one may have arrived", series(), bob("REQUEST 2 possible"), ["REQUEST"]),
    Case("it is known", series(), bob("REQUEST 2"), []),
    Case(
        "changed occurrences follow the whole, cancelled ones do not",
        series(changed(SECOND), cancelled(THIRD), changed(FOURTH)),
        bob("REQUEST 1", row(SECOND, "REQUEST 4 alone")),
        ["REQUEST", "REQUEST 8", "REQUEST 22"],
    ),
    Case(
        "what is over does not follow the whole",
        series(changed(SECOND), changed(THIRD)),
        bob(),
        ["REQUEST", "REQUEST 15"],
        AFTER_THE_SECOND,
    ),
    Case("a change is not known", series(changed(SECOND)), bob("REQUEST 2"), ["REQUEST 8"]),
    Case(
        "a change is not known by the whole either",
        series(changed(SECOND)),
        bob("REQUEST 5"),
        ["REQUEST 8"],
    ),
    Case(
        "an older change is known",
        series(changed(SECOND)),
        bob("REQUEST 2", row(SECOND, "REQUEST 3 alone")),
        ["REQUEST 8"],
    ),
    Case(
        "a change may be known",
        series(changed(SECOND)),
        bob("REQUEST 2", row(SECOND, "REQUEST 4 possible alone")),
        ["REQUEST 8"],
    ),
    Case(
        "the change is known",
        series(changed(SECOND)),
        bob("REQUEST 2", row(SECOND, "REQUEST 4 alone")),
        [],
    ),
    Case("a cancellation is not known", series(cancelled(SECOND)), bob("REQUEST 3"), ["CANCEL 8"]),
    Case(
        "a cancellation may be known",
        series(cancelled(SECOND)),
        bob("REQUEST 3", row(SECOND, "CANCEL 4 possible")),
        ["CANCEL 8"],
    ),
    Case(
        "the cancellation is known",
        series(cancelled(SECOND)),
        bob("REQUEST 3", row(SECOND, "CANCEL 4")),
        [],
    ),
    Case("it is known by the whole", series(cancelled(SECOND)), bob("REQUEST 4"), []),
    Case(
        "a cancellation is over",
        series(cancelled(SECOND)),
        bob("REQUEST 3"),
        [],
        NOW + timedelta(days=60),
    ),
]

WITHOUT_AN_OCCURRENCE = [
    Case("the whole, with it", series(off(SECOND)), bob("REQUEST 2"), ["CANCEL 8 uninvites"]),
    Case(
        "its CANCEL is known",
        series(off(SECOND)),
        bob("REQUEST 2", row(SECOND, "CANCEL 4")),
        [],
    ),
    Case(
        "its CANCEL is older than another change of it",
        series(off(SECOND, summary="New", sequence=5)),
        bob("REQUEST 2", row(SECOND, "CANCEL 4")),
        [],
    ),
    Case(
        "nothing was told",
        series(off(SECOND), changed(THIRD)),
        bob(),
        ["REQUEST without 8", "REQUEST 15"],
    ),
    Case("an older whole", series(off(SECOND)), bob("REQUEST 1"), ["REQUEST without 8"]),
    Case(
        "an older whole, and the occurrence stands",
        series(off(SECOND)),
        bob("REQUEST 1", row(SECOND, "REQUEST 1 alone")),
        ["CANCEL 8 uninvites", "REQUEST without 8"],
    ),
    Case(
        "off every occurrence, the whole stands",
        series(*(off(when) for when in (FIRST, SECOND, THIRD, FOURTH))),
        bob("REQUEST 2"),
        ["CANCEL uninvites"],
    ),
    Case(
        "off every occurrence, nothing was told",
        series(*(off(when) for when in (FIRST, SECOND, THIRD, FOURTH))),
        bob(),
        [],
    ),
]

GIVEN_BACK = [
    Case(
        "its CANCEL is known",
        series(changed(SECOND)),
        bob("REQUEST 2", row(SECOND, "CANCEL 3")),
        ["REQUEST", "REQUEST 8"],
    ),
    Case(
        "its CANCEL may have arrived",
        series(changed(SECOND)),
        bob("REQUEST 2", row(SECOND, "CANCEL 3 possible alone")),
        ["REQUEST", "REQUEST 8"],
    ),
    Case(
        "every change follows",
        series(changed(SECOND), changed(FOURTH)),
        bob("REQUEST 2", row(SECOND, "CANCEL 3"), row(FOURTH, "REQUEST 4 alone")),
        ["REQUEST", "REQUEST 8", "REQUEST 22"],
    ),
    Case(
        "as one that was sent alone before",
        series(whole_sequence=5),
        bob("REQUEST 3", row(SECOND, "CANCEL 3 alone")),
        ["REQUEST 8 plain", "REQUEST"],
    ),
    Case(
        "and others that were sent alone before",
        series(changed(SECOND)),
        bob("REQUEST 2", row(SECOND, "CANCEL 3"), row(THIRD, "REQUEST 1 possible alone")),
        ["REQUEST 15 plain", "REQUEST", "REQUEST 8"],
    ),
    Case(
        "it is over",
        series(changed(SECOND)),
        bob("REQUEST 2", row(SECOND, "CANCEL 3")),
        [],
        AFTER_THE_SECOND,
    ),
    Case(
        "it was moved to a day ahead meanwhile",
        series(changed(SECOND, start=SECOND + timedelta(days=3), end=FOURTH)),
        bob("REQUEST 2", row(SECOND, "CANCEL 3")),
        ["REQUEST", "REQUEST 8"],
        AFTER_THE_SECOND,
    ),
]

TABLE = {
    "nothing is wanted": NOTHING_IS_WANTED,
    "the whole": THE_WHOLE_IS_WANTED,
    "the whole without one": WITHOUT_AN_OCCURRENCE,
    "one is given back": GIVEN_BACK,
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{wanted}: {case.name}")
        for wanted, cases in TABLE.items()
        for case in cases
    ],
)
def test_guest_is_due_these_messages_in_this_order(case: Case) -> None:
    steps = outstanding(Present(case.event, case.now), case.person)
    assert [said(step) for step in steps] == case.due


def test_person_left_out_is_due_nothing_until_asked_again() -> None:
    present = Present(series(changed(SECOND)), NOW)
    assert outstanding(present, bob("REQUEST 1", asked=4)) == ()
    assert outstanding(present, bob("REQUEST 1", asked=5)) != ()
