"""Commands are printed with the variables that differ from the defaults, and without a password."""

from pathlib import Path

import pytest
from pytest_django import Settings

from meeting_server.shell import manage


@pytest.fixture(autouse=True)
def defaults(settings: Settings) -> None:
    settings.VAR_DIR, settings.DATABASE_URL = settings.BASE_DIR / "var", ""


def test_defaults_are_not_printed() -> None:
    assert manage("migrate").endswith("python manage.py migrate")
    assert "=" not in manage("migrate")


def test_another_folder_is_printed_quoted(settings: Settings) -> None:
    settings.VAR_DIR = Path("/srv/my meetings")
    assert manage("migrate").startswith("VAR_DIR='/srv/my meetings' ")


@pytest.mark.parametrize(
    "url",
    [
        "postgres://db.example.com/meetings",
        "postgres://alice@db.example.com:5432/meetings",
        "postgres://alice@/meetings?host=/run/postgresql",
    ],
)
def test_a_database_without_password_is_printed(settings: Settings, url: str) -> None:
    settings.DATABASE_URL = url
    assert f"DATABASE_URL={url} " in manage("migrate").replace("'", "")


@pytest.mark.parametrize(
    "url",
    [
        "postgres://alice:s3cret@db.example.com/meetings",
        "postgres://alice:@s3cret@db.example.com/meetings",
        "postgres://alice:#s3cret@db.example.com/meetings",
        "postgres://alice:/s3cret@db.example.com/meetings",
        "postgres://alice:?s3cret@db.example.com/meetings",
        "postgres://:s3cret@db.example.com/meetings",
        "postgres://db.example.com/meetings?password=s3cret",
        "postgres://db.example.com/meetings?sslmode=require&Password=s3cret",
        "postgres://db.example.com/meetings?sslpassword=s3cret",
    ],
)
def test_a_password_is_never_printed(settings: Settings, url: str) -> None:
    settings.DATABASE_URL = url
    assert manage("migrate").startswith('DATABASE_URL="${DATABASE_URL:?}" ')
    assert "s3cret" not in manage("migrate")
