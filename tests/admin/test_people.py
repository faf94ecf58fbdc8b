"""How things stand with one person, in words."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from meetings.admin.people import needs_mail, people_in_words
from meetings.queries.standing import PersonStanding, PersonState, Standing
from tests.support.cast import BOB

TOLD_AT = datetime(2026, 11, 26, 9, 2, tzinfo=UTC)
NEXT_TRY = datetime(2026, 11, 26, 9, 32, tzinfo=UTC)
TOLD = PersonStanding(
    attendee=BOB, state=PersonState.TOLD, is_invited=True, sequence=3, told_at=TOLD_AT
)
NEW = PersonStanding(attendee=BOB, state=PersonState.QUEUED, is_invited=True)


def standing(person: PersonStanding) -> Standing:
    return Standing(uid="meeting-1", sequence=3, people=(person,))


@pytest.mark.parametrize(
    ("person", "label", "remarks"),
    [
        (TOLD, "told", ["SEQUENCE 3, 2026-11-26 17:02"]),
        (
            replace(TOLD, sequence=2),
            "told",
            ["SEQUENCE 2, and later changes of single occurrences, 2026-11-26 17:02"],
        ),
        (replace(TOLD, sequence=2, is_invited=False), "told", ["SEQUENCE 2, 2026-11-26 17:02"]),
        (replace(TOLD, sequence=None), "told", ["single occurrences, 2026-11-26 17:02"]),
        (replace(NEW, state=PersonState.SENDING), "being sent", []),
        (NEW, "queued", ["goes out in the background"]),
        (
            replace(NEW, reply="450 4.2.0 greylisted", next_try=NEXT_TRY),
            "queued",
            [
                "an earlier mail was deferred (450 4.2.0 greylisted)",
                "next try at 2026-11-26 17:32",
            ],
        ),
        (
            replace(TOLD, state=PersonState.QUEUED, sequence=2, may_have_more=True),
            "queued",
            [
                "goes out in the background",
                "told before: SEQUENCE 2, 2026-11-26 17:02",
                "a newer mail may have arrived",
            ],
        ),
        (
            replace(NEW, state=PersonState.OUTSTANDING, reply="550 no such user"),
            "not told",
            ["550 no such user"],
        ),
        (replace(NEW, state=PersonState.OUTSTANDING), "not told", ["no reason given"]),
        (
            replace(TOLD, state=PersonState.UNTOLD, sequence=2),
            "left out",
            ["told before: SEQUENCE 2, 2026-11-26 17:02"],
        ),
        (replace(NEW, state=PersonState.UNTOLD), "left out", ["never told of this meeting"]),
    ],
)
def test_state_of_a_person_in_words(person: PersonStanding, label: str, remarks: list[str]) -> None:
    [line] = people_in_words(standing(person))
    assert f'<span class="chip {person.state}">{label}</span>' == line.chip
    assert line.remarks == remarks


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (PersonState.TOLD, False),
        (PersonState.SENDING, False),
        (PersonState.QUEUED, True),
        (PersonState.OUTSTANDING, True),
        (PersonState.UNTOLD, False),
    ],
)
def test_mail_is_needed_for_who_is_not_told(state: PersonState, expected: bool) -> None:
    assert needs_mail(standing(replace(NEW, state=state))) is expected
