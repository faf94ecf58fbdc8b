"""The one column type that Django does not have."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class WallClockField(models.DateTimeField):  # type: ignore[type-arg]
    """A naive wall-clock time, PostgreSQL's ``timestamp without time zone``.

    People agree on a time of day, so that is what is kept. The instant follows from the zone's law
    on that day (interop Z7).
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "timestamp without time zone"

    def get_prep_value(self, value: Any) -> datetime | None:
        moment: datetime | None = self.to_python(value)
        if moment is not None and moment.tzinfo is not None:
            raise ValueError(f"{self.name} takes a naive wall-clock time")
        return moment

    def to_python(self, value: Any) -> Any:
        # DateTimeField's own to_python() warns about naive values.
        return datetime.fromisoformat(value) if isinstance(value, str) else value

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        # psycopg2 takes naive datetimes as they are.
        return value if prepared else self.get_prep_value(value)
