"""One table: what went wrong → status and body. Everything under /meeting_server/ is answered in
JSON.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, IntegrityError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from meetings.api.reading.body import BodyTooLarge, NoParameters
from meetings.itip.errors import (
    InvalidProperty,
    NoAttendees,
    OccurrenceCancelled,
    OrganizerMismatch,
)
from meetings.operations.steps.errors import Conflict, UnknownMeeting

log = logging.getLogger(__name__)

Fields = dict[str, list[str]]


class MissingParameters(Exception):
    """A required parameter is missing; ``fields`` says which, wrong ones included."""

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.fields = fields


class InvalidParameters(MissingParameters):
    """A parameter is wrong."""


class Forbidden(Exception):
    """The caller's key may not speak for this sender."""


def _body(error: str, fields: Fields | None = None) -> dict[str, Any]:
    return {"error": error, "fields": fields} if fields else {"error": error}


_Answer = Callable[[Any], dict[str, Any]]
_NOT_FOUND, _INVALID, _CONFLICT = "Not found", "Invalid parameters", "Conflict"


def _says(error: str, **fields: str) -> _Answer:
    return lambda _: _body(error, {name: [message] for name, message in fields.items()})


def _detail(error: exceptions.APIException) -> dict[str, Any]:
    return _body(str(error.detail))


# The first row whose class fits.
_TABLE: tuple[tuple[type[Exception], int, _Answer], ...] = (
    (InvalidParameters, 400, lambda error: _body(_INVALID, error.fields)),
    (MissingParameters, 400, lambda error: _body(_NOT_FOUND, error.fields)),
    (InvalidProperty, 400, lambda error: _body(_INVALID, {error.field: [error.message]})),
    (NoAttendees, 400, _says(_NOT_FOUND, receiver="At least one person must be invited.")),
    (NoParameters, 404, _says(_NOT_FOUND)),
    (exceptions.UnsupportedMediaType, 404, _says(_NOT_FOUND)),
    (exceptions.ParseError, 404, _says(_NOT_FOUND)),
    (UnknownMeeting, 404, _says(_NOT_FOUND, uid="No meeting has this uid.")),
    (Conflict, 409, lambda error: _body(_CONFLICT, {error.field: [error.message]})),
    (
        OccurrenceCancelled,
        409,
        lambda error: _body(_CONFLICT, {"occurrence": [f"{error} was cancelled already."]}),
    ),
    (
        OrganizerMismatch,
        409,
        _says(_CONFLICT, sender="Must be the sender that the meeting was sent with."),
    ),
    (
        IntegrityError,
        409,
        _says(_CONFLICT, uid="Another call with this uid is under way: try again."),
    ),
    (Forbidden, 403, _says("Forbidden", sender="This API key may not speak for this sender.")),
    (exceptions.NotAuthenticated, 401, _says("Unauthorized")),
    (exceptions.AuthenticationFailed, 401, _says("Unauthorized")),
    (BodyTooLarge, 413, _detail),
    (exceptions.Throttled, 429, _detail),
    (exceptions.MethodNotAllowed, 405, _detail),
    (
        DatabaseError,
        503,
        _says("Service unavailable"),
    ),  # a server that is stopped short ends in a plain one
    (InterfaceError, 503, _says("Service unavailable")),
    (Exception, 500, _says("Internal server error")),
)


def answer_for(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: the contract's answer to ``error``, never a traceback."""
    status, body = next(
        (status, answer(error)) for kind, status, answer in _TABLE if isinstance(error, kind)
    )
    if status >= 500:  # noqa: PLR2004
        log.error("Answered %d", status, exc_info=error)
    response = (
        exception_handler(error, context) if isinstance(error, exceptions.APIException) else None
    )
    headers = response.headers if response is not None else {}
    kept = {
        name: headers[name]
        for name in ("Retry-After", "WWW-Authenticate", "Allow")
        if name in headers
    }
    return Response(body, status=status, headers=kept)


@csrf_exempt  # its refusal would be a page
def not_found(request: HttpRequest) -> JsonResponse:
    """Any other path under /meeting_server/."""
    return JsonResponse(_body(_NOT_FOUND), status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400 (a wrong Host header, for one): JSON under /meeting_server/, a page
    elsewhere.
    """
    if request.path.startswith("/meeting_server"):
        return JsonResponse(_body("Bad request"), status=400)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: for what fails outside a view."""
    if request.path.startswith("/meeting_server"):
        return JsonResponse(_body("Internal server error"), status=500)
    return defaults.server_error(request)
