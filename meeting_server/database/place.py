"""Where the embedded PostgreSQL has its files. Knows no Django: the keeper starts without it."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

DATABASE = ROLE = "meeting_server"
PORT = "5432"  # only the end of the socket's name: no TCP port is opened

# sockaddr_un holds 108 bytes on Linux, 104 elsewhere, NUL included.
LONGEST_SOCKET_NAME = 103


@dataclass(frozen=True)
class Place:
    """The files of one embedded PostgreSQL."""

    var: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory, readable for its own account only."""
        return self.var / "postgres"

    @property
    def has_database(self) -> bool:
        """Whether a database was created here. Another account's, which cannot be looked into, counts."""
        try:
            (self.data / "PG_VERSION").stat()
        except PermissionError:
            return True
        except FileNotFoundError:
            return False
        return True

    @property
    def log(self) -> Path:
        """What PostgreSQL and the keeper have to say."""
        return self.var / "postgres.log"

    @property
    def users_lock(self) -> Path:
        """Held shared by each process that uses the server."""
        return self.var / "postgres.users"

    @property
    def keeper_lock(self) -> Path:
        """Held by the one process that may start the server."""
        return self.var / "postgres.keeper"

    @property
    def socket_dir(self) -> Path:
        """The data directory, or a short one where its path is too long for a socket or has a comma (libpq: two hosts).

        Not below TMPDIR or XDG_RUNTIME_DIR: a terminal and a cron job would look in different places.
        """
        name = os.fsencode(self.data / f".s.PGSQL.{PORT}")
        if len(name) <= LONGEST_SOCKET_NAME and b"," not in name:
            return self.data
        return Path("/tmp") / f"meeting-server-{hashlib.sha256(name).hexdigest()[:16]}"  # noqa: S108 (its owner is checked)

    @property
    def socket(self) -> Path:
        """The Unix socket on which PostgreSQL listens."""
        return self.socket_dir / f".s.PGSQL.{PORT}"

    def owned_by(self, *uids: int) -> bool:
        """Whether the socket's directory is absent or one of these accounts': below /tmp anybody may have made it."""
        try:
            return self.socket_dir.lstat().st_uid in uids
        except FileNotFoundError:
            return True
