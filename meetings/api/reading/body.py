"""The request's body: JSON of a bounded size, or nothing."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser


class NoParameters(APIException):
    """No body, ``{}``, not JSON, or not an object: the service this one replaces answers 404 to
    that.
    """

    status_code = 404


class BodyTooLarge(APIException):
    """The body is over MEETINGS_MAX_BODY."""

    status_code = 413
    default_detail = "The body is over the limit."


class BoundedJSONParser(BaseParser):
    """JSON in UTF-8, at most MEETINGS_MAX_BODY bytes of it."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The JSON object. Raises BodyTooLarge, NoParameters."""
        body = stream.read(settings.MEETINGS_MAX_BODY + 1)
        if len(body) > settings.MEETINGS_MAX_BODY:
            raise BodyTooLarge
        try:
            parameters = json.loads(body, parse_int=_integer, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise NoParameters from error
        if not isinstance(parameters, dict) or not parameters:
            raise NoParameters
        return parameters


def _integer(digits: str) -> int | str:
    """A number too long for Python's conversion stays text, so that the field it is in can refuse
    it.
    """
    return int(digits) if len(digits) < 1000 else digits  # noqa: PLR2004


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
