"""How a statement of the sending path is run."""

from collections.abc import Mapping

from django.db import OperationalError, connection
from psycopg2.errors import DeadlockDetected

Value = str | int | float | bool | list[str] | list[int] | list[bytes] | None
Parameters = Mapping[str, Value]
"""The parameters of a statement, by name. Times are passed as text (ISO 8601)."""

_RUNS = 3


def run(statement: str, parameters: Parameters) -> list[tuple[object, ...]]:
    """Run one statement, a transaction of its own, and return its rows.

    All statements take their locks in one order, so none should meet a deadlock. One that does has
    written nothing, and is run again.
    """
    for runs_left in reversed(range(_RUNS)):
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []
        except OperationalError as error:
            is_deadlock = isinstance(error.__cause__, DeadlockDetected)
            if not is_deadlock or not runs_left or connection.in_atomic_block:
                raise
    return []
