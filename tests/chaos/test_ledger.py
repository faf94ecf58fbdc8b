"""The balance finds each kind of wrong. Each is made here once, by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.chaos.calendars import Person
from tests.chaos.callers import Call
from tests.chaos.ledger import Balance, Facts, Row, balance
from tests.chaos.mail import Taken
from tests.support.cast import BOB, meeting, request
from tests.support.readers.itip_reader import ReceivedMessage, content_line

UID = meeting().uid
NO = "550 5.7.1 refused, number 1"
STARTS = datetime(2027, 3, 1, 2, tzinfo=UTC)
THE_MEETING = frozenset({(STARTS, "Weekly review")})


def call(result: int = 1, state: str = "sent", *, began: float = 0.0, **more: Any) -> Call:
    values: dict[str, Any] = {
        "number": 1,
        "operation": "send",
        "uid": UID,
        "began": began,
        "ended": began + 1.0,
        "status": 200,
        "body": {"result": result, "recipients": {BOB.address: state}},
    }
    return Call(**(values | more))


def person(**more: Any) -> Person:
    values: dict[str, Any] = {
        "uid": UID,
        "address": BOB.address,
        "given_up": False,
        "may_have_more": False,
        "reply": "",
        "entries": THE_MEETING,
    }
    return Person(**(values | more))


def row(state: str = "sent", unknown_ends: int = 0) -> Row:
    return Row(UID, BOB.address, "<0>", state, unknown_ends)


def taken(
    at: float = 0.5,
    sequence: int = 0,
    message_id: str = "<0>",
    summary: str = "Weekly review",
    **how: bool,
) -> Taken:
    return Taken(
        at=at,
        message_id=message_id,
        recipient=BOB.address,
        message=_message(sequence, int(at), summary),
        **{"acknowledged": True} | how,
    )


def _message(sequence: int, second: int, summary: str) -> ReceivedMessage:
    lines = (
        *(f"UID:{UID}", f"SEQUENCE:{sequence}", f"DTSTAMP:20270201T0930{second:02}Z"),
        *("DTSTART:20270301T020000Z", "DTEND:20270301T030000Z", f"SUMMARY:{summary}"),
        *(
            f"ORGANIZER:mailto:{request().event.organizer.address}",
            f"ATTENDEE:mailto:{BOB.address}",
        ),
    )
    return ReceivedMessage("REQUEST", [content_line(line) for line in lines], {})


def everywhere(*people: Person, **more: Any) -> Facts:
    """People who are the same in the end."""
    return Facts(**({"calls": [], "people": people, "in_the_end": people} | more))


GIVEN_UP = person(given_up=True)
IN_THE_END = [person()]

RIGHT = {
    "told": everywhere(person(), calls=[call()], rows=[row()], taken=[taken()]),
    "refused for good": Facts(
        calls=[call(state="queued")],
        people=[person(given_up=True, reply=NO)],
        in_the_end=IN_THE_END,
        afterwards=[taken(9.0)],
    ),
    "told that it was given up": Facts(
        calls=[call(0, "failed")],
        people=[GIVEN_UP],
        in_the_end=IN_THE_END,
        afterwards=[taken(9.0)],
    ),
    "told 0, and called again": Facts(
        calls=[call(0, "failed"), call(began=5.0)],
        people=[person()],
        in_the_end=IN_THE_END,
        taken=[taken(5.5)],
    ),
    "told 0, while an older mail left": Facts(calls=[call(0, "failed")], taken=[taken()]),
    "the same octets again": Facts(calls=[], taken=[taken(1.0, acknowledged=False), taken(2.0)]),
}
WRONG = {
    "told, and no mail": ("lost", everywhere(person())),
    "an old entry": ("lost", everywhere(person(entries=frozenset()), taken=[taken()])),
    "the mail may have arrived": ("lost", everywhere(person(), taken=[taken(acknowledged=False)])),
    "given up for no reason": (
        "lost",
        Facts(
            calls=[call(state="queued")],
            people=[GIVEN_UP],
            in_the_end=IN_THE_END,
            afterwards=[taken(9.0)],
        ),
    ),
    "promised, and not stored": ("lost", Facts(calls=[call()])),
    "told 0, and its own mail taken": (
        "told_no_but_sent",
        Facts(calls=[call(0, "failed", number=7)], taken=[taken(summary="call 7")]),
    ),
    "told 0, and sent by itself later": (
        "told_no_but_sent",
        Facts(calls=[call(0, "failed")], taken=[taken(50.0)]),
    ),
    "overtaken": (
        "older_after_newer",
        Facts(calls=[], taken=[taken(1.0, 1, "<1>"), taken(2.0, 0)]),
    ),
    "twice for no reason": ("unexplained", Facts(calls=[], taken=[taken(1.0), taken(2.0)])),
    "said twice for no reason": (
        "unexplained",
        Facts(calls=[], taken=[taken(1.0), taken(2.0, message_id="<1>")]),
    ),
    "stored as sent": ("misrecorded", Facts(calls=[], rows=[row()])),
    "stored as refused": ("misrecorded", Facts(calls=[], rows=[row("refused")], taken=[taken()])),
}


@pytest.mark.parametrize("facts", RIGHT.values(), ids=RIGHT)
def test_what_has_a_reason_is_right(facts: Facts) -> None:
    assert balance(facts).wrong == []


@pytest.mark.parametrize(("wrong", "facts"), WRONG.values(), ids=WRONG)
def test_each_kind_of_wrong_is_found(wrong: str, facts: Facts) -> None:
    found = balance(facts)
    assert getattr(found, wrong)
    assert found.wrong == getattr(found, wrong)


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        (Facts(calls=[], taken=[taken(1.0, acknowledged=False), taken(2.0)]), "after_open_end"),
        (Facts(calls=[], taken=[taken(1.0, cut_off=True), taken(9.0)]), "after_kill"),
        (Facts(calls=[], taken=[taken(1.0), taken(9.0)], outages=[(2.0, 3.0)]), "after_kill"),
    ],
    ids=["silence", "kill", "outage"],
)
def test_duplicate_with_a_reason_is_counted(facts: Facts, what: str) -> None:
    count: Balance = balance(facts)
    assert (getattr(count, what), count.wrong) == (1, [])
