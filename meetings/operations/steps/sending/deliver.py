"""Send what a plan has stored, in no transaction, and record each SMTP transaction at its end.

The gap between the mail server's 250 and our record cannot be closed (RFC 1047): after a crash just
there the same octets go again, which calendars take for the same thing. It is the only duplicate
that there may be.
"""

import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial

from meetings.models import DeliveryState
from meetings.models.outbox.record import End
from meetings.operations.steps.sending import mail_server
from meetings.operations.steps.sending.ends import deferred, ended, pause
from meetings.operations.steps.sending.parcels import Consignment, Parcel
from meetings.operations.steps.sending.progress import Progress, Run
from meetings.operations.steps.sending.refusals import (
    report_given_up,
    report_left_alone,
    report_refusals,
)
from meetings.operations.steps.sending.sender import may_finish, record
from meetings.operations.steps.sending.threads import sender_threads
from meetings.transport.outcome import Loss, Outcome, Phase, SendStatus
from meetings.transport.send import send

log = logging.getLogger(__name__)

Ending = tuple[Parcel, End]

MOST_UNKNOWN_ENDS = 3
"""After so many tries without the mail server's word, a person is not mailed any more by itself."""

_MOST_ENDS = 200
# Ends that one RECORD writes: the meeting's row is locked meanwhile, for a time that grows with the
# square of them. A backend that is no SMTP server may report any number at once.


def deliver(run: Run, consignments: Iterable[Consignment]) -> None:
    """Send the mails in order, until the deadline. What stays undecided is for ``settle``.

    What was not begun is closed at the end, in one round trip, which also says what is due.
    """
    for consignment in consignments:
        run.unsent += [each for each in consignment.parcels if each.key in run.broken]
        parcels = [each for each in consignment.parcels if each.key not in run.broken]
        while parcels:
            parcels = _try(run, consignment, parcels)
    ends = [(each, ended(each, DeliveryState.DROPPED)) for each in run.unsent]
    if ends or run.is_cut:
        _record(run, ends, due_now=run.left_something or run.is_cut)


def settle(progress: Progress) -> None:
    """Record what is undecided: with a next try, or for good where a call has told nobody.

    A result of 0 promises that nothing goes out by itself. So it is given up, unless somebody else
    has planned for the same people meanwhile, which RECORD finds out.
    """
    gives_up = progress.gives_up()
    _record_kept(progress.release(), given_up=gives_up)


def leave(progress: Progress) -> bool:
    """Let it go on without the caller, and give what was deferred so far its next try.

    Return False where it has just come to its end.
    """
    is_left = progress.leave()
    if is_left:
        _record_kept(progress.release(), given_up=False)
    return is_left


def _record_kept(kept: Sequence[tuple[Run, Parcel, Outcome]], *, given_up: bool) -> None:
    for run in {id(run): run for run, _, _ in kept}.values():
        own = [each for each in kept if each[0] is run]
        _record(run, _decided(own, given_up=given_up))


def _decided(kept: Iterable[tuple[Run, Parcel, Outcome]], *, given_up: bool) -> list[Ending]:
    return [
        (parcel, deferred(run, parcel, outcome, given_up=given_up)) for run, parcel, outcome in kept
    ]


def _try(run: Run, consignment: Consignment, parcels: Sequence[Parcel]) -> list[Parcel]:
    """Send once, and return those for whom it is right to send once more at once.

    Each transaction that has begun runs to its own end, also where its caller has left. Then it is
    recorded, and it is asked whether the next one may begin.
    """
    waiting = {each.address: each for each in parcels}
    again: list[Parcel] = []
    transactions = _transactions(run, consignment, list(waiting))
    with closing(transactions), mail_server.turn():
        while waiting and _may_go_on(run):
            outcomes = next(transactions)
            found = [(waiting.pop(address), outcome) for address, outcome in outcomes.items()]
            again += _take(run, found)
    _leave(run, list(waiting.values()))
    return again


def _may_go_on(run: Run) -> bool:
    """Whether another transaction may begin. It may wait for its slot, so it is asked once each."""
    return _is_free(run) and mail_server.may_begin(run.progress.deadline) and _is_free(run)


def _is_free(run: Run) -> bool:
    """Whether there is time, the process does not end, the lease lasts, and no pause began."""
    is_paused = run.lease.paused_at > run.begun_at
    has_time = run.progress.deadline.left > 0 and not sender_threads.is_stopping
    return has_time and may_finish(run.lease) and not is_paused


def _leave(run: Run, parcels: Sequence[Parcel]) -> None:
    """Begin no mail to these people, so that the background plans it anew, at once.

    The mail that somebody may have already goes out again as it is.
    """
    if not parcels:
        return
    run.progress.goes_on = run.left_something = True
    run.broken |= {each.key for each in parcels}
    run.unsent += [each for each in parcels if not each.unknown_ends]
    again = [each for each in parcels if each.unknown_ends]
    _record(run, [(each, ended(each, DeliveryState.DEFERRED, retry_after=0.0)) for each in again])


