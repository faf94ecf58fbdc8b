"""Send what a plan has stored, in no transaction, and record each SMTP transaction at its end.

The gap between the mail server's 250 and our record cannot be closed (RFC 1047): after a crash just
there the same octets go again, which calendars take for the same thing. It is the only duplicate
that there may be.
"""

import logging
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings

from meetings.deadline import Deadline
from meetings.models import DeliveryState
from meetings.models.outbox.record import End, Recorded, Sending
from meetings.operations.steps.parcels import Consignment, Parcel
from meetings.operations.steps.sender import Lease, may_finish, record
from meetings.transport.outcome import Outcome, SendStatus
from meetings.transport.send import send

log = logging.getLogger(__name__)

Ending = tuple[Parcel, End]

MOST_UNKNOWN_ENDS = 3
"""After so many tries without the mail server's word, a person is not mailed any more by itself."""

_MOST_ENDS = 200
# Ends that one RECORD writes: the meeting's row is locked meanwhile, for a time that grows with the
# square of them. A backend that is no SMTP server may report any number at once.


@dataclass(slots=True, kw_only=True)
class Progress:
    """What a call, or a worker, has come to, over all meetings that it tells people of.

    ``told_somebody``: a mail server accepted a mail, now or before. ``goes_on``: something is left
    to the background, so the caller is not told that nothing will be mailed. ``undecided`` are
    deferred ends that are not recorded yet: what becomes of them depends on the others.
    """

    deadline: Deadline
    is_call: bool
    told_somebody: bool = False
    goes_on: bool = False
    undecided: list[tuple["Run", Parcel, Outcome]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Run:
    """One plan on its way.

    ``results`` has what was recorded last for each person, by address key, ``replies`` the mail
    server's words. ``broken`` are the people to whom a message did not go: nothing later goes, and
    is ``unsent``. ``unsure`` are those who may have a mail of it without the mail server's word.
    ``left_something``: a mail was not begun, so the background has to look at once. ``is_cut``: so
    it has, because the plan leaves messages for another one.
    """

    sending: Sending
    lease: Lease
    progress: Progress
    begun_at: float = field(default_factory=time.monotonic)
    results: dict[str, Recorded] = field(default_factory=dict)
    replies: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    unsent: list[Parcel] = field(default_factory=list)
    left_something: bool = False
    is_cut: bool = False


def deliver(run: Run, consignments: Iterable[Consignment]) -> None:
    """Send the mails in order, until the deadline. What stays undecided is for ``settle``.

    What was not begun is closed at the end, in one round trip, which also says what is due.
    """
    for consignment in consignments:
        run.unsent += [each for each in consignment.parcels if each.key in run.broken]
        parcels = [each for each in consignment.parcels if each.key not in run.broken]
        if parcels and _may_go_on(run):
            _send(run, consignment, parcels)
        else:
            _leave(run, parcels)
    ends = [(each, _ended(each, DeliveryState.DROPPED)) for each in run.unsent]
    if ends or run.is_cut:
        _record(run, ends, due_now=run.left_something or run.is_cut)


def settle(progress: Progress) -> None:
    """Record what is undecided: with a next try, or for good where a call has told nobody.

    A result of 0 promises that nothing goes out by itself. So it is given up, unless somebody else
    has planned for the same people meanwhile, which RECORD finds out.
    """
    gives_up = progress.is_call and not (progress.told_somebody or progress.goes_on)
    for run in {id(run): run for run, _, _ in progress.undecided}.values():
        _record(run, _released(run, given_up=gives_up))


def _released(run: Run, *, given_up: bool) -> list[Ending]:
    """The ends of this run that were not recorded yet."""
    every = run.progress.undecided
    own = [(parcel, outcome) for its_run, parcel, outcome in every if its_run is run]
    run.progress.undecided = [each for each in every if each[0] is not run]
    return [(parcel, _deferred(parcel, outcome, given_up=given_up)) for parcel, outcome in own]


def _send(run: Run, consignment: Consignment, parcels: Sequence[Parcel]) -> None:
    waiting = list(parcels)
    while waiting:
        waiting = _try(run, consignment, waiting)
        if not _may_go_on(run):
            _leave(run, [each for each in waiting if not each.unknown_ends])
            waiting = [each for each in waiting if each.unknown_ends]


def _may_go_on(run: Run) -> bool:
    """Whether another transaction may begin: there is time, the lease lasts, no pause since."""
    is_paused = run.lease.paused_at > run.begun_at
    return run.progress.deadline.left > 0 and may_finish(run.lease) and not is_paused


def _leave(run: Run, parcels: Sequence[Parcel]) -> None:
    """Begin no mail to these people, so that the background plans it anew, at once."""
    if parcels:
        run.progress.goes_on = run.left_something = True
        run.broken |= {each.key for each in parcels}
        run.unsent += parcels


def _try(run: Run, consignment: Consignment, parcels: Sequence[Parcel]) -> list[Parcel]:
    """Send once, and return those for whom it is right to send once more at once."""
    by_address = {each.address: each for each in parcels}
    again: list[Parcel] = []
    for outcomes in _transactions(run, consignment, list(by_address)):
        found = [(by_address[address], outcome) for address, outcome in outcomes.items()]
        again += _take(run, found)
    return again


def _transactions(
    run: Run, consignment: Consignment, addresses: Sequence[str]
) -> Iterator[Mapping[str, Outcome]]:
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
        ):
            left = {address: None for address in left if address not in outcomes}
            yield outcomes
    except Exception as error:  # nothing is to be raised there, and nothing may stay unrecorded
        log.exception("A mail could not be sent.")
        yield dict.fromkeys(left, Outcome(SendStatus.UNKNOWN, f"it broke off: {error}"))


