"""Where the embedded PostgreSQL has its files. The keeper reads this, and starts without Django."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

DATABASE = ROLE = "meeting_server"
PORT = "5432"  # only the end of the socket's name: no TCP port is opened

# sockaddr_un has room for 108 bytes on Linux and 104 elsewhere, NUL included.
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
        """Whether a database was created here. It may be another account's, and unreadable."""
        try:
            (self.data / "PG_VERSION").stat()
        except PermissionError:
            return True
        except FileNotFoundError:
            return False
        return True

    @property
    def log(self) -> Path:
        """The log of PostgreSQL and of the keeper."""
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
        """The data directory, or a short one below /tmp if its path does not suit a socket.

        It may be too long, or have a comma, which libpq reads as two hosts. TMPDIR and
        XDG_RUNTIME_DIR are not used: a terminal and a cron job would look in different places.
        """
        name = os.fsencode(self.data / f".s.PGSQL.{PORT}")
        if len(name) <= LONGEST_SOCKET_NAME and b"," not in name:
            return self.data
        digest = hashlib.sha256(name).hexdigest()[:16]
        return Path("/tmp") / f"meeting-server-{digest}"  # noqa: S108 (its owner is checked)

    @property
    def socket(self) -> Path:
        """The Unix socket on which PostgreSQL listens."""
        return self.socket_dir / f".s.PGSQL.{PORT}"

    def owned_by(self, *uids: int) -> bool:
        """Whether the socket's directory is absent or belongs to one of these accounts.

        Below /tmp any account can have made it.
        """
        try:
            return self.socket_dir.lstat().st_uid in uids
        except FileNotFoundError:
            return True
