"""Django's PostgreSQL engine, on an embedded PostgreSQL that a new connection starts if necessary.

Importing the settings or this module starts nothing, because type checkers do both.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base, client, creation
from django.db.utils import OperationalError

from meeting_server.database import server
from meeting_server.database.errors import NoDatabase
from meeting_server.database.place import PORT, ROLE, Place


class DatabaseClient(client.DatabaseClient):
    """``manage.py dbshell`` with the psql that belongs to the server."""

    @classmethod
    def settings_to_cmd_args_env(  # noqa: D102
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        # This import takes a tenth of a second, and only dbshell needs it.
        from meeting_server.database.keeper import binaries_for  # noqa: PLC0415

        args, env = super().settings_to_cmd_args_env(settings_dict, parameters)
        psql = binaries_for(Place(Path(settings.VAR_DIR))) / "psql"
        return [str(psql), *args[1:]], env

    def runshell(self, parameters: Iterable[str]) -> None:
        """Start the server first, because psql cannot."""
        self.connection.ensure_connection()
        super().runshell(parameters)


class DatabaseCreation(creation.DatabaseCreation):
    """Tests may create the embedded database, as ``migrate`` may."""

    def create_test_db(  # noqa: D102
        self,
        verbosity: int = 1,
        autoclobber: bool = False,
        serialize: bool = True,
        keepdb: bool = False,
    ) -> str:
        DatabaseWrapper.may_create = True
        return super().create_test_db(verbosity, autoclobber, serialize, keepdb)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the embedded PostgreSQL."""

    client_class = DatabaseClient
    creation_class = DatabaseCreation
    # Set for the whole process. Without it, a command with a mistyped VAR_DIR would work on a new,
    # empty database.
    may_create = False

    def __init__(self, settings_dict: dict[str, Any], alias: str = "default") -> None:
        self.place = Place(Path(settings.VAR_DIR).resolve())
        settings_dict |= {"USER": ROLE, "HOST": str(self.place.socket_dir), "PORT": PORT}
        super().__init__(settings_dict, alias)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect. If the server does not run, start it and try again.

        Connecting comes first, because the server nearly always runs already.
        """
        if not self.may_create and not self.place.has_database:
            raise NoDatabase(self.place)
        server.refuse_foreign_socket(self.place)
        server.hold(self.place)
        deadline = time.monotonic() + server.PATIENCE
        while True:
            try:
                with self.wrap_database_errors:
                    return super().get_new_connection(conn_params)
            except OperationalError as error:
                if not server.is_passing(error) or time.monotonic() > deadline:
                    raise
            server.bring_up(self.place, deadline)
