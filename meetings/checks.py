"""System checks of the settings: what cannot work (errors), and what a deployment should not run
with (warnings).

Each has an id and a hint that says what to set. ``manage.py check`` and ``check --deploy`` print
them.
"""

import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning

from meetings.addresses import AddressError, wire_address

_MARGIN = 5.0  # seconds, for a machine that is slow just then
_RATE = re.compile(r"[1-9]\d*/(s|m|h|d)[a-z]*")


def settings_that_cannot_work(**_: Any) -> list[CheckMessage]:
    """E001–E006."""
    return [*_words(), *_times(), *_mail()]


def settings_of_a_deployment(**_: Any) -> list[CheckMessage]:
    """W001–W004, for ``check --deploy``."""
    return list(_developers_own())


def _words() -> Iterator[CheckMessage]:
    if settings.MEETINGS_TIME_ZONE not in available_timezones():
        yield Error(
            f"MEETINGS_TIME_ZONE is {settings.MEETINGS_TIME_ZONE!r}, which is no time zone.",
            hint="Set it to an IANA name such as Asia/Shanghai or Europe/Berlin.",
            id="meetings.E001",
        )
    if settings.MEETINGS_LANGUAGE not in dict(settings.LANGUAGES):
        yield Error(
            f"MEETINGS_LANGUAGE is {settings.MEETINGS_LANGUAGE!r}, in which no mail can be written.",
            hint=f"Set it to one of: {', '.join(dict(settings.LANGUAGES))}.",
            id="meetings.E002",
        )
    if not _RATE.fullmatch(settings.MEETINGS_RATE):
        yield Error(
            f"MEETINGS_RATE is {settings.MEETINGS_RATE!r}, which is no number of calls in a time.",
            hint="Set it to a number, a slash and sec, min, hour or day: 600/min.",
            id="meetings.E003",
        )


def _times() -> Iterator[CheckMessage]:
    # A claim must outlast whoever holds it: a call's budget, and the SMTP transaction that it has
    # begun at its end.
    least = settings.MEETINGS_TIME_BUDGET + settings.MEETINGS_SMTP_DEADLINE + _MARGIN
    if least > settings.MEETINGS_LEASE:
        yield Error(
            f"MEETINGS_LEASE is {settings.MEETINGS_LEASE:g} s: a mail could leave twice, because somebody else would"
            " take it over while it is still being sent.",
            hint="Set it to at least MEETINGS_TIME_BUDGET + MEETINGS_SMTP_DEADLINE"
            f" + {_MARGIN:g} s, which is {least:g}, or lower those.",
            id="meetings.E004",
        )


def _mail() -> Iterator[CheckMessage]:
    if settings.EMAIL_USE_TLS and settings.EMAIL_USE_SSL:
        yield Error(
            "EMAIL_USE_TLS and EMAIL_USE_SSL are both set: a connection is either one.",
            hint="Write EMAIL_URL with smtp+tls:// for STARTTLS, mostly on port 587, or smtp+ssl:// for TLS from the"
            " first byte, mostly on port 465.",
            id="meetings.E005",
        )
    if settings.MEETINGS_ENVELOPE_FROM and not _is_address(settings.MEETINGS_ENVELOPE_FROM):
        yield Error(
            f"MEETINGS_ENVELOPE_FROM is {settings.MEETINGS_ENVELOPE_FROM!r}, which is no mail address.",
            hint="Set it to a bare address that takes bounces, such as bounces@example.com, or leave it empty.",
            id="meetings.E006",
        )


def _is_address(text: str) -> bool:
    try:
        wire_address(text)
    except AddressError:
        return False
    return True


def _developers_own() -> Iterator[CheckMessage]:
    if settings.EMAIL_BACKEND == "meetings.transport.file.EmailBackend":
        yield CheckWarning(
            f"No mail is sent: each one becomes a file in {settings.EMAIL_FILE_PATH}.",
            hint="Set EMAIL_URL, such as smtp+tls://user:password@mail.example.com:587.",
            id="meetings.W001",
        )
    if settings.MEETINGS_LOOPBACK_WITHOUT_KEY:
        yield CheckWarning(
            "Whoever is on this machine may send meetings in anybody's name, without an API key.",
            hint="Unset MEETINGS_LOOPBACK_WITHOUT_KEY, and make a key with: manage.py create_api_key.",
            id="meetings.W002",
        )
    if not settings.DATABASE_URL:
        yield CheckWarning(
            "The embedded PostgreSQL is in use: it lives on this machine alone, and nobody makes backups of it.",
            hint="Set DATABASE_URL, such as postgres://user:password@db.example.com/meetings.",
            id="meetings.W003",
        )
    if settings.MEETINGS_MESSAGE_ID_DOMAIN.endswith(".invalid"):
        yield CheckWarning(
            f"MEETINGS_MESSAGE_ID_DOMAIN is {settings.MEETINGS_MESSAGE_ID_DOMAIN}, a name that cannot exist: spam"
            " filters may hold it against the mails.",
            hint="Set it to a domain of yours.",
            id="meetings.W004",
        )
