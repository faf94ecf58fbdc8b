"""System checks of the settings: errors for what cannot work, warnings for a deployment.

Each has an id, and a hint that says what to set. ``manage.py check`` and ``check --deploy`` print
them.
"""

from collections.abc import Iterator
from zoneinfo import available_timezones

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.utils.module_loading import import_string

from meetings.addresses import AddressError, wire_address
from meetings.limits import LIMITS
from meetings.rate import Rate
from meetings.transport.send import sends_by_smtp
from meetings.transport.smtp.name import is_name, our_name


def settings_that_cannot_work(**_: object) -> list[CheckMessage]:
    """The errors, for ``check`` and every start."""
    checks = (
        _time_zone,
        _language,
        _rate,
        _encryption,
        _envelope_sender,
        _backend,
        _ehlo_name,
        _numbers,
    )
    return [message for check in checks for message in check()]


def settings_of_a_deployment(**_: object) -> list[CheckMessage]:
    """The warnings, for ``check --deploy``."""
    checks = (
        _mail_files,
        _calls_without_key,
        _embedded_database,
        _message_id_domain,
        _ehlo_name_without_dot,
    )
    return [message for check in checks for message in check()]


def _time_zone() -> Iterator[CheckMessage]:
    if settings.MEETINGS_TIME_ZONE not in available_timezones():
        yield Error(
            f"MEETINGS_TIME_ZONE is {settings.MEETINGS_TIME_ZONE!r}, which is not a time zone.",
            hint="Set it to an IANA name such as Asia/Shanghai or Europe/Berlin.",
            id="meetings.E001",
        )


def _language() -> Iterator[CheckMessage]:
    languages = dict(settings.LANGUAGES)
    if settings.MEETINGS_LANGUAGE not in languages:
        yield Error(
            f"MEETINGS_LANGUAGE is {settings.MEETINGS_LANGUAGE!r}."
            " Mails cannot be written in that language.",
            hint=f"Set it to one of: {', '.join(languages)}.",
            id="meetings.E002",
        )


def _rate() -> Iterator[CheckMessage]:
    try:
        Rate.read(settings.MEETINGS_RATE)
    except ValueError:
        yield Error(
            f"MEETINGS_RATE is {settings.MEETINGS_RATE!r}, which is not a rate.",
            hint="Set it to a number, a slash and sec, min, hour or day, such as 600/min.",
            id="meetings.E003",
        )


def _encryption() -> Iterator[CheckMessage]:
    if settings.EMAIL_USE_TLS and settings.EMAIL_USE_SSL:
        yield Error(
            "EMAIL_USE_TLS and EMAIL_USE_SSL are both set. A connection can use only one of them.",
            hint="Write EMAIL_URL with smtp+tls:// for STARTTLS, usually on port 587, or with"
            " smtp+ssl:// for TLS from the first byte, usually on port 465.",
            id="meetings.E005",
        )


def _envelope_sender() -> Iterator[CheckMessage]:
    sender = settings.MEETINGS_ENVELOPE_FROM
    if sender and not _is_address(sender):
        yield Error(
            f"MEETINGS_ENVELOPE_FROM is {sender!r}, which is not a mail address.",
            hint="Set it to a bare address that receives bounces, such as bounces@example.com, or"
            " leave it empty.",
            id="meetings.E006",
        )


def _is_address(text: str) -> bool:
    try:
        wire_address(text)
    except AddressError:
        return False
    return True


def _backend() -> Iterator[CheckMessage]:
    try:
        import_string(settings.EMAIL_BACKEND)
    except ImportError as error:
        yield Error(
            f"EMAIL_BACKEND is {settings.EMAIL_BACKEND!r}, which cannot be imported: {error}.",
            hint="Unset it, so that EMAIL_URL decides, or set it to a Django e-mail backend.",
            id="meetings.E007",
        )


def _ehlo_name() -> Iterator[CheckMessage]:
    name = settings.MEETINGS_EHLO_NAME
    if name and not is_name(name):
        yield Error(
            f"MEETINGS_EHLO_NAME is {name!r}, which is not a host name.",
            hint="Set it to the name of this machine in DNS, such as meetings.example.com, to its"
            " address in brackets, such as [192.0.2.1], or leave it empty.",
            id="meetings.E024",
        )


def _numbers() -> Iterator[CheckMessage]:
    for name, limits in LIMITS.items():
        value = getattr(settings, name)
        numbers = value if isinstance(value, list) else [value]
        shown = ",".join(f"{number:.10g}" for number in numbers)
        id_ = f"meetings.{limits.check}"
        if not numbers:
            yield Error(f"{name} has no numbers.", hint=limits.advice, id=id_)
        for wrong in [number for number in numbers if not limits.admit(number)][:1]:
            yield Error(f"{name} is {shown}. {limits.why_not(wrong)}", hint=limits.advice, id=id_)


def _mail_files() -> Iterator[CheckMessage]:
    if settings.EMAIL_BACKEND == "meetings.transport.file.EmailBackend":
        yield CheckWarning(
            f"No mail is sent. Each mail becomes a file in {settings.EMAIL_FILE_PATH}.",
            hint="Set EMAIL_URL, such as smtp+tls://user:password@mail.example.com:587.",
            id="meetings.W001",
        )


def _calls_without_key() -> Iterator[CheckMessage]:
    if settings.MEETINGS_LOOPBACK_WITHOUT_KEY:
        yield CheckWarning(
            "Every program on this machine may send meetings for any sender, without an API key.",
            hint="Unset MEETINGS_LOOPBACK_WITHOUT_KEY,"
            " and make a key with: manage.py create_api_key.",
            id="meetings.W002",
        )


def _embedded_database() -> Iterator[CheckMessage]:
    if not settings.DATABASE_URL:
        yield CheckWarning(
            "The embedded PostgreSQL is in use. It is on this machine only and has no backup.",
            hint="Set DATABASE_URL, such as postgres://user:password@db.example.com/meetings.",
            id="meetings.W003",
        )


def _message_id_domain() -> Iterator[CheckMessage]:
    if settings.MEETINGS_MESSAGE_ID_DOMAIN.endswith(".invalid"):
        yield CheckWarning(
            f"MEETINGS_MESSAGE_ID_DOMAIN is {settings.MEETINGS_MESSAGE_ID_DOMAIN}, which does not"
            " exist. Spam filters may reject the mails for it.",
            hint="Set it to a domain of yours.",
            id="meetings.W004",
        )


def _ehlo_name_without_dot() -> Iterator[CheckMessage]:
    if sends_by_smtp() and "." not in our_name() and not our_name().startswith("["):
        yield CheckWarning(
            f"EHLO says the name {our_name()}, which has no dot. Strict mail servers refuse all"
            " mail for it, with 504.",
            hint="Set MEETINGS_EHLO_NAME to the name of this machine in DNS, such as"
            " meetings.example.com.",
            id="meetings.W005",
        )
