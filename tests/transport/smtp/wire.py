"""What the tests of the SMTP backend share.

No test measures time. A server that falls silent stays silent until the test is over, so that a
deadline that does not hold lets the test run into pytest's own limit. Where a server has to be
reached before a short deadline ends, `patiently` gives a slow machine more time.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.test import override_settings

from meetings.transport.outcome import Outcome, SendStatus
from meetings.transport.smtp.backend import EmailBackend
from meetings.transport.smtp.pooled import Limits
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.transport.door import merged, yes

RAW = b"Subject: hello\r\n\r\nWeekly\r\n.dotted\r\n"
ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
DAVE = "dave@example.com"
SOON = 0.3  # seconds: for deadlines that are to end
PLENTY = 600.0  # more than pytest gives a test: for deadlines that are not to end
NO_PROBE = Limits(probe_after=PLENTY, idle=PLENTY)

Outcomes = dict[str, Outcome]


def deliver(server: ScriptedSMTP, *recipients: str, **options: Any) -> Outcomes:
    return merged(transactions(server, *recipients, **options))


def transactions(
    server: ScriptedSMTP,
    *recipients: str,
    raw: bytes = RAW,
    deadline: float | None = None,
    **options: Any,
) -> Iterator[Outcomes]:
    """What ``EmailBackend.deliver`` yields; ``deadline`` is the setting of that name."""
    sender, limits = options.pop("sender", ALICE), options.pop("limits", NO_PROBE)
    may_finish = options.pop("may_finish", yes)
    backend = EmailBackend(host=server.host, port=server.port, **options)
    backend.limits = limits
    # Only where it is to end: threads that send at once must not change the settings.
    setting: AbstractContextManager[object] = nullcontext()
    if deadline is not None:
        setting = override_settings(MEETINGS_SMTP_DEADLINE=deadline)
    with setting:
        yield from backend.deliver(sender, recipients or (BOB,), raw, may_finish=may_finish)


def statuses(outcomes: Outcomes) -> dict[str, SendStatus]:
    return {address: outcome.status for address, outcome in outcomes.items()}


def patiently(
    attempt: Callable[[float], Outcomes], reached: Callable[[Outcomes], bool]
) -> Outcomes:
    """The outcomes of the first attempt that reached its point before its seconds were over."""
    for seconds in (SOON, 2, 10, 40):
        outcomes = attempt(seconds)
        if reached(outcomes):
            return outcomes
    raise AssertionError("the server was not reached, however many seconds it was given")
