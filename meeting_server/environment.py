"""Reads environment variables, and refuses with a sentence what is no number."""

import os
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


class Environment(environ.Env):  # type: ignore[misc]
    """``environ.Env``, but strict about numbers.

    An empty variable counts as unset, because compose files leave variables out in this way.
    """

    ENVIRON = {name: value for name, value in os.environ.items() if value}

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        """Return the value. Raises ImproperlyConfigured."""
        try:
            return super().get_value(var, *args, **kwargs)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{var} is {self.ENVIRON[var]!r}, which is not {_wanted(*args, **kwargs)}."
            ) from error

    @classmethod
    def parse_value(cls, value: str, cast: Any) -> Any:
        """Convert the text of a variable. The library itself would read 30s as 30 and 1e3 as 13."""
        return float(value) if cast is float else super().parse_value(value, cast)


def _wanted(cast: object = None, **_: object) -> str:
    if isinstance(cast, list):
        return "a list of numbers"
    return "an integer" if cast is int else "a number"