def _transactions(
    run: Run, consignment: Consignment, addresses: Sequence[str]
) -> Generator[Mapping[str, Outcome]]:
    if consignment.raw is None:
        reply = "the octets of this mail are kept no longer: mail the meeting again"
        yield dict.fromkeys(addresses, Outcome(SendStatus.REFUSED, reply))
        return
    left = dict.fromkeys(addresses)
    try:
        for outcomes in send(
            consignment.raw,
            envelope_from=consignment.envelope_from,
            recipients=addresses,
            may_finish=partial(may_finish, run.lease),
            is_served_elsewhere=partial(mail_server.is_served_elsewhere, run.lease.sender_id),
        ):
            left = {address: None for address in left if address not in outcomes}
            yield outcomes
    except Exception as error:  # nothing is to be raised there, and nothing may stay unrecorded
        log.exception("A mail could not be sent.")
        yield dict.fromkeys(left, Outcome(SendStatus.UNKNOWN, f"it broke off: {error}"))


def _take(run: Run, found: Sequence[tuple[Parcel, Outcome]]) -> list[Parcel]:
    """Record one transaction, and return those for whom it is right to send once more at once."""
    if not found:  # all its recipients follow in smaller ones
        return []
    outcomes = [outcome for _, outcome in found]
    accepted = any(outcome.status is SendStatus.SENT for outcome in outcomes)
    run.progress.told_somebody = run.progress.told_somebody or accepted
    ends: list[Ending] = []
    again: list[Parcel] = []
    for parcel, outcome in found:
        run.replies[parcel.key] = outcome.reply
        if _may_go_at_once(parcel, outcome) and _is_free(run):
            run.may_have_mail(parcel.key)
            again.append(parcel.once_more())
            ends.append((parcel, ended(parcel, DeliveryState.SENDING, outcome)))
        else:
            ends += _final(run, parcel, outcome)
    if accepted:  # what was undecided gets a next try, in the same round trip
        ends += _decided(run.progress.release(run), given_up=False)
    _record(run, ends)
    report_left_alone(mail_server.learn(outcomes))
    report_refusals(outcomes)
    return again


def _may_go_at_once(parcel: Parcel, outcome: Outcome) -> bool:
    """Whether the same mail may go out again at once: the connection broke, for the first time.

    A server that said nothing for ten minutes is not asked again at once.
    """
    is_first = outcome.status is SendStatus.UNKNOWN and not parcel.unknown_ends
    return is_first and outcome.loss is Loss.BROKEN


def _final(run: Run, parcel: Parcel, outcome: Outcome) -> list[Ending]:
    """What to record of an attempt that is not repeated at once; nothing where it is undecided."""
    if outcome.status is SendStatus.SENT:
        return [(parcel, ended(parcel, DeliveryState.SENT, outcome))]
    run.broken.add(parcel.key)
    if outcome.status is SendStatus.UNKNOWN:
        return [(parcel, _unknown(run, parcel, outcome))]
    if run.progress.is_call and parcel.unknown_ends:
        # The person may have the mail, so the call cannot say that nothing was mailed.
        run.may_have_mail(parcel.key)
    elif outcome.status is SendStatus.REFUSED and outcome.phase is not Phase.SESSION:
        # A session that the server does not open says nothing of this mail: another one may.
        return [(parcel, ended(parcel, DeliveryState.REFUSED, outcome))]
    return _put_off(run, parcel, outcome)


def _put_off(run: Run, parcel: Parcel, outcome: Outcome) -> list[Ending]:
    if outcome.loss is Loss.NONE_FREE or (outcome.loss and sender_threads.is_stopping):
        # Our own limits, or the end of this process, say nothing of the mail server.
        run.progress.goes_on = run.left_something = True
        return [(parcel, ended(parcel, DeliveryState.DEFERRED, outcome, retry_after=0.0))]
    if outcome.loss in {Loss.CUT, Loss.TURNED_AWAY}:
        run.progress.goes_on = True
    if run.progress.keep(run, parcel, outcome):
        return []
    return [(parcel, deferred(run, parcel, outcome))]


def _unknown(run: Run, parcel: Parcel, outcome: Outcome) -> End:
    """An end without the mail server's word. The third one is the last."""
    run.may_have_mail(parcel.key)
    retry_after: float | None = pause(run, parcel)
    if parcel.unknown_ends + 1 >= MOST_UNKNOWN_ENDS:
        retry_after = None
    elif _may_go_at_once(parcel, outcome):  # the next process that may begin one sends it
        retry_after, run.left_something = 0.0, True
    return ended(parcel, DeliveryState.UNKNOWN, outcome, retry_after=retry_after)


def _record(run: Run, ends: Sequence[Ending], *, due_now: bool = False) -> None:
    places = range(0, len(ends), _MOST_ENDS) or range(1 if due_now else 0)
    for place in places:
        some = ends[place : place + _MOST_ENDS]
        recorded = record(run.sending, run.lease, [end for _, end in some], due_now=due_now)
        for parcel, end in some:
            if end.state is not DeliveryState.DROPPED and end.delivery_id in recorded:
                run.results[parcel.key] = recorded[end.delivery_id]
                if end.state is DeliveryState.SENT:
                    run.progress.has_told = True
        report_given_up([end for _, end in some], recorded)
