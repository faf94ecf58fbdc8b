"""Real processes on an embedded PostgreSQL of their own: web server, mail loops, Celery's workers."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import psycopg2
from kombu.connection import Connection

from meeting_server.database.place import DATABASE, PORT, ROLE, Place
from tests.support import broker

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
# Short, so that what a killed process leaves behind is soon found; the lease exceeds the other two,
# as it must.
TIMES = {
    "MEETINGS_TIME_BUDGET": "1.2",
    "MEETINGS_SMTP_DEADLINE": "1.2",
    "MEETINGS_LEASE": "7.5",
    "MEETINGS_BACK_OFF": "0.3,0.6,1",
}
ROLES = {
    "web": ("-m", "gunicorn", "meeting_server.wsgi"),
    "mail": ("manage.py", "deliver_mail"),
    "worker": (
        "-m", "celery", "-A", "meeting_server", "worker", "--loglevel", "WARNING",
        "--without-gossip", "--without-mingle",
    ),
    "beat": ("-m", "celery", "-A", "meeting_server", "beat", "--loglevel", "WARNING"),
}  # fmt: skip


def wait_until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Poll; the deadline is far beyond what any of these events takes."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {patience:g} s for: {what}")
        time.sleep(0.02)


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """What runs, by name; everything ends with ``close``. ``var`` must be enterable by PostgreSQL's
    account.
    """

    def __init__(self, var: Path, email_url: str, *, with_broker: bool = False, **env: str) -> None:
        var.mkdir(mode=0o755, exist_ok=True)
        self.var = var
        self.place = Place(var.resolve())
        self.port = free_port()
        self.queue = f"meetings-chaos-{uuid.uuid4().hex[:8]}" if with_broker else ""
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CELERY_", "DATABASE_", "DJANGO_"))
        }
        self.env = ours | TIMES | {
            "VAR_DIR": str(var),
            "EMAIL_URL": email_url,
            "PORT": str(self.port),
            "MEETINGS_LOOPBACK_WITHOUT_KEY": "true",
            "MEETINGS_RATE": "1000000/min",
            "LOG_LEVEL": "WARNING",
            "WORKER_THREADS": "4",
        }  # fmt: skip
        if with_broker:
            self.env |= {"CELERY_BROKER_URL": broker.URL, "CELERY_TASK_DEFAULT_QUEUE": self.queue}
        self.env |= env
        self.own: dict[str, dict[str, str]] = {}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._run("manage.py", "migrate", "-v0")

    def _run(self, *command: str) -> None:
        subprocess.run(
            [sys.executable, *command], cwd=PROJECT, env=self.env, check=True, timeout=PATIENCE
        )

    def start(self, name: str, **env: str) -> None:
        """Start ``name``: a role, or a role and a number, as in ``mail2``. Started anew it has the
        same ``env``.
        """
        env = self.own.setdefault(name, env)
        with (self.var / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, *ROLES[name.rstrip("0123456789")]],
                cwd=PROJECT,
                env=self.env | env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_for_web(self) -> None:
        """Until it answers calls."""
        wait_until(self._answers, "the web server")

    def _answers(self) -> bool:
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            web.request("GET", "/meeting_server/")
            return web.getresponse().status > 0
        except (OSError, http.client.HTTPException):
            return False
        finally:
            web.close()

    def web_workers(self) -> list[int]:
        """The ids of the web server's own workers."""
        try:
            children = psutil.Process(self.running["web"].pid).children()
        except psutil.NoSuchProcess:
            return []
        return sorted(child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE)

    @property
    def database_url(self) -> str:
        """For a process that is to find the database running."""
        return f"postgres://{ROLE}@/{DATABASE}?host={self.place.socket_dir}"

    def kill(self, name: str) -> None:
        """Kill -9, its children too, as when a machine loses its power."""
        process = self.running.pop(name)
        family = [*_children(process.pid), process.pid]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not any(map(lives, family)), f"the end of {name}")

    def postgres(self) -> int:
        """PostgreSQL's process id; 0 when it does not run."""
        try:
            pid = int((self.place.data / "postmaster.pid").read_text().split("\n")[0])
        except (FileNotFoundError, ValueError):
            return 0
        return pid if lives(pid) else 0

    def stop_postgres(self) -> None:
        """Its "immediate" shutdown: no checkpoint, every session cut. The next who connects starts
        it again.
        """
        pid = self.postgres()
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not lives(pid), "the end of PostgreSQL")

    def purge_broker(self) -> int:
        """Throw away the tasks that wait; how many."""
        with Connection(broker.URL) as connection:  # type: ignore[no-untyped-call]
            return int(connection.default_channel.queue_purge(self.queue) or 0)

    def _forget_queue(self) -> None:
        with Connection(broker.URL) as connection:  # type: ignore[no-untyped-call]
            connection.default_channel.queue_delete(self.queue)
            connection.default_channel.exchange_delete(self.queue)

    @contextlib.contextmanager
    def database(self) -> Iterator[Any]:
        """A cursor; each statement is its own transaction. Waits while the database is away."""
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
        """What all of them wrote."""
        return "\n".join(
            f"== {log.name}\n{log.read_text(errors='replace')}"
            for log in sorted(self.var.glob("*.log"))
        )

    def close(self) -> None:
        """End everything, PostgreSQL too."""
        postgres = self.postgres()
        for name in list(self.running):
            self.kill(name)
        wait_until(lambda: not lives(postgres), "the end of PostgreSQL")
        if self.queue:
            self._forget_queue()


def lives(pid: int) -> bool:
    """Whether the process runs: a zombie that nobody has collected does not."""
    try:
        return bool(pid and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _children(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
