"""The balance finds each kind of wrong. Each is made here once, by hand."""

from typing import Any

import pytest

from tests.chaos.callers import Call
from tests.chaos.ledger import Balance, Row, balance
from tests.chaos.mail import Taken

BOB = "bob@example.org"


def call(result: int = 1, state: str = "sent", *, began: float = 0.0, **more: Any) -> Call:
    body: dict[str, Any] = {"result": result, "recipients": {BOB: state}} | (
        {"sequence": 0} if result else {}
    )
    values: dict[str, Any] = {
        "number": 1,
        "operation": "send",
        "uid": "one",
        "began": began,
        "status": 200,
    }
    return Call(**(values | {"body": body} | more))


def row(state: str = "sent", **more: Any) -> Row:
    values: dict[str, Any] = {
        "uid": "one",
        "sequence": 0,
        "address": BOB,
        "message_id": "<0>",
        "subject": "first",
        "method": "REQUEST",
        "state": state,
        "last_reply": "",
        "may_have_left": False,
        "newest": 0,
    }
    return Row(**(values | more))


def taken(at: float = 0.5, sequence: int = 0, **how: bool) -> Taken:
    return Taken(
        at=at,
        message_id=f"<{sequence}>",
        uid="one",
        sequence=sequence,
        dtstamp="20270201T093000Z",
        method="REQUEST",
        recipient=BOB,
        **{"acknowledged": True} | how,
    )


def test_promise_that_was_kept_is_right() -> None:
    count = balance([call()], [row()], [taken()])
    assert (count.wrong, count.promised) == ([], 1)


@pytest.mark.parametrize(
    ("calls", "rows", "mails", "wrong"),
    [
        pytest.param([call()], [row("queued")], [], "lost", id="told sent, and never taken"),
        pytest.param(
            [call(state="queued")],
            [row("failed")],
            [],
            "lost",
            id="promised, and given up for no reason",
        ),
        pytest.param([call(state="queued")], [], [], "lost", id="promised, and not stored"),
        pytest.param(
            [call(state="queued")], [row("superseded")], [], "lost", id="superseded by nothing"
        ),
        pytest.param(
            [call(0, "failed")],
            [row("failed", may_have_left=False)],
            [taken()],
            "told_no_but_sent",
            id="told 0",
        ),
        pytest.param(
            [call(0, "failed")],
            [row()],
            [taken(at=50.0)],
            "told_no_but_sent",
            id="told 0, and sent by itself later",
        ),
        pytest.param([], [], [taken(1.0, 1), taken(2.0, 0)], "older_after_newer", id="overtaken"),
        pytest.param(
            [],
            [row(may_have_left=True)],
            [taken(1.0), taken(2.0)],
            "unexplained",
            id="twice for no reason",
        ),
        pytest.param(
            [], [row()], [taken(1.0, cut_off=True), taken(2.0)], "unexplained", id="twice, surely"
        ),
        pytest.param([], [row()], [], "misrecorded", id="stored as sent"),
        pytest.param([], [row("failed")], [taken()], "misrecorded", id="stored as failed"),
    ],
)
def test_each_kind_of_wrong_is_found(
    calls: list[Call], rows: list[Row], mails: list[Taken], wrong: str
) -> None:
    assert len(getattr(balance(calls, rows, mails), wrong)) == 1


AFTER_SILENCE = [taken(1.0, acknowledged=False), taken(2.0)]
AFTER_A_KILL = [taken(1.0, cut_off=True), taken(9.0)]
AFTER_AN_OUTAGE = balance([], [row(may_have_left=True)], [taken(1.0), taken(9.0)], [(2.0, 3.0)])
OVERTAKEN = [row("superseded", newest=1)]
OPEN_ENDED = [row("failed", may_have_left=True)]


@pytest.mark.parametrize(
    ("count", "what"),
    [
        (balance([], [], AFTER_SILENCE), "after_open_end"),
        (balance([], [row(may_have_left=True)], AFTER_A_KILL), "after_kill"),
        (AFTER_AN_OUTAGE, "after_kill"),
        (balance([call(state="queued")], OVERTAKEN, []), "superseded"),
        (balance([call(0, "failed")], OPEN_ENDED, [taken()]), "ambiguous"),
    ],
    ids=["silence", "kill", "outage", "superseded", "ambiguous"],
)
def test_exception_with_a_reason_is_not_wrong(count: Balance, what: str) -> None:
    assert (getattr(count, what), count.wrong) == (1, [])
