"""What the tests of the SMTP backend share."""

from typing import Any

from meetings.transport.outcome import Outcome, SendStatus
from meetings.transport.smtp.backend import EmailBackend
from tests.support.smtp_server import ScriptedSMTP

RAW = b"Subject: hello\r\n\r\nWeekly\r\n.dotted\r\n"
ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
SOON = 0.3
PLENTY = 10.0

Send = dict[str, Outcome]


def deliver(
    server: ScriptedSMTP,
    *recipients: str,
    raw: bytes = RAW,
    deadline: float = PLENTY,
    **options: Any,
) -> Send:
    sender = options.pop("sender", ALICE)
    backend = EmailBackend(host=server.host, port=server.port, **options)
    return backend.deliver(sender, recipients or (BOB,), raw, deadline=deadline)


def fates(outcomes: Send) -> dict[str, SendStatus]:
    return {address: outcome.status for address, outcome in outcomes.items()}
