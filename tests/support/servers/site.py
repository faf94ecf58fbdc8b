"""A whole installation on an embedded PostgreSQL: web server, mail loops, Celery's workers."""

import contextlib
import os
import signal
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import psycopg2
from kombu.connection import Connection

from meeting_server.database.place import DATABASE, PORT, ROLE, Place
from tests.support.callers import is_served
from tests.support.servers import broker
from tests.support.servers.environments import environment
from tests.support.servers.pgbouncer import PgBouncer
from tests.support.servers.ports import free_port
from tests.support.servers.processes import Process, children, lives, pid_in, run
from tests.support.waiting import wait_until

# Longer than a busy machine takes. A test that needs the end of a lease or a claim brings it about.
TIMES = {
    "EMAIL_TIMEOUT": "120",
    "MEETINGS_TIME_BUDGET": "120",
    "MEETINGS_SMTP_DEADLINE": "120",
    "MEETINGS_LEASE": "600",
    "MEETINGS_BACK_OFF": "0.3,0.6,1",
}
# The embedded PostgreSQL ends with its last user. This one is never killed, so that PostgreSQL ends
# only where a test stops it, and runs again at once.
USER = """
import django
django.setup()
from django.db import DatabaseError, InterfaceError, connection

while True:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(3600)")
    except (DatabaseError, InterfaceError):
        connection.close()
"""
CELERY = ("-m", "celery", "-A", "meeting_server")
ROLES = {
    "database": ("-c", USER),
    "web": ("-m", "gunicorn", "meeting_server.wsgi"),
    "mail": ("manage.py", "deliver_mail"),
    "worker": (*CELERY, "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"),
    "beat": (*CELERY, "beat", "--loglevel", "WARNING"),
}


@contextlib.contextmanager
def open_folder(name: str = "var") -> Iterator[Path]:
    """A folder that PostgreSQL's own account can enter. Pytest's folders are closed to it."""
    with tempfile.TemporaryDirectory(prefix="meeting-server-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / name


class Site:
    """Its processes, by name: a role, or a role and a number, as in ``mail2``.

    PostgreSQL's account must be able to enter ``var``.
    """

    def __init__(
        self,
        var: Path,
        email_url: str,
        *,
        with_broker: bool = False,
        with_pgbouncer: bool = False,
        **env: str,
    ) -> None:
        var.mkdir(mode=0o755, exist_ok=True)
        self.var = var
        self.place = Place(var.resolve())
        self.port = free_port()
        self.queue = f"meetings-tests-{uuid.uuid4().hex[:8]}" if with_broker else ""
        self.env = environment(**TIMES) | {
            "DJANGO_SETTINGS_MODULE": "meeting_server.settings",
            "VAR_DIR": str(var),
            "EMAIL_URL": email_url,
            "PORT": str(self.port),
            "MEETINGS_LOOPBACK_WITHOUT_KEY": "true",
            "MEETINGS_RATE": "1000000/min",
            "LOG_LEVEL": "WARNING",
            "WORKER_THREADS": "4",
        }
        if with_broker:
            self.env |= {"CELERY_BROKER_URL": broker.URL, "CELERY_TASK_DEFAULT_QUEUE": self.queue}
        self.env |= env
        self.own: dict[str, dict[str, str]] = {}
        self.running: dict[str, Process] = {}
        run(self.env, "manage.py", "migrate", "-v0")
        self.start("database")
        self.pgbouncer = self._pgbouncer() if with_pgbouncer else None

    def _pgbouncer(self) -> PgBouncer:
        """All processes but PostgreSQL's user go through it."""
        wait_until(self.postgres, "PostgreSQL")
        bouncer = PgBouncer(self.var, host=self.place.socket_dir, port=PORT, user=ROLE)
        bouncer.wait_until_it_responds()
        self.env |= {
            "DATABASE_URL": bouncer.url(DATABASE),
            "DISABLE_SERVER_SIDE_CURSORS": "on",
        }
        return bouncer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self, name: str, **env: str) -> None:
        """Start ``name``. When it is started again it has the same ``env``."""
        env = self.own.setdefault(name, env)
        command = ROLES[name.rstrip("0123456789")]
        self.running[name] = Process(self.var / f"{name}.log", self.env | env, *command)

    def wait_for_web(self) -> None:
        """Until it responds to calls."""
        wait_until(self._is_served, "the web server")

    def _is_served(self) -> bool:
        if not self.running["web"].runs:
            raise AssertionError(f"the web server ended: {self.running['web'].said()}")
        return is_served(self.port)

    def web_workers(self) -> list[int]:
        """The ids of the web server's own workers."""
        return children(self.running["web"].process.pid, recursive=False)

    @property
    def database_url(self) -> str:
        """For a process that is to find the database running."""
        return f"postgres://{ROLE}@/{DATABASE}?host={self.place.socket_dir}"

    def kill(self, name: str) -> None:
        """Kill -9, its children too."""
        self.running.pop(name).kill()

    def stop(self, name: str) -> None:
        """End it as an operator does."""
        self.running.pop(name).close()

    def postgres(self) -> int:
        """PostgreSQL's process id; 0 when it does not run."""
        return pid_in(self.place.data / "postmaster.pid")

    def stop_postgres(self) -> None:
        """Its "immediate" shutdown: no checkpoint, every session cut.

        It is started again at once.
        """
        pid = self.postgres()
        assert pid, "PostgreSQL does not run"
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not lives(pid), "the end of PostgreSQL")

    def purge_broker(self) -> int:
        """Throw away the pending tasks. Returns how many."""
        with Connection(broker.URL) as connection:  # type: ignore[no-untyped-call]
            return int(connection.default_channel.queue_purge(self.queue) or 0)

    def _forget_queue(self) -> None:
        with Connection(broker.URL) as connection:  # type: ignore[no-untyped-call]
            connection.default_channel.queue_delete(self.queue)
            connection.default_channel.exchange_delete(self.queue)

    @contextlib.contextmanager
    def database(self) -> Iterator[Any]:
        """A cursor whose every statement commits. Waits while the database is unreachable."""
        opened: list[Any] = []
        wait_until(lambda: opened or self._connect(opened), "PostgreSQL")
        [connection] = opened
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def _connect(self, opened: list[Any]) -> bool:
        with contextlib.suppress(psycopg2.OperationalError):
            opened.append(
                psycopg2.connect(
                    host=str(self.place.socket_dir), port=PORT, user=ROLE, dbname=DATABASE
                )
            )
        return bool(opened)

    def query(
        self, statement: str, parameters: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of one statement."""
        with self.database() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def said(self) -> str:
        """What all processes wrote."""
        return "\n".join(
            f"== {log.name}\n{log.read_text(errors='replace')}"
            for log in sorted(self.var.glob("*.log"))
        )

    def close(self) -> None:
        """End everything, PostgreSQL too."""
        postgres = self.postgres()
        for name in list(self.running):
            self.kill(name)
        if self.pgbouncer:
            self.pgbouncer.close()
        wait_until(lambda: not lives(postgres), "the end of PostgreSQL")
        if self.queue:
            self._forget_queue()
