"""``manage.py create_api_key``."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from meetings.models import ApiKey, Client
from tests.commands.conftest import Run
from tests.conftest import Call
from tests.support.servers.smtp_server import ScriptedSMTP

PROJECT = Path(__file__).parents[2]


def test_standard_output_has_only_a_working_key(
    run: Run, call: Call, meeting: dict[str, object], mail_server: ScriptedSMTP
) -> None:
    [key] = run(
        "create_api_key", "Booking", "--sender", "*@example.com", "--sender", "hr@例子.example"
    )
    assert call(meeting, key=key).status_code == 200
    stored = ApiKey.objects.get(name="Booking")
    assert stored.senders == ["*@example.com", "hr@xn--fsqu00a.example"]
    assert stored.expiry_date is None
    assert key not in (stored.hashed_key, stored.id)
    assert stored.client.name == "Booking"


def test_explanation_is_on_standard_error(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", "Booking", "--sender", "*@example.com")
    assert "of Booking speaks for *@example.com" in capsys.readouterr().err


def test_key_works_through_its_last_day(run: Run) -> None:
    run("create_api_key", "Booking", "--sender", "*@example.com", "--expires", "2099-12-31")
    assert ApiKey.objects.get().expiry_date == datetime(
        2100, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai")
    )


def test_key_may_respond_before_mail_is_sent(run: Run) -> None:
    run("create_api_key", "Booking", "--sender", "*@example.com")
    run("create_api_key", "OA", "--sender", "*@example.com", "--respond-async")
    assert dict(ApiKey.objects.values_list("name", "respond_async")) == {
        "Booking": False,
        "OA": True,
    }


def test_key_that_expires_today_still_works(run: Run) -> None:
    run(
        "create_api_key",
        "Booking",
        "--sender",
        "*@example.com",
        "--expires",
        timezone.localdate().isoformat(),
    )
    assert not ApiKey.objects.get().has_expired


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["Booking"], "--sender"),
        (["Booking", "--sender", "example.com"], "neither an address nor a pattern"),
        (["Booking", "--sender", "*@例子\udcff.com"], "neither an address nor a pattern"),
        (["Booking", "--sender", "*@x.org", "--expires", "tomorrow"], "is not a day such as"),
        (
            [
                "Booking",
                "--sender",
                "*@x.org",
                "--expires",
                (timezone.localdate() - timedelta(1)).isoformat(),
            ],
            "is in the past",
        ),
        (["B" * 51, "--sender", "*@x.org"], "at most 50 characters"),
        (["", "--sender", "*@x.org"], "cannot be blank"),
    ],
)
def test_invalid_arguments_make_no_key(run: Run, arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        run("create_api_key", *arguments)
    assert not ApiKey.objects.exists()
    assert not Client.objects.exists()


def test_unavailable_database_is_one_line() -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "create_api_key", "Booking", "--sender", "*@example.com"],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("CommandError: The database is unavailable: ")
    assert "Traceback" not in ended.stderr
