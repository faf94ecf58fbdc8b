"""How things stand with one person, in words."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from meetings.admin.people import needs_mail, people_in_words
from meetings.models import Meeting
from meetings.models.outbox.look import look_at
from meetings.queries.standing import PersonStanding, PersonState, Standing, standing_of
from tests.support.cast import BOB, CAROL
from tests.support.servers.smtp_server import DROP, ScriptedSMTP
from tests.support.stored import sent, updated
from tests.support.stories import send_again

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
            replace(NEW, reply="timed out", next_try=NEXT_TRY, end_is_unknown=True),
            "queued",
            [
                "the outcome of an earlier mail is unknown (timed out)",
                "next try at 2026-11-26 17:32",
            ],
        ),
        (
            replace(NEW, state=PersonState.OUTSTANDING, reply="timed out", may_have_more=True),
            "not told",
            ["timed out", "a mail may have arrived"],
        ),
        (
            replace(TOLD, state=PersonState.QUEUED, sequence=None, may_have_more=True),
            "queued",
            ["goes out in the background", "told before, at 2026-11-26 17:02"],
        ),
        (
            replace(TOLD, state=PersonState.UNTOLD, sequence=None),
            "left out",
            ["told before of single occurrences, at 2026-11-26 17:02"],
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


def remarks_on_carol(stored: Meeting) -> str:
    """What the page says of Carol, the time that she was told at as ``TIME``."""
    found = people_in_words(standing_of(look_at(stored.pk)))
    [carol] = [line for line in found if line.attendee.address == CAROL.address]
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "TIME", ", ".join(carol.remarks))


@pytest.mark.django_db
@pytest.mark.parametrize("reply", ["550 5.1.1 gone", "450 4.2.0 later"])
def test_who_was_told_before_a_mail_again_is_said_so(mail_server: ScriptedSMTP, reply: str) -> None:
    stored = sent()
    mail_server.scripts["rcpt"] = reply
    send_again()
    assert remarks_on_carol(stored) == f"{reply}, told before, at TIME; mailed again since"


@pytest.mark.django_db
def test_who_has_left_is_still_said_to_have_been_told(mail_server: ScriptedSMTP) -> None:
    stored = sent()
    mail_server.scripts["rcpt"] = "550 5.1.1 gone"
    updated(stored, attendees=(BOB,))
    assert remarks_on_carol(stored) == "550 5.1.1 gone, told before: SEQUENCE 0, TIME"
    send_again()
    assert remarks_on_carol(stored) == "550 5.1.1 gone, told before, at TIME; mailed again since"


@pytest.mark.django_db
def test_unknown_outcome_is_not_called_deferred(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["dot"] = DROP
    remarks = remarks_on_carol(sent(attendees=(CAROL,)))
    assert remarks.startswith("the outcome of an earlier mail is unknown (Connection unexpectedly")
    assert remarks.endswith("next try at TIME, a mail may have arrived")


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
