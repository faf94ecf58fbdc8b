"""One table: what went wrong → status and body. Every response under /meeting_server/ is JSON."""

import logging
from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from meetings.api.reading.errors import (
    BodyTooLarge,
    Fields,
    InvalidParameters,
    MissingParameters,
    NoParameters,
)
from meetings.itip.errors import (
    InvalidProperty,
    InvalidRule,
    NoAttendees,
    OccurrenceCancelled,
    OrganizerMismatch,
)
from meetings.operations.steps.errors import Conflict, SenderNotPermitted, UnknownMeeting

log = logging.getLogger(__name__)

Body = dict[str, object]
_Reader = Callable[..., Body]

_NOT_FOUND: Final = "Not found"
_INVALID: Final = "Invalid parameters"
_CONFLICT: Final = "Conflict"
_UNAVAILABLE: Final = "Service unavailable"
_SERVER_ERROR: Final = 500

_FIELDS: Final = {
    "DTSTART": "start",
    "DTEND": "end",
    "TZID": "timezone",
    "RECURRENCE-ID": "occurrence",
    "RRULE": "repeat",
}
"""RFC 5545's property → the request's field."""


def _body(error: str, fields: Fields | None = None) -> Body:
    return {"error": error, "fields": fields} if fields else {"error": error}


def _fixed(error: str, field: str = "") -> _Reader:
    """A body with the same ``error`` always; under ``field`` stands the refusal's own sentence."""
    return lambda refusal: _body(error, {field: [str(refusal)]} if field else None)


def _detail(error: exceptions.APIException) -> Body:
    return _body(str(error.detail))


def _of_property(error: InvalidProperty) -> Body:
    field = _FIELDS[error.property]
    if isinstance(error, InvalidRule) and error.part:
        field = f"{field}.{error.part}"
    return _body(_INVALID, {field: [error.message]})


def _of_conflict(error: Conflict) -> Body:
    return _body(_CONFLICT, {error.field: [error.message]})


def _of_method(error: exceptions.MethodNotAllowed) -> Body:
    # DRF's own sentence is translated. The advice after it would stay English.
    [method] = error.args
    advice = "POST a JSON object to this address: docs/api.md describes it."
    return _body(f'Method "{method}" not allowed. {advice}')


# The first row whose class fits. A PostgreSQL that is stopped short ends in a plain DatabaseError.
_TABLE: tuple[tuple[type[Exception], int, _Reader], ...] = (
    (InvalidParameters, 400, lambda error: _body(_INVALID, error.fields)),
    (MissingParameters, 400, lambda error: _body(_NOT_FOUND, error.fields)),
    (InvalidProperty, 400, _of_property),
    (NoAttendees, 400, _fixed(_NOT_FOUND, "receiver")),
    (NoParameters, 404, _fixed(_NOT_FOUND)),
    (exceptions.UnsupportedMediaType, 404, _fixed(_NOT_FOUND)),
    (exceptions.ParseError, 404, _fixed(_NOT_FOUND)),
    (UnknownMeeting, 404, _fixed(_NOT_FOUND, "uid")),
    (Conflict, 409, _of_conflict),
    (OccurrenceCancelled, 409, _fixed(_CONFLICT, "occurrence")),
    (OrganizerMismatch, 409, _fixed(_CONFLICT, "sender")),
    (SenderNotPermitted, 403, _fixed("Forbidden", "sender")),
    (exceptions.NotAuthenticated, 401, _fixed("Unauthorized")),
    (exceptions.AuthenticationFailed, 401, _fixed("Unauthorized")),
    (BodyTooLarge, 413, _detail),
    (exceptions.Throttled, 429, _detail),
    (exceptions.MethodNotAllowed, 405, _of_method),
    (DatabaseError, 503, _fixed(_UNAVAILABLE)),
    (InterfaceError, 503, _fixed(_UNAVAILABLE)),
    (Exception, _SERVER_ERROR, _fixed("Internal server error")),
)
_KEPT_HEADERS: Final = ("Retry-After", "WWW-Authenticate", "Allow")


def response_for(error: Exception, context: dict[str, object]) -> Response:
    """Return the contract's response to ``error``, never a traceback. DRF's exception handler."""
    status, body = next(
        (status, body_of(error)) for kind, status, body_of in _TABLE if isinstance(error, kind)
    )
    if status >= _SERVER_ERROR:
        log.error("Responded %d", status, exc_info=error)
    return Response(body, status=status, headers=_headers(error, context))


def _headers(error: Exception, context: dict[str, object]) -> dict[str, str]:
    """Those of DRF's own response that the contract keeps."""
    if not isinstance(error, exceptions.APIException):
        return {}
    response = exception_handler(error, context)
    headers = response.headers if response is not None else {}
    return {name: headers[name] for name in _KEPT_HEADERS if name in headers}


@csrf_exempt  # its refusal would be a page
def not_found(request: HttpRequest) -> JsonResponse:
    """Any other path under /meeting_server/."""
    return JsonResponse(_body(_NOT_FOUND), status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400, for example for a wrong Host header: JSON under /meeting_server/."""
    if request.path.startswith("/meeting_server"):
        return JsonResponse(_body("Bad request"), status=400)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, for what fails outside a view: JSON under /meeting_server/."""
    if request.path.startswith("/meeting_server"):
        return JsonResponse(_body("Internal server error"), status=_SERVER_ERROR)
    return defaults.server_error(request)
