"""What the tests of ``send`` share: a mail to Bob and Carol through a backend of the settings."""

from collections.abc import Callable, Iterable

from django.core.mail.backends.base import BaseEmailBackend
from pytest_django import Settings

from meetings.transport import send as transport
from meetings.transport.outcome import Outcome, SendStatus
from tests.support.servers.smtp_server import ScriptedSMTP

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
BOTH_SENT = [SendStatus.SENT, SendStatus.SENT]
BOTH_REFUSED = [SendStatus.REFUSED, SendStatus.REFUSED]
BOTH_DEFERRED = [SendStatus.DEFERRED, SendStatus.DEFERRED]
BOTH_UNKNOWN = [SendStatus.UNKNOWN, SendStatus.UNKNOWN]


def yes() -> bool:
    return True


def no() -> bool:
    return False


def send(
    raw: bytes,
    *recipients: str,
    envelope_from: str = ALICE,
    may_finish: Callable[[], bool] = yes,
) -> dict[str, Outcome]:
    return merged(
        transport.send(
            raw,
            envelope_from=envelope_from,
            recipients=recipients or (BOB, CAROL),
            may_finish=may_finish,
        )
    )


def merged(transactions: Iterable[dict[str, Outcome]]) -> dict[str, Outcome]:
    """All outcomes, of which no recipient has two."""
    outcomes: dict[str, Outcome] = {}
    for of_transaction in transactions:
        assert of_transaction
        assert not outcomes.keys() & of_transaction.keys()
        outcomes |= of_transaction
    return outcomes


def statuses(outcomes: dict[str, Outcome]) -> list[SendStatus]:
    return [outcome.status for outcome in outcomes.values()]


def use(settings: Settings, backend: str | type[BaseEmailBackend]) -> None:
    name = backend if isinstance(backend, str) else f"{backend.__module__}.{backend.__qualname__}"
    settings.EMAIL_BACKEND = name


def use_smtp(settings: Settings, backend: str, server: ScriptedSMTP) -> None:
    use(settings, backend)
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
