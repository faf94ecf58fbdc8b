"""The system checks: the defaults are right, and each mistake has its own id and hint."""

from typing import Any

import pytest
from django.core import checks
from pytest_django import Settings

DEPLOYED: dict[str, Any] = {
    "EMAIL_BACKEND": "meetings.transport.smtp.backend.EmailBackend",
    "MEETINGS_LOOPBACK_WITHOUT_KEY": False,
    "MEETINGS_MESSAGE_ID_DOMAIN": "meetings.example.com",
    "DATABASE_URL": "postgres://user:password@db.example.com/meetings",
}


def ours(*, deploy: bool = False) -> dict[str | None, checks.CheckMessage]:
    """The messages of our checks, by id."""
    found = checks.run_checks(include_deployment_checks=deploy, databases=[])
    return {message.id: message for message in found if str(message.id).startswith("meetings.")}


def test_default_settings_have_no_errors() -> None:
    assert ours() == {}


def test_configured_deployment_has_no_warnings(settings: Settings) -> None:
    for name, value in DEPLOYED.items():
        setattr(settings, name, value)
    assert ours(deploy=True) == {}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("MEETINGS_TIME_ZONE", "Mars/Olympus", "E001"),
        ("MEETINGS_TIME_ZONE", "", "E001"),
        ("MEETINGS_LANGUAGE", "fr", "E002"),
        ("MEETINGS_RATE", "600", "E003"),
        ("MEETINGS_RATE", "many/min", "E003"),
        ("MEETINGS_RATE", "0/min", "E003"),
        ("MEETINGS_RATE", "10/fortnight", "E003"),
        ("MEETINGS_LEASE", 4.9, "E004"),
        ("MEETINGS_ENVELOPE_FROM", "Bounces <bounces@example.com>", "E006"),
        ("MEETINGS_ENVELOPE_FROM", "example.com", "E006"),
        ("EMAIL_BACKEND", "meetings.imip.smtp.EmailBackend", "E007"),
        ("EMAIL_BACKEND", "nothing", "E007"),
        ("MEETINGS_SMTP_RECIPIENTS", 0, "E008"),
        ("MEETINGS_SMTP_RECIPIENTS", -1, "E008"),
    ],
)
def test_setting_that_cannot_work_is_an_error(
    settings: Settings, name: str, value: object, code: str
) -> None:
    setattr(settings, name, value)
    assert list(ours()) == [f"meetings.{code}"]
    [message] = ours().values()
    assert message.level == checks.ERROR
    assert name in message.msg or name in str(message.hint)
    assert message.hint


def test_starttls_and_tls_together_are_an_error(settings: Settings) -> None:
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = True
    assert list(ours()) == ["meetings.E005"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEETINGS_TIME_ZONE", "Europe/Berlin"),
        ("MEETINGS_LANGUAGE", "en"),
        ("MEETINGS_RATE", "5/s"),
        ("MEETINGS_RATE", "1000/hour"),
        ("MEETINGS_LEASE", 5.0),
        ("MEETINGS_SMTP_RECIPIENTS", 1),
        ("MEETINGS_ENVELOPE_FROM", "bounces@例子.example"),
    ],
)
def test_setting_that_works_is_no_error(settings: Settings, name: str, value: object) -> None:
    setattr(settings, name, value)
    assert ours() == {}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("EMAIL_BACKEND", "meetings.transport.file.EmailBackend", "W001"),
        ("MEETINGS_LOOPBACK_WITHOUT_KEY", True, "W002"),
        ("DATABASE_URL", "", "W003"),
        ("MEETINGS_MESSAGE_ID_DOMAIN", "meeting-server.invalid", "W004"),
    ],
)
def test_development_setting_warns_in_deployment(
    settings: Settings, name: str, value: object, code: str
) -> None:
    for other, good in DEPLOYED.items():
        setattr(settings, other, good)
    setattr(settings, name, value)
    assert list(ours(deploy=True)) == [f"meetings.{code}"]
    [message] = ours(deploy=True).values()
    assert message.level == checks.WARNING
    assert message.hint
    assert ours() == {}
