"""An operation's receipt → the contract's answer."""

from datetime import datetime
from typing import Any

from rest_framework.response import Response

from meetings.queries.standing import Receipt

_STATES = {"sending": "queued"}


def answer(receipt: Receipt, *, warnings: list[str], with_occurrences: bool) -> Response:
    """Result 0 only when nothing was mailed and nothing will be; 202 when nothing was mailed yet."""
    body: dict[str, Any] = {"result": 1, "uid": receipt.uid, "sequence": receipt.sequence}
    status = 200
    if not receipt.sent and receipt.pending:
        status = 202
    elif not receipt.sent and receipt.error:
        body = {"result": 0, "uid": receipt.uid, "error": receipt.error}
    elif not receipt.sent:
        warnings = [*warnings, "Nobody had received the invitation, so there was nobody to tell."]
    if receipt.new_uid:
        body["new_uid"] = receipt.new_uid
    body["recipients"] = {
        address: _STATES.get(state, state) for address, state in receipt.recipients.items()
    }
    if with_occurrences:
        body["occurrences"] = _occurrences(receipt)
    if warnings:
        body["warnings"] = warnings
    return Response(body, status=status)


def _occurrences(receipt: Receipt) -> dict[str, Any]:
    """How many there are, and the wall-clock start of the first and the last."""
    first, last = receipt.occurrences[0], receipt.occurrences[-1]
    return {
        "count": len(receipt.occurrences),
        "first": _start(first, all_day=receipt.all_day),
        "last": _start(last, all_day=receipt.all_day),
    }


def _start(start: datetime, *, all_day: bool) -> str:
    if all_day:
        return f"{start:%Y-%m-%d}"
    return f"{start:%Y-%m-%d %H:%M:%S}" if start.second else f"{start:%Y-%m-%d %H:%M}"