def _take(run: Run, found: Sequence[tuple[Parcel, Outcome]]) -> list[Parcel]:
    """Record one transaction, and return those for whom it is right to send once more at once."""
    accepted = any(outcome.status is SendStatus.SENT for _, outcome in found)
    run.progress.told_somebody = run.progress.told_somebody or accepted
    ends: list[Ending] = []
    again: list[Parcel] = []
    for parcel, outcome in found:
        run.replies[parcel.key] = outcome.reply
        if accepted and outcome.too_many_recipients:
            again.append(parcel)  # the server takes some at a time, and has just taken some
        elif outcome.status is SendStatus.UNKNOWN and not parcel.unknown_ends:
            again.append(parcel.once_more())
            ends.append((parcel, _unknown(run, parcel, outcome)))
        else:
            ends += _final(run, parcel, outcome)
    if accepted:  # what was undecided gets a next try, in the same round trip
        ends += _released(run, given_up=False)
    _record(run, ends)
    return again


def _final(run: Run, parcel: Parcel, outcome: Outcome) -> list[Ending]:
    """What to record of an attempt that is not repeated at once; nothing where it is undecided."""
    if outcome.status is SendStatus.SENT:
        return [(parcel, _ended(parcel, DeliveryState.SENT, outcome))]
    run.broken.add(parcel.key)
    if outcome.status is SendStatus.UNKNOWN:
        return [(parcel, _unknown(run, parcel, outcome))]
    if run.progress.is_call and parcel.unknown_ends:
        # The person may have the mail, so the call cannot say that nothing was mailed.
        run.progress.goes_on = True
        run.unsure.add(parcel.key)
    elif outcome.status is SendStatus.REFUSED:
        return [(parcel, _ended(parcel, DeliveryState.REFUSED, outcome))]
    if _is_own_time_out(run, outcome):
        # The caller's time is over, not the mail server's: nothing is known of it yet.
        run.progress.goes_on = run.left_something = True
        return [(parcel, _ended(parcel, DeliveryState.DEFERRED, outcome, retry_after=0.0))]
    if _is_sure_to_go_on(run.progress):
        return [(parcel, _deferred(parcel, outcome))]
    run.progress.undecided.append((run, parcel, outcome))
    return []


def _is_own_time_out(run: Run, outcome: Outcome) -> bool:
    """Whether a call's time ran out before the mail server said a word about it."""
    is_out_of_time = run.progress.is_call and run.progress.deadline.left <= 0
    return is_out_of_time and not outcome.reply[:1].isdigit()


def _is_sure_to_go_on(progress: Progress) -> bool:
    """Whether what is deferred gets a next try, whatever becomes of the rest of the call."""
    return not progress.is_call or progress.told_somebody or progress.goes_on


def _unknown(run: Run, parcel: Parcel, outcome: Outcome) -> End:
    """The first such end is tried again at once, the second later, and the third is the last."""
    run.progress.goes_on = True
    run.unsure.add(parcel.key)
    if not parcel.unknown_ends:
        return _ended(parcel, DeliveryState.SENDING, outcome)
    is_last = parcel.unknown_ends + 1 >= MOST_UNKNOWN_ENDS
    pause = None if is_last else _pause(parcel)
    return _ended(parcel, DeliveryState.UNKNOWN, outcome, retry_after=pause)


def _deferred(parcel: Parcel, outcome: Outcome, *, given_up: bool = False) -> End:
    return End(
        delivery_id=parcel.delivery_id,
        attempt=parcel.attempt,
        state=DeliveryState.DEFERRED,
        reply=outcome.reply,
        retry_after=_pause(parcel),
        given_up=given_up,
    )


def _ended(
    parcel: Parcel,
    state: DeliveryState,
    outcome: Outcome | None = None,
    *,
    retry_after: float | None = None,
) -> End:
    return End(
        delivery_id=parcel.delivery_id,
        attempt=parcel.attempt,
        state=state,
        reply=outcome.reply if outcome else "",
        retry_after=retry_after,
        shown=parcel.shown,
    )


def _pause(parcel: Parcel) -> float:
    """Seconds until the next try, with jitter: what failed together is not tried together."""
    pauses = settings.MEETINGS_BACK_OFF
    pause = float(pauses[min(parcel.attempt, len(pauses)) - 1])
    return pause * random.uniform(1 - settings.MEETINGS_JITTER, 1 + settings.MEETINGS_JITTER)  # noqa: S311 (no secret)


def _record(run: Run, ends: Sequence[Ending], *, due_now: bool = False) -> None:
    places = range(0, len(ends), _MOST_ENDS) or range(1 if due_now else 0)
    for place in places:
        some = ends[place : place + _MOST_ENDS]
        recorded = record(run.sending, run.lease, [end for _, end in some], due_now=due_now)
        for parcel, end in some:
            if end.state is not DeliveryState.DROPPED and end.delivery_id in recorded:
                run.results[parcel.key] = recorded[end.delivery_id]
