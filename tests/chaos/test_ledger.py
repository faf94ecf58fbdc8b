"""The balance finds what must not be: each wrong is made here once, by hand."""

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
        "ended": began + 1,
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


def taken(at: float = 0.5, sequence: int = 0, *, acknowledged: bool = True) -> Taken:
    return Taken(
        at=at,
        message_id=f"<{sequence}>",
        uid="one",
        sequence=sequence,
        dtstamp="20270201T093000Z",
        method="REQUEST",
        recipient=BOB,
        acknowledged=acknowledged,
    )


def test_what_was_promised_and_taken_is_right() -> None:
    count = balance([call()], [row()], [taken()], [])
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
        pytest.param([], [], [taken(1.0), taken(2.0)], "unexplained", id="twice for no reason"),
        pytest.param([], [row()], [], "misrecorded", id="stored as sent"),
        pytest.param([], [row("failed")], [taken()], "misrecorded", id="stored as failed"),
    ],
)
def test_each_wrong_is_found(
    calls: list[Call], rows: list[Row], mails: list[Taken], wrong: str
) -> None:
    assert len(getattr(balance(calls, rows, mails, []), wrong)) == 1


@pytest.mark.parametrize(
    ("count", "what"),
    [
        (balance([], [], [taken(1.0, acknowledged=False), taken(2.0)], []), "after_open_end"),
        (balance([], [], [taken(1.0), taken(9.0)], [1.2]), "after_kill"),
        (balance([call(state="queued")], [row("superseded", newest=1)], [], []), "superseded"),
        (
            balance([call(0, "failed")], [row("failed", may_have_left=True)], [taken()], []),
            "ambiguous",
        ),
    ],
)
def test_what_has_a_reason_is_counted_and_not_wrong(count: Balance, what: str) -> None:
    assert (getattr(count, what), count.wrong) == (1, [])
