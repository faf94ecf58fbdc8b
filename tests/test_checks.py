"""The system checks: the defaults are right, and each mistake has its own id and hint."""

from math import inf, nan
from typing import Any

import pytest
from django.core import checks
from pytest_django import Settings

from meetings.limits import LIMITS
from tests.repository.settings_read import settings as read_settings

DEPLOYED: dict[str, Any] = {
    "EMAIL_BACKEND": "meetings.transport.smtp.backend.EmailBackend",
    "MEETINGS_LOOPBACK_WITHOUT_KEY": False,
    "MEETINGS_MESSAGE_ID_DOMAIN": "meetings.example.com",
    "MEETINGS_EHLO_NAME": "meetings.example.com",
    "DATABASE_URL": "postgres://user:password@db.example.com/meetings",
}

SECONDS = (
    "MEETINGS_LEASE",
    "MEETINGS_SMTP_DEADLINE",
    "MEETINGS_SMTP_LAST_REPLY",
    "EMAIL_TIMEOUT",
    "MEETINGS_TIME_BUDGET",
    "MEETINGS_JITTER",
)


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
        ("MEETINGS_ENVELOPE_FROM", "Bounces <bounces@example.com>", "E006"),
        ("MEETINGS_ENVELOPE_FROM", "example.com", "E006"),
        ("EMAIL_BACKEND", "meetings.imip.smtp.EmailBackend", "E007"),
        ("EMAIL_BACKEND", "nothing", "E007"),
        ("MEETINGS_LEASE", 4.9, "E004"),
        ("MEETINGS_LEASE", 86_401.0, "E004"),
        ("MEETINGS_SMTP_RECIPIENTS", 0, "E008"),
        ("MEETINGS_SMTP_RECIPIENTS", -1, "E008"),
        ("MEETINGS_SMTP_DEADLINE", 0.0, "E009"),
        ("MEETINGS_SMTP_DEADLINE", -30.0, "E009"),
        ("EMAIL_TIMEOUT", 0.0, "E010"),
        ("EMAIL_TIMEOUT", 1e10, "E010"),
        ("MEETINGS_TIME_BUDGET", -1.0, "E011"),
        ("MEETINGS_TIME_BUDGET", 1e10, "E011"),
        ("MEETINGS_BACK_OFF", [], "E012"),
        ("MEETINGS_BACK_OFF", [30.0, 0.0], "E012"),
        ("MEETINGS_BACK_OFF", [-30.0, 120.0], "E012"),
        ("MEETINGS_BACK_OFF", [30.0, nan], "E012"),
        ("MEETINGS_BACK_OFF", [30.0, 90_000.0], "E012"),
        ("MEETINGS_JITTER", -0.1, "E013"),
        ("MEETINGS_JITTER", 1.1, "E013"),
        ("MEETINGS_WAITING_CALLS", -1, "E014"),
        ("MEETINGS_KEEP_BYTES_DAYS", -1, "E015"),
        ("MEETINGS_KEEP_BYTES_DAYS", 1_000_000_000, "E015"),
        ("MEETINGS_MAX_ATTENDEES", 0, "E016"),
        ("MEETINGS_MAX_CHANGED_OCCURRENCES", -1, "E017"),
        ("MEETINGS_MAX_BODY", 0, "E018"),
        ("MEETINGS_MAX_BODY", 2**40, "E018"),
        ("MEETINGS_SMTP_LAST_REPLY", 0.9, "E019"),
        ("MEETINGS_SMTP_LAST_REPLY", 1e10, "E019"),
        ("MEETINGS_SMTP_CONNECTIONS", -1, "E020"),
        ("MEETINGS_SMTP_RATE", -1.0, "E021"),
        ("MEETINGS_STOP_TIMEOUT", -1.0, "E022"),
        ("MEETINGS_EHLO_NAME", "meeting server", "E024"),
        ("MEETINGS_EHLO_NAME", "192.0.2.256]", "E024"),
        ("MEETINGS_BODY_TIMEOUT", 0.5, "E023"),
        ("MEETINGS_BODY_TIMEOUT", 86_401.0, "E023"),
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


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("name", SECONDS)
def test_time_that_is_no_finite_number_is_an_error(
    settings: Settings, name: str, value: float
) -> None:
    setattr(settings, name, value)
    assert list(ours()) == [f"meetings.{LIMITS[name].check}"]


def test_number_says_what_is_wrong_and_what_to_set(settings: Settings) -> None:
    settings.MEETINGS_SMTP_DEADLINE = 0.0
    settings.MEETINGS_BACK_OFF = [30.0, -1.0]
    deadline, back_off = ours().values()
    assert deadline.msg == (
        "MEETINGS_SMTP_DEADLINE is 0. The background could send no mail in that time, and would"
        " try for ever."
    )
    assert deadline.hint == "Set it to 1 at least and 86400 at most, or unset it for 300."
    assert back_off.msg.startswith("MEETINGS_BACK_OFF is 30,-1. ")


def test_advice_names_the_default() -> None:
    documented = {name: setting.default.strip("`") for name, setting in read_settings().items()}
    for name, limits in LIMITS.items():
        assert limits.default.split(", ")[0] == documented[name]


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
        ("MEETINGS_SMTP_DEADLINE", 1.0),
        ("EMAIL_TIMEOUT", 1.0),
        ("MEETINGS_TIME_BUDGET", 0.0),
        ("MEETINGS_BACK_OFF", [0.1]),
        ("MEETINGS_JITTER", 0.0),
        ("MEETINGS_JITTER", 1.0),
        ("MEETINGS_WAITING_CALLS", 0),
        ("MEETINGS_KEEP_BYTES_DAYS", 0),
        ("MEETINGS_MAX_ATTENDEES", 1),
        ("MEETINGS_MAX_CHANGED_OCCURRENCES", 0),
        ("MEETINGS_MAX_BODY", 1024),
        ("MEETINGS_SMTP_LAST_REPLY", 1.0),
        ("MEETINGS_SMTP_CONNECTIONS", 0),
        ("MEETINGS_EHLO_NAME", "meetings.例子.example"),
        ("MEETINGS_EHLO_NAME", "[192.0.2.1]"),
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
        ("MEETINGS_EHLO_NAME", "3f2a81c0", "W005"),
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


@pytest.mark.parametrize("name", ["[192.0.2.1]", "[IPv6:2001:db8::1]"])
def test_address_in_brackets_needs_no_dot(settings: Settings, name: str) -> None:
    for other, good in DEPLOYED.items():
        setattr(settings, other, good)
    settings.MEETINGS_EHLO_NAME = name
    assert ours(deploy=True) == {}


def test_name_in_ehlo_does_not_matter_without_smtp(settings: Settings) -> None:
    for other, good in DEPLOYED.items():
        setattr(settings, other, good)
    settings.MEETINGS_EHLO_NAME = "3f2a81c0"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert ours(deploy=True) == {}
