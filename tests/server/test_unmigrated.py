"""The web server where nobody has run ``migrate``: a sentence in its log, and no traceback."""

import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from meeting_server.database.errors import AdviceForTraceback
from tests.server.embedded import Machine, embedded_in
from tests.support.servers.ports import free_port
from tests.support.servers.processes import Process, run
from tests.support.waiting import PATIENCE, wait_until

GUNICORN = ("-m", "gunicorn", "meeting_server.wsgi")
NOT_MIGRATED = "The database is not migrated to this version"


def serve(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Start a web server that ends by itself."""
    own = {"PORT": str(free_port()), "WEB_CONCURRENCY": "1"}
    return run(env | own, *GUNICORN, check=False)


@pytest.fixture
def unmigrated_web(empty_database: dict[str, str], tmp_path: Path) -> Iterator[tuple[str, Process]]:
    """A web server on an external database without tables, and its address."""
    port = free_port()
    env = empty_database | {
        "PORT": str(port),
        "VAR_DIR": os.fspath(tmp_path),
        "MEETINGS_LOOPBACK_WITHOUT_KEY": "true",
    }
    with Process(tmp_path / "web.log", env, *GUNICORN) as process:
        wait_until(lambda: "Booting worker" in process.said(), "the web server")
        yield f"http://127.0.0.1:{port}", process


def test_missing_embedded_database_ends_the_server(public_folder: Path) -> None:
    result = serve(embedded_in(public_folder / "var"))
    assert result.returncode == 3
    assert f"There is no database in {public_folder}/var/postgres; run `" in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in (public_folder / "var").iterdir()] == ["secret-key"]


def test_unmigrated_embedded_database_ends_the_server(machine: Machine) -> None:
    machine.user().end()
    result = serve(embedded_in(machine.var))
    assert result.returncode == 3
    assert NOT_MIGRATED in result.stderr
    assert "Traceback" not in result.stderr


def test_a_call_is_service_unavailable(
    unmigrated_web: tuple[str, Process], meeting: dict[str, Any]
) -> None:
    url, process = unmigrated_web
    response = requests.post(f"{url}/meeting_server/", json=meeting, timeout=PATIENCE)
    assert (response.status_code, response.json()) == (503, {"error": "Service unavailable"})
    assert f"{NOT_MIGRATED} (relation " in process.said()
    assert "Traceback" not in process.said()


def test_the_admin_logs_no_traceback(unmigrated_web: tuple[str, Process]) -> None:
    url, process = unmigrated_web
    response = requests.get(f"{url}/admin/", cookies={"sessionid": "x" * 32}, timeout=PATIENCE)
    assert response.status_code == 500
    assert NOT_MIGRATED in process.said()
    assert "Traceback" not in process.said()


def test_other_errors_keep_their_traceback() -> None:
    error = ValueError("none of its business")
    record = logging.LogRecord("x", logging.ERROR, "x", 1, "Failed", (), (ValueError, error, None))
    assert AdviceForTraceback().filter(record)
    assert (record.getMessage(), record.exc_info) == ("Failed", (ValueError, error, None))
