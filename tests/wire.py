"""``make test-pgbouncer``: the tests that reach PostgreSQL by a wire, through PgBouncer.

PgBouncer gives a connection to somebody else after each transaction, so nothing may be kept in a
session of PostgreSQL. ``python -m tests.wire -x`` passes options on to pytest.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import django


def main() -> int:
    """Start an embedded PostgreSQL and PgBouncer, and run the tests with the marker ``wire``."""
    from django.db import connection

    from meeting_server.database.base import DatabaseWrapper
    from tests.support.servers.pgbouncer import DIRECT, PROGRAM, PgBouncer

    if not PROGRAM.exists():
        sys.stderr.write("NO PGBOUNCER: apt-get install pgbouncer\n")
        return 1
    DatabaseWrapper.may_create = True
    connection.ensure_connection()  # this process keeps PostgreSQL running
    at = connection.settings_dict
    with tempfile.TemporaryDirectory(prefix="meeting-server-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with PgBouncer(folder, host=Path(at["HOST"]), port=at["PORT"], user=at["USER"]) as bouncer:
            env = os.environ | {
                DIRECT: f"{at['HOST']}:{at['PORT']}",
                "DATABASE_URL": bouncer.url(at["NAME"]),
                "DISABLE_SERVER_SIDE_CURSORS": "on",
            }
            options = sys.argv[1:] or ["-n", "2"]
            command = [sys.executable, "-m", "pytest", "-m", "wire and not direct", *options]
            return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    os.environ.pop("DATABASE_URL", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")
    django.setup()
    sys.exit(main())
