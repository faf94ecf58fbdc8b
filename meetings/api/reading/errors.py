"""What is wrong with a request's body."""

from rest_framework.exceptions import APIException

Fields = dict[str, list[str]]
"""Field → what is wrong with it, in sentences."""


class MissingParameters(Exception):
    """A required parameter is missing. ``fields`` says which, and which are wrong."""

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.fields = fields


class InvalidParameters(MissingParameters):
    """A parameter is wrong."""


class NoParameters(APIException):
    """No body, ``{}``, not JSON, or not an object.

    The response is 404, as that of the service which this one replaces.
    """

    status_code = 404


class BodyTooLarge(APIException):
    """The body is over MEETINGS_MAX_BODY."""

    status_code = 413
    default_detail = "The body is over the limit."
