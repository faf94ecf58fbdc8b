"""Claim (short statement) → send (no transaction) → record (short statement).

The gap between the mail server's 250 and our record cannot be closed (RFC 1047): after a crash just
there the same bytes go again, which calendars take for the same thing. Nothing else is ever sent
twice.
"""

import logging
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from meetings import trouble
from meetings.deadline import Deadline
from meetings.models import Delivery, DeliveryState, Mail
from meetings.models.delivery import Claim, Verdict
from meetings.operations.steps.store import Outgoing
from meetings.operations.steps.wake import wake
from meetings.transport.outcome import Outcome, SendStatus
from meetings.transport.send import send

log = logging.getLogger(__name__)

_POLL = 0.05  # seconds between two looks at whether an older message to the same person is done
_LEAST = 1.0  # seconds that a second try gets even when the budget is used up


def deliver_now(outgoing: Sequence[Outgoing], deadline: Deadline, *, sent: bool = False) -> None:
    """Send what a call has just stored, in order, within its time budget.

    Somebody's mail accepted, now or, as ``sent`` says, before: what failed for the moment stays
    queued and is tried again later. Nobody's: everything of this call has failed, and nothing goes
    out by itself, because the caller is told so. What the budget does not suffice for stays queued.
    """
    unsettled: list[Verdict] = []
    tried = False
    for item in outgoing:
        for claims in _claims_of(item, deadline):
            if deadline.left <= 0:
                unsettled.extend(Verdict(claim, DeliveryState.QUEUED, "") for claim in claims)
                continue
            verdicts = _attempt(item, claims, deadline)
            tried = True
            sent = sent or any(verdict.state is DeliveryState.SENT for verdict in verdicts)
            _record([verdict for verdict in verdicts if verdict.state is not DeliveryState.QUEUED])
            unsettled.extend(
                verdict for verdict in verdicts if verdict.state is DeliveryState.QUEUED
            )
    if sent or not tried:
        _record(unsettled)
        cut_short = {verdict.claim.delivery_id for verdict in unsettled if not verdict.retry_after}
        leave(
            [
                item
                for item in outgoing
                if item.waiting or cut_short & {claim.delivery_id for claim in item.claims}
            ]
        )
    else:
        _give_up(outgoing, unsettled)


def deliver_or_leave(
    outgoing: Sequence[Outgoing], deadline: Deadline, *, mine: bool, again: Iterable[Delivery] = ()
) -> None:
    """Send what a call has stored if it is its turn (``mine``), else leave it to the background.

    ``again`` is where the version stands that a repeated call is about.
    """
    if mine:
        deliver_now(outgoing, deadline, sent=any(row.state == DeliveryState.SENT for row in again))
    else:
        leave(outgoing)


def leave(outgoing: Sequence[Outgoing]) -> None:
    """Leave these to the background: they are stored and due, so it only has to look."""
    wake([item.mail.pk for item in outgoing])


def deliver_mail(mail: Mail) -> int:
    """Claim what is due of one stored mail, send it and record the outcome.

    Return how many deliveries were tried.
    """
    # Runs from before the claim, so that a process that slept in between sends nothing under a
    # lease that has ended.
    deadline = Deadline(settings.MEETINGS_SMTP_DEADLINE)
    claims = Delivery.objects.claim(mail.pk, lease=settings.MEETINGS_LEASE)
    if claims:
        _record(_attempt(Outgoing(mail), claims, deadline))
    return len(claims)


def _claims_of(item: Outgoing, deadline: Deadline) -> Iterator[Sequence[Claim]]:
    """The claims made at the insert, then those that waited for an older message.

    What the background claims first is waited for as well: the caller wants to know what became of
    it.
    """
    waiting = set(item.waiting)
    if item.claims:
        yield item.claims
    while waiting and deadline.left > 0:
        claims = Delivery.objects.claim(item.mail.pk, lease=settings.MEETINGS_LEASE)
        waiting -= {claim.delivery_id for claim in claims}
        if claims:
            yield claims
        if not Delivery.objects.filter(pk__in=waiting).in_hand().exists():
            return
        time.sleep(_POLL)


