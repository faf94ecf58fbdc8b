"""What ``manage.py migrate`` fixes, and the sentence that says so in place of a traceback."""

import logging

from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from meeting_server.database.place import Place
from meeting_server.shell import manage

# PostgreSQL's codes for a table and for a column that does not exist.
UNDEFINED = {"42P01", "42703"}


class NoDatabase(OperationalError):
    """There is no embedded database, and this process may not create one."""

    def __init__(self, place: Place) -> None:
        super().__init__(
            f"There is no database in {place.data}; run `{manage('migrate')}` to create it,"
            " or set VAR_DIR or DATABASE_URL to the one that you use."
        )


class Unmigrated(DatabaseError):
    """The database was made by an older version, or is empty."""

    def __init__(self, detail: str = "") -> None:
        what = f"The database is not migrated to this version{detail and f' ({detail})'}"
        super().__init__(f"{what}; run `{manage('migrate')}`.")


def refuse_unmigrated() -> None:
    """Raise Unmigrated if a migration is still to be applied to the default database."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Unmigrated


def advice(error: BaseException | None) -> str | None:
    """The sentence for an error that ``migrate`` fixes; None for any other error."""
    while error is not None:
        if isinstance(error, NoDatabase | Unmigrated):
            return str(error)
        if getattr(error, "pgcode", None) in UNDEFINED:
            return str(Unmigrated(str(error).partition("\n")[0]))
        error = error.__cause__ or error.__context__
    return None


class AdviceForTraceback(logging.Filter):
    """For the log of a server whose operator forgot ``migrate``."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Log the sentence in place of the traceback."""
        if record.exc_info and (sentence := advice(record.exc_info[1])):
            record.msg, record.args = f"{record.getMessage()}: {sentence}", ()
            record.exc_info = None
        return True
