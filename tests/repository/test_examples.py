"""The commands of the documents run as they stand there, and the responses are those shown.

What differs: the port, and the folder for what is written. Nothing in the examples varies between
two runs, since each gives a uid and a date that is far away.
"""

import email
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email import policy
from email.message import Message
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.repository.documents import ROOT, Document
from tests.support.callers import is_served
from tests.support.servers.environments import environment
from tests.support.servers.ports import free_port
from tests.support.servers.processes import pid_in
from tests.support.servers.site import TIMES, open_folder
from tests.support.waiting import PATIENCE, wait_until

READMES = ["README.md", "README.zh-CN.md"]


@dataclass(frozen=True)
class Newcomer:
    """A person who has typed ``make run`` and now follows a document, command by command."""

    port: int
    environment: dict[str, str]

    def types(self, command: str) -> str:
        """What the command prints."""
        here = command.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
        here = here.replace(".venv/bin/python", sys.executable)
        shell = subprocess.run(
            ["sh", "-ec", here],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert shell.returncode == 0, f"{command}\n{shell.stderr}"
        return shell.stdout

    def mail_about(self, uid: str) -> str:
        """The first mail with this line, its parts decoded and its lines unfolded."""
        folder = Path(self.environment["VAR_DIR"]) / "mail"
        readable = [decoded(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]
        return next(text for text in readable if f"\n{uid}\n" in text)


def decoded(raw: bytes) -> str:
    """A mail as text, without its encodings."""
    message = email.message_from_bytes(raw, policy=policy.default)
    return "\n".join(_lines_of(part) for part in message.walk())


def _lines_of(part: Message) -> str:
    headers = [f"{name}: {value}" for name, value in part.items()]
    content = part.get_payload(decode=True)
    text = content.decode() if isinstance(content, bytes) else ""
    return "\n".join([*headers, "", text.replace("\r\n ", "").replace("\r\n", "\n")])


@pytest.fixture(scope="module")
def newcomer() -> Iterator[Newcomer]:
    port = free_port()
    with open_folder() as var:
        settings = environment(**TIMES, PORT=str(port), VAR_DIR=str(var), no_proxy="127.0.0.1")
        # Nothing of the make that may have started the tests.
        env = {name: value for name, value in settings.items() if not name.startswith("MAKE")}
        # -o: what is installed is what the tests run with.
        command = ["make", f"PY={sys.executable}", "-o", ".venv/run.stamp", "run"]
        process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
        try:
            wait_until(lambda: process.poll() is not None or is_served(port), "the web server")
            assert process.poll() is None
            yield Newcomer(port, env)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
            process.wait(PATIENCE)
            wait_until(lambda: not pid_in(var / "postgres/postmaster.pid"), "PostgreSQL's end")


def json_values(text: str) -> list[Any]:
    """One JSON value after another, with or without white space between them."""
    values = []
    decoder = json.JSONDecoder()
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:]
    return values


@dataclass(frozen=True)
class Followed:
    """A document whose calls were made, in order: what came back, and what the document shows."""

    document: Document
    came: list[list[Any]]
    shown: list[list[Any]]


@pytest.fixture(scope="module", params=[*READMES, "docs/api.md", "docs/api.zh-CN.md"])
def followed(newcomer: Newcomer, request: pytest.FixtureRequest) -> Followed:
    document = Document(ROOT / request.param)
    came, shown = [], []
    for (language, content), (next_language, following) in pairwise([*document.fences, ("", "")]):
        if language == "sh" and "curl" in content:
            came.append(json_values(newcomer.types(content)))
            shown.append(json_values(following) if next_language == "json" else [])
    return Followed(document, came, shown)


def test_calls_get_the_responses_that_are_shown(followed: Followed) -> None:
    compared = [(came, shown) for came, shown in zip(followed.came, followed.shown, strict=True)]
    assert [came for came, shown in compared if shown] == [shown for _, shown in compared if shown]
    others = [response["result"] for came, shown in compared if not shown for response in came]
    assert set(others) <= {1}
    assert sum(map(len, followed.came)) >= 3


def test_mail_has_each_line_that_is_shown(newcomer: Newcomer, followed: Followed) -> None:
    excerpts = [content for language, content in followed.document.fences if language == "eml"]
    assert len(excerpts) == (followed.document.path.parent == ROOT)
    for excerpt in excerpts:
        shown = excerpt.splitlines()
        (uid,) = [line for line in shown if line.startswith("UID:")]
        lines = iter(newcomer.mail_about(uid).splitlines())
        assert [line for line in shown if line not in lines] == []


@pytest.mark.parametrize("name", READMES)
def test_new_user_can_log_in_to_the_admin(newcomer: Newcomer, name: str) -> None:
    document = Document(ROOT / name)
    (command,) = [code for code in document.spans if "createsuperuser" in code]
    password = "correct horse battery"
    newcomer.environment.update(
        DJANGO_SUPERUSER_USERNAME=f"operator-{name}",
        DJANGO_SUPERUSER_PASSWORD=password,
        DJANGO_SUPERUSER_EMAIL="operator@example.com",
    )
    newcomer.types(f"{command} --no-input")
    (link,) = [target for target in document.targets if target.endswith("/admin/")]
    with requests.Session() as browser:
        page = browser.get(link.replace(":8000", f":{newcomer.port}"), timeout=PATIENCE)
        form = {
            "username": f"operator-{name}",
            "password": password,
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }
        inside = browser.post(page.url, data=form, headers={"Referer": page.url}, timeout=PATIENCE)
    assert "/admin/meetings/meeting/" in inside.text


@pytest.mark.parametrize("name", READMES)
def test_readme_has_no_command_that_is_not_run(name: str) -> None:
    document = Document(ROOT / name)
    blocks = [content for language, content in document.fences if language == "sh"]
    commands = [
        line for block in blocks for line in block.splitlines() if not line.startswith((" ", "{"))
    ]
    names = {command.split()[0] for command in commands if command}
    assert names == {"curl", "make"}
    targets = [command.split()[1] for command in commands if command.startswith("make")]
    assert targets == ["run", "test"]  # one has started the server, the other runs this
