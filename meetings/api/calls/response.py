"""The standing of a call → the contract's response."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from rest_framework.response import Response

from meetings.api.calls.warnings import warning_of
from meetings.queries.standing import Standing

_STATES = {"sending": "queued"}
_NO_RECIPIENT = "No recipient had received the invitation, so no mail was sent."


class Occurrences(TypedDict):
    """How many there are, and the wall-clock start of the first and the last."""

    count: int
    first: str
    last: str


def response_to(standing: Standing, *, warnings: Sequence[str], with_occurrences: bool) -> Response:
    """Return 200 or 202.

    ``result`` is 0 only where nothing was mailed and nothing will be. 202 means that nothing was
    mailed yet.
    """
    warnings = [*warnings, *map(warning_of, standing.notes)]
    refused = not standing.sent and not standing.pending and bool(standing.error)
    if not standing.sent and not standing.pending and not refused:
        warnings.append(_NO_RECIPIENT)
    body: dict[str, object] = (
        {"result": 0, "uid": standing.uid, "error": standing.error}
        if refused
        else {"result": 1, "uid": standing.uid, "sequence": standing.sequence}
    )
    if standing.new_uid:
        body["new_uid"] = standing.new_uid
    body["recipients"] = {
        address: _STATES.get(state, state) for address, state in standing.recipients.items()
    }
    if with_occurrences:
        body["occurrences"] = _occurrences(standing)
    if warnings:
        body["warnings"] = warnings
    is_pending = not standing.sent and standing.pending
    return Response(body, status=202 if is_pending else 200)


def _occurrences(standing: Standing) -> Occurrences:
    first, last = standing.occurrences[0], standing.occurrences[-1]
    return {
        "count": len(standing.occurrences),
        "first": _start(first, all_day=standing.all_day),
        "last": _start(last, all_day=standing.all_day),
    }


def _start(start: datetime, *, all_day: bool) -> str:
    if all_day:
        return f"{start:%Y-%m-%d}"
    return f"{start:%Y-%m-%d %H:%M:%S}" if start.second else f"{start:%Y-%m-%d %H:%M}"
