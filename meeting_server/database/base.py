"""Django's PostgreSQL engine on a PostgreSQL of our own, which each new connection finds running or starts.

Importing settings or this module starts nothing: type checkers and ``makemigrations`` do it.
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
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        """Psql's path in place of its name."""
        from meeting_server.database.keeper import binaries_for  # noqa: PLC0415 (a tenth of a second, for dbshell only)

        args, env = super().settings_to_cmd_args_env(settings_dict, parameters)
        return [str(binaries_for(Place(Path(settings.VAR_DIR))) / "psql"), *args[1:]], env

    def runshell(self, parameters: Iterable[str]) -> None:
        """Psql knows nothing of starting servers."""
        self.connection.ensure_connection()
        super().runshell(parameters)


class DatabaseCreation(creation.DatabaseCreation):
    """Tests may create the embedded database, as ``migrate`` may."""

    def create_test_db(self, *args: Any, **kwargs: Any) -> str:  # noqa: D102
        DatabaseWrapper.may_create = True
        return super().create_test_db(*args, **kwargs)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the embedded PostgreSQL."""

    client_class = DatabaseClient
    creation_class = DatabaseCreation
    # For the whole process. A command with a mistyped VAR_DIR would work on a new, empty database.
    may_create = False

    def __init__(self, settings_dict: dict[str, Any], alias: str = "default") -> None:
        self.place = Place(Path(settings.VAR_DIR).resolve())
        settings_dict |= {"USER": ROLE, "HOST": str(self.place.socket_dir), "PORT": PORT}
        super().__init__(settings_dict, alias)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; where the server is not running, has been killed or is on its way, see that it runs and try again.

        First connect, then ask: in a process's life the server is nearly always there.
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
