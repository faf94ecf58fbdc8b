"""A line in the log for what mail servers refuse: one a minute for each kind, with a count."""

import logging
import re
from collections import Counter
from collections.abc import Iterable

from meetings import trouble
from meetings.transport.outcome import Outcome, Phase, SendStatus

_DIGITS = re.compile(r"\d{3}( \d\.\d{1,3}\.\d{1,3})?(?!\S)")
_ENDS = {
    SendStatus.REFUSED: "refused",
    SendStatus.DEFERRED: "deferred",
    SendStatus.UNKNOWN: "without a reply to the mail",
}


def report_refusals(outcomes: Iterable[Outcome]) -> None:
    """Log how many recipients the mail server did not accept, and at which command.

    Only the digits of its reply are logged, because its text may have a mail address. Sessions that
    could not be opened are logged where that is tried.
    """
    kinds = Counter(
        _kind(outcome)
        for outcome in outcomes
        if outcome.status is not SendStatus.SENT and outcome.phase is not Phase.SESSION
    )
    for kind, count in kinds.items():
        trouble.report(kind, f"mail server: {kind}: {count}", level=logging.WARNING, count=count)


def _kind(outcome: Outcome) -> str:
    digits = _DIGITS.match(outcome.reply)
    reply = digits[0] if digits else "no reply"
    return f"recipients {_ENDS[outcome.status]}: {outcome.phase or 'without SMTP'}: {reply}"
