"""``manage.py``: Django's command line, with a sentence where the database is not as needed."""

from django.core.management import ManagementUtility, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, OperationalError

from meeting_server.database.base import DatabaseWrapper
from meeting_server.database.errors import NoDatabase, advice, refuse_unmigrated


class CommandLine(ManagementUtility):
    """Only ``migrate`` creates a database. Commands that need its tables end without them."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """Django prints a CommandError as one line, or as a traceback with ``--traceback``."""
        command = super().fetch_command(subcommand)
        execute = command.execute
        if subcommand == "migrate":
            DatabaseWrapper.may_create = True

        def explained(*args: object, **options: object) -> str | None:
            try:
                if _needs_tables(subcommand, command):
                    _refuse_unmigrated()
                return execute(*args, **options)
            except (DatabaseError, InterfaceError, CommandError) as error:
                if sentence := _explanation(subcommand, error):
                    raise CommandError(sentence) from error
                raise

        command.execute = explained  # type: ignore[method-assign]
        return command


def _needs_tables(subcommand: str, command: BaseCommand) -> bool:
    return (
        command.requires_migrations_checks
        or subcommand == "runserver"  # it checks too, but in a thread whose errors are tracebacks
        or get_commands().get(subcommand) == "meetings"
    )


def _refuse_unmigrated() -> None:
    try:
        refuse_unmigrated()
    except NoDatabase:
        raise
    except (OperationalError, InterfaceError):
        # Unavailable. The command itself says so, or it waits, as deliver_mail does.
        return


def _explanation(subcommand: str, error: Exception) -> str | None:
    # A migration that finds no table is at fault itself.
    if subcommand != "migrate" and (sentence := advice(error)):
        return sentence
    # PostgreSQL gives each of its errors a code. Without one there was no connection.
    connected = getattr(error.__cause__, "pgcode", None)
    if isinstance(error, OperationalError | InterfaceError) and not connected:
        return f"The database is unavailable: {str(error).strip()}"
    return None
