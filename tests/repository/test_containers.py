"""The files for containers and CI, checked where no Docker engine runs."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.servers.ports import free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WORKFLOW = ".github/workflows/ci.yml"
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]

# What the images of PostgreSQL and RabbitMQ read.
FOREIGN = {
    "POSTGRES_DB",
    "POSTGRES_PASSWORD",
    "POSTGRES_USER",
    "RABBITMQ_DEFAULT_PASS",
    "RABBITMQ_DEFAULT_USER",
}

# All that a container gets. An unreachable database must not make it unhealthy.
ENVIRONMENT = {
    "PATH": f"{BIN}:/usr/bin:/bin",
    "SECRET_KEY": "only-for-this-test",
    "ALLOWED_HOSTS": "meetings.example.com",
    "HTTPS": "on",
    "DATABASE_URL": "postgres://meetings@127.0.0.1:1/meetings",
    "EMAIL_URL": "smtp://127.0.0.1:1",
}


def found(pattern: str, file: str = "Dockerfile") -> list[str]:
    return re.findall(pattern, (ROOT / file).read_text(), re.MULTILINE)


COPIED = [source for copy in found(r"^COPY (.*)") for source in copy.split()[:-1]]
EXAMPLE = set(found(r"^(\w+)=", ".env.example"))


@pytest.mark.parametrize(
    ("linter", "file"),
    [
        ("hadolint", "Dockerfile"),
        ("check-jsonschema --builtin-schema vendor.compose-spec", "compose.yaml"),
        ("check-jsonschema --builtin-schema vendor.github-workflows", WORKFLOW),
    ],
    ids=["Dockerfile", "compose.yaml", "ci.yml"],
)
def test_linter_finds_nothing(linter: str, file: str) -> None:
    command = [*f"{BIN}/{linter}".split(), file]
    lint = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stderr) == (0, ""), lint.stdout


def test_build_context_is_what_the_image_copies() -> None:
    assert found(r"^(\*)$", ".dockerignore") == ["*"]
    assert set(found(r"^!(.*)$", ".dockerignore")) == set(COPIED)


def test_image_does_not_run_as_root() -> None:
    assert found(r"^USER (.*)$") == ["10001:10001"]


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_read_only_and_has_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"cap_add", "privileged"}
    # Our image names its user. The others start as root unless they are told not to.
    assert service.get("user") == (None if "build" in service else "999:999")


@pytest.mark.parametrize("name", SERVICES)
def test_service_waits_for_what_can_happen(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        if wanted["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]
        else:
            assert SERVICES[other]["restart"] == "no"


def test_each_variable_is_one_that_is_read() -> None:
    read = set(found(r'\benv\.\w+\(\s*"(\w+)"', "meeting_server/settings.py"))
    named = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert named | EXAMPLE <= read | FOREIGN


def test_example_names_what_compose_demands() -> None:
    assert set(found(r"\$\{(\w+)", "compose.yaml")) <= EXAMPLE


def test_workflow_runs_ci_on_each_python() -> None:
    workflow = yaml.safe_load((ROOT / WORKFLOW).read_text())
    job = workflow["jobs"]["test"]
    (ci,) = [step for step in job["steps"] if "run" in step]
    assert workflow["permissions"] == {"contents": "read"}
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert ci == {"run": "bash .ci/run", "env": {"PYTHON": "python${{ matrix.python }}"}}
    assert all(re.search(r"@v\d+$", step["uses"]) for step in job["steps"] if step is not ci)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """The folder /app of the image, made by the Dockerfile's own COPY and RUN."""
    folder = tmp_path / "app"
    folder.mkdir()
    for source in (ROOT / name for name in COPIED):
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / source.name, ignore=ignored)
        else:
            shutil.copy(source, folder)
    (build,) = found(r"^RUN (SECRET_KEY=.*\n(?: .*\n)*)")
    environment = {"PATH": ENVIRONMENT["PATH"]}
    subprocess.run(["sh", "-c", build], cwd=folder, env=environment, check=True)
    return folder


Web = tuple[subprocess.Popen[bytes], int]


@pytest.fixture
def web(app: Path) -> Iterator[Web]:
    """The image's default command, running in that folder, and its port."""
    port = free_port()
    command = json.loads(found(r"^CMD (\[.*\])$")[0].replace("8000", str(port)))
    process = subprocess.Popen(command, cwd=app, env=ENVIRONMENT)
    try:
        yield process, port
    finally:
        process.kill()
        process.wait()


def is_healthy(port: int) -> bool:
    """What the image's HEALTHCHECK says."""
    (probe,) = found(r"^HEALTHCHECK .* CMD (\[.*\])$")
    command = json.loads(probe.replace("8000", str(port)))
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False)
    return result.returncode == 0


def test_image_serves_and_writes_nothing(app: Path, web: Web) -> None:
    before = {path: path.stat().st_mtime_ns for path in app.rglob("*")}
    process, port = web
    wait_until(lambda: is_healthy(port), "the health check")
    process.terminate()
    assert process.wait() == 0
    assert not is_healthy(port)
    assert {path: path.stat().st_mtime_ns for path in app.rglob("*")} == before
