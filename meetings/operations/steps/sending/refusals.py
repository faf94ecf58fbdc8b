"""A line in the log for what goes wrong with mails: one a minute for each kind, with a count."""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from meetings import trouble
from meetings.models import DeliveryState
from meetings.models.outbox.record import End, Recorded
from meetings.models.outbox.state import ServerState
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


def report_given_up(ends: Iterable[End], recorded: Mapping[int, Recorded]) -> None:
    """Log to how many people nothing more goes out by itself, though nobody refused it.

    Those are left out whom the response to a call names.
    """
    count = sum(
        recorded[end.delivery_id].failed
        for end in ends
        if end.delivery_id in recorded and not end.given_up and end.state != DeliveryState.REFUSED
    )
    if count:
        text = f"mail server: recipients given up, after their last try: {count}"
        trouble.report("given up", text, level=logging.WARNING, count=count)


def report_left_alone(state: ServerState | None) -> None:
    """Log that no mail begins for a while, if that is so: each pause that is longer than the last.

    A refusal within a pause is no other one, so none is counted.
    """
    if state and state.closed_for:
        why = "it hangs" if state.is_broken else "it has no room"
        text = f"mail server: left alone for {state.closed_for:.0f} seconds: {why}"
        kind = why if state.is_broken else f"{why} {state.busy}"
        trouble.report(kind, text, level=logging.WARNING, count=0)


def _kind(outcome: Outcome) -> str:
    digits = _DIGITS.match(outcome.reply)
    reply = digits[0] if digits else "no reply"
    return f"recipients {_ENDS[outcome.status]}: {outcome.phase or 'without SMTP'}: {reply}"
