"""The request's body: a JSON object of a bounded size."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from meetings.api.reading.errors import BodyTooLarge, NoParameters

# Python refuses to convert more than 4,300 digits, and takes long over fewer.
_LONGEST_NUMBER = 1000


class BoundedJSONParser(BaseParser):
    """JSON in UTF-8, of at most MEETINGS_MAX_BODY bytes."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON object. Raises BodyTooLarge, NoParameters."""
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
    """A number that is too long stays text, so that its field can refuse it."""
    return int(digits) if len(digits) < _LONGEST_NUMBER else digits


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