def _give_up(outgoing: Sequence[Outgoing], unsettled: Sequence[Verdict]) -> None:
    _record(
        [
            replace(verdict, state=DeliveryState.FAILED, retry_after=0.0, given_up=True)
            for verdict in unsettled
        ]
    )
    Delivery.objects.filter(
        pk__in=[pk for item in outgoing for pk in item.waiting]
    ).give_up_queued()


def _attempt(item: Outgoing, claims: Sequence[Claim], deadline: Deadline) -> list[Verdict]:
    """One try, and for those whose end it left open a second one at once with the same bytes."""
    if item.mail.raw is None:
        gone = Outcome(
            SendStatus.REFUSED,
            "the bytes of this message are kept no longer: mail the meeting again",
        )
        return [_verdict(claim, gone, may_have_left=False) for claim in claims]
    outcomes = _send(item, [claim.address for claim in claims], deadline.left)
    open_ended = [
        address for address, outcome in outcomes.items() if outcome.status is SendStatus.UNKNOWN
    ]
    if open_ended:
        outcomes |= _send(item, open_ended, max(deadline.left, _LEAST))
    return [
        _verdict(claim, outcomes[claim.address], may_have_left=claim.address in open_ended)
        for claim in claims
    ]


def _send(item: Outgoing, addresses: Sequence[str], seconds: float) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    for of_transaction in send(
        bytes(item.mail.raw or b""),
        envelope_from=item.mail.envelope_from,
        recipients=addresses,
        deadline=Deadline(min(seconds, settings.MEETINGS_SMTP_DEADLINE)),
        may_finish=lambda: True,
    ):
        outcomes |= of_transaction
    return outcomes


_NEXT_STATE = {
    SendStatus.SENT: DeliveryState.SENT,
    SendStatus.REFUSED: DeliveryState.FAILED,
    SendStatus.DEFERRED: DeliveryState.QUEUED,
    SendStatus.UNKNOWN: DeliveryState.QUEUED,
}


def _verdict(claim: Claim, outcome: Outcome, *, may_have_left: bool) -> Verdict:
    pauses = settings.MEETINGS_BACK_OFF
    pause = pauses[min(claim.attempt, len(pauses)) - 1] * random.uniform(0.9, 1.1)  # noqa: S311 - jitter, no secret
    state = _NEXT_STATE[outcome.status]
    return Verdict(
        claim, state, outcome.reply, pause if state is DeliveryState.QUEUED else 0.0, may_have_left
    )


def _record(verdicts: Sequence[Verdict]) -> None:
    """Record the verdicts; while PostgreSQL is away keep trying for as long as the claims hold."""
    if not verdicts:
        return
    for _ in _tries(settings.MEETINGS_LEASE):
        try:
            held = Delivery.objects.finish(verdicts)
        # A server that is stopped short ends in a plain DatabaseError.
        except (DatabaseError, InterfaceError):
            if connection.in_atomic_block:
                raise
            connection.close()
            trouble.report(
                "database", "the database is away: what became of mails waits to be recorded"
            )
            continue
        if held < len(verdicts):
            log.warning(
                "%d claims had ended before their outcome could be recorded.", len(verdicts) - held
            )
        return
    log.error(
        "The outcome of %d deliveries could not be recorded; they will be tried again.",
        len(verdicts),
    )


def _tries(seconds: float) -> Iterator[None]:
    deadline = Deadline(seconds)
    yield
    while deadline.left > 0:
        time.sleep(_POLL)
        yield


def retry_failed(deliveries: Iterable[Delivery], *, mine: bool) -> list[Outgoing]:
    """Queue the failed ones of ``deliveries`` again and return their mails, oldest first.

    A call that got no turn (``mine``) answers "queued" for them and for what another call is
    sending just now: the rows are marked, so that the other call's end without success does not
    break that promise.
    """
    deliveries = list(deliveries)
    if not mine:
        Delivery.objects.filter(
            pk__in=[row.pk for row in deliveries if row.state != DeliveryState.SENT]
        ).update(promised=True)
    failed = sorted(
        (row for row in deliveries if row.state == DeliveryState.FAILED),
        key=lambda row: row.mail_id,
    )
    Delivery.objects.filter(pk__in=[row.pk for row in failed], state=DeliveryState.FAILED).requeue()
    by_message = [list(rows) for _, rows in groupby(failed, key=lambda row: row.mail_id)]
    return [Outgoing(rows[0].mail, waiting=tuple(row.pk for row in rows)) for rows in by_message]
