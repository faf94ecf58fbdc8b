"""The standing of a call → the contract's response."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypedDict

from rest_framework.response import Response

from meetings.api.calls.warnings import warning_of
from meetings.queries.standing import PersonState, Standing

_STATES = {
    PersonState.TOLD: "sent",
    PersonState.SENDING: "queued",
    PersonState.QUEUED: "queued",
    PersonState.OUTSTANDING: "failed",
    PersonState.UNTOLD: "untold",
}
_NOBODY = "Nobody has to be told of this, so no mail was sent."
_CLOSED = "The mail server takes no mail at present. What is queued leaves as soon as it does."
_PAUSED = "Mail is paused here: it leaves when an operator resumes it."


class Occurrences(TypedDict):
    """How many there are, and the wall-clock start of the first and the last."""

    count: int
    first: str
    last: str


def response_to(standing: Standing, *, warnings: Sequence[str], with_occurrences: bool) -> Response:
    """Return 200 or 202.

    ``result`` is 0 only where nothing was mailed and nothing will be. 202 means that nobody was
    told yet for certain, and that it goes on without the caller or that a mail may have arrived.
    """
    body: dict[str, object] = (
        {"result": 0, "uid": standing.uid, "error": standing.error}
        if standing.error
        else {"result": 1, "uid": standing.uid, "sequence": standing.sequence}
    )
    if standing.new_uid:
        body["new_uid"] = standing.new_uid
    body["recipients"] = {
        person.attendee.address: _STATES[person.state] for person in standing.people
    }
    if with_occurrences:
        body["occurrences"] = _occurrences(standing)
    if all_warnings := [*warnings, *_warnings(standing)]:
        body["warnings"] = all_warnings
    is_open = standing.pending or standing.may_have_arrived
    return Response(body, status=202 if is_open and not standing.told else 200)


def _warnings(standing: Standing) -> Iterator[str]:
    yield from map(warning_of, standing.notes)
    if not standing.asked:
        yield _NOBODY
    if standing.is_paused and standing.pending:
        yield _PAUSED
    elif standing.server_is_closed and standing.pending:
        yield _CLOSED


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
