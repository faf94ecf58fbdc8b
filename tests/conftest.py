"""Fixtures of every room: a mail server, a caller, a meeting to send."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.test import Client
from pytest_django import Settings

from meetings import trouble
from meetings.models import ApiKey
from meetings.models.outbox.state import ALL_WELL
from meetings.operations.steps.sending import mail_server as known_mail_server
from meetings.operations.steps.sending import sender
from meetings.operations.steps.sending.sender import forget_lease
from meetings.operations.steps.sending.threads import sender_threads
from meetings.transport.smtp import pool
from tests.support.readers.mail import Invitation, read
from tests.support.servers.broker import pytest_terminal_summary
from tests.support.servers.database import outage
from tests.support.servers.pgbouncer import django_db_modify_db_settings, django_db_setup
from tests.support.servers.smtp_server import ScriptedSMTP, smtp_server
from tests.support.skips import IN_CI, pytest_make_collect_report, pytest_runtest_makereport
from tests.support.waiting import PATIENCE

__all__ = [
    "django_db_modify_db_settings",
    "django_db_setup",
    "outage",
    "pytest_make_collect_report",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "smtp_server",
]

# Whoever starts the tests in the background has Ctrl-C ignored, in all that the tests start too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine makes examples slowly. That is no failure. In CI the examples are always the same:
# new ones are looked for on developers' machines, where what they find can be fixed.
hypothesis.settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize=IN_CI,
)
hypothesis.settings.load_profile("any machine")

# Folders whose tests have the marker "wire": they also run through PgBouncer.
WIRE = ("api", "commands", "operations", "workers")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of these folders."""
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in WIRE:
            item.add_marker("wire")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """End what this process sends before the test's database goes."""
    assert sender_threads.finish(PATIENCE), "a mail is in hand after the test"
    sender_threads.go_on()
    forget_lease()


Call = Callable[..., Any]  # Django's test client adds .json() and more to its response


@pytest.fixture(autouse=True)
def own_var_folder(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """No test writes mail among an operator's, and none meets what another has left."""
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    settings.STATIC_ROOT = str(tmp_path)  # whitenoise warns of a folder that does not exist
    settings.ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
    settings.MEETINGS_WAKE = ""  # whatever broker this shell is set up for
    settings.MEETINGS_LEASE = 600.0
    # No heart beats: it would not see the lease of a test that has not committed it.
    monkeypatch.setattr(sender, "_heart", threading.main_thread())
    if not _commits(request):  # another thread would not see what a test has not committed
        settings.MEETINGS_SMTP_CONNECTIONS = 0
    monkeypatch.setattr(known_mail_server, "_HEARSAY", 0.0)  # no other heart beats either
    trouble.forget()
    known_mail_server.note(ALL_WELL)
    forget_lease()
    yield
    trouble.forget()
    pool.close_kept_connections()
    pool._pools.clear()  # with what it has learned of the server


def _commits(request: pytest.FixtureRequest) -> bool:
    """Whether the test has no transaction around it."""
    markers = request.node.iter_markers("django_db")
    return "transactional_db" in request.fixturenames or any(
        marker.kwargs.get("transaction") for marker in markers
    )


@pytest.fixture
def mail_server(smtp_server: ScriptedSMTP, settings: Settings) -> ScriptedSMTP:
    """A mail server that the application sends through. It accepts mail until it is scripted."""
    settings.EMAIL_BACKEND = "meetings.transport.smtp.backend.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = smtp_server.host, smtp_server.port
    return smtp_server


@pytest.fixture
def mails(mail_server: ScriptedSMTP) -> Callable[[], list[Invitation]]:
    """The mails that the server took so far, read back."""
    return lambda: [read(transaction.raw) for transaction in mail_server.accepted]


@pytest.fixture
def secret(db: None) -> str:
    """An API key that may speak for everybody at example.com."""
    return str(ApiKey.objects.create_key(name="HR system", senders=["*@example.com"])[1])


@pytest.fixture
def call(secret: str) -> Call:
    """POST a body to /meeting_server/ with the key; ``raw`` is sent as it is."""

    def post(
        body: Any = None, *, raw: bytes | None = None, key: str | None = secret, **headers: str
    ) -> Any:
        credentials = {"Authorization": f"Api-Key {key}"} if key else {}
        return Client(headers=credentials | headers).post(
            "/meeting_server/",
            data=json.dumps(body).encode() if raw is None else raw,
            content_type="application/json",
        )

    return post


@pytest.fixture
def meeting() -> dict[str, Any]:
    """The body of a send: Alice invites Bob, and Carol if she likes."""
    return {
        "operation": "send",
        "start": "2032-03-01 10:00",
        "end": "2032-03-01 11:00",
        "sender": "Alice <alice@example.com>",
        "receiver": {"required": ["Bob <bob@example.org>"], "optional": ["carol@example.net"]},
        "subj": "会议测试 weekly review",
        "description": "欢迎参加会议！",
        "location": "7F会议室",
    }
