"""The one column type that Django does not have."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class WallClockField(models.DateTimeField):  # type: ignore[type-arg]
    """A naive wall-clock time, PostgreSQL's ``timestamp without time zone``.

    People agree on a time of day, so that is what is kept; the instant follows from the zone's law
    of the day (interop Z7).
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The column's type."""
        return "timestamp without time zone"

    def get_prep_value(self, value: Any) -> datetime | None:
        """The naive value as it is; an aware one has no business here."""
        moment: datetime | None = self.to_python(value)
        if moment is not None and moment.tzinfo is not None:
            raise ValueError(f"{self.name} takes a naive wall-clock time")
        return moment

    def to_python(self, value: Any) -> Any:
        """A datetime as it is, text as ISO 8601; DateTimeField's own would warn about naive values."""
        return datetime.fromisoformat(value) if isinstance(value, str) else value

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        """Nothing to adapt: psycopg2 takes naive datetimes."""
        return value if prepared else self.get_prep_value(value)
