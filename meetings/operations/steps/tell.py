"""Store what a story has decided, and tell people, in the calling thread.

Look, decide, store; then send and record. Who loses a race looks and decides again.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace

from django.db import transaction

from meetings.deadline import Deadline
from meetings.models import Client
from meetings.models.outbox import queue
from meetings.models.outbox.look import Look, Stored, lock_and_look, look, look_at
from meetings.models.outbox.plan import NOW, Plan
from meetings.models.outbox.record import Sending
from meetings.models.outbox.store import Written, store
from meetings.operations.steps.deliver import Progress, Run, deliver, settle
from meetings.operations.steps.parcels import consignments
from meetings.operations.steps.plan import Decision, Planning, Scope, plan
from meetings.operations.steps.sender import Lease, current_lease, in_hand
from meetings.operations.steps.wait import wait_until_sent
from meetings.operations.steps.wake import wake

_RACES = 2  # lost ones, after which the meeting's row is locked

Decide = Callable[[Look], Decision]
"""A story's decision on what was looked at. It may be asked again, when somebody was faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call on the client's meeting ``uid``. ``asked_by`` is for the record.

    Without any time left at ``deadline`` it is stored only, and the background tells people.
    ``only`` has the address keys of those who are meant; None means everybody.
    """

    client: Client
    uid: str
    asked_by: str
    deadline: Deadline
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was ``decided`` for one meeting, what was planned last, and what has become of it.

    ``asked`` are the address keys of those whom the call's version tells something. ``unsent`` are
    those of them who are still in other hands, or of whose messages some are left. ``run`` is None
    where nothing could be sent. ``has_mailed``: the mail server accepted a mail, or somebody has
    all of it. ``may_have_arrived``: its word on a mail is missing. ``is_earlier``: it is not the
    meeting that was called upon, but a series that this one continues.
    """

    meeting_id: int
    decided: Planning
    planning: Planning
    run: Run | None
    asked: frozenset[str]
    unsent: frozenset[str]
    has_mailed: bool
    may_have_arrived: bool
    is_earlier: bool = False

    @property
    def uid(self) -> str:
        """What its client calls the meeting."""
        new, stored = self.decided.decision.new, self.decided.look.stored
        return new.uid if new else stored.meeting.uid if stored else ""


class _Lost(Exception):
    """Somebody else has planned since the look."""


def tell(call: Call, decide: Decide) -> list[Told]:
    """Store what ``decide`` decides on, and tell people until the call's deadline.

    Return what has become of the meeting, and of the one that goes on where a series is split. Last
    are the series that this one continues, where somebody had not been told yet that they ended:
    until then, all that goes on is twice in that calendar. Raises what ``decide`` raises; nothing
    is stored then.
    """
    stored = _store(call, decide)
    if uid := stored[0].planning.decision.continued_by:
        stored += _store(replace(call, uid=uid), what_is_outstanding)
    stored = [*_earlier(call, stored[0].planning.look.stored), *stored]
    progress = Progress(
        deadline=call.deadline,
        is_call=True,
        told_somebody=any(each.have_it for each in stored),
        goes_on=any(map(_leaves_something, stored)),
    )
    told = [_with_the_rest(each, call.deadline) for each in _sent_all(stored, progress)]
    for each in told:
        _come_back(each.meeting_id, each.planning)
    return sorted(told, key=lambda each: each.is_earlier)


def bring_up_to_date(meeting_id: int, deadline: Deadline) -> int:
    """Tell the meeting's people what is outstanding, as the background does.

    It leaves those who were given up or are in back-off. Return how many mails were tried. Where
    somebody else is faster, there is nothing left to do.
    """
    stored = _planned_anew(meeting_id, Scope(is_call=False, may_send=True))
    if stored is None:
        return 0
    _sent_all([stored], Progress(deadline=deadline, is_call=False))
    _come_back(meeting_id, stored.planning)
    return len(stored.plan.mails) + len(stored.plan.again)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    planning: Planning
    plan: Plan
    written: Written
    lease: Lease | None
    is_earlier: bool = False

    @property
    def have_it(self) -> frozenset[str]:
        """Those who have all that the call tells them."""
        return frozenset() if self.is_earlier else self.planning.have_it


def _leaves_something(stored: _Stored) -> bool:
    """Whether people are left to the background, whatever becomes of the rest.

    A call for some people only leaves the others, of whom it promises nothing.
    """
    prepared = stored.plan
    is_due = prepared.due.seconds is not None and not prepared.is_for_some
    return is_due or prepared.passed_over or bool(prepared.cut)


def _store(call: Call, decide: Decide) -> list[_Stored]:
    for _ in range(_RACES):
        found = look(call.client, call.uid)
        try:
            return _stored(call, found, decide(found), may_send=call.deadline.left > 0)
        except _Lost:
            continue
    with transaction.atomic():
        found = lock_and_look(call.client, call.uid)
        # Nothing is composed under this lock: it is stored and due. What follows the commit sends.
        return _stored(call, found, decide(found), may_send=False)


def _earlier(call: Call, later: Stored | None) -> list[_Stored]:
    """Plan for those to whom the end of an earlier part of the series is still outstanding."""
    planned: list[_Stored] = []
    while later and later.meeting.continues_id:
        found = look_at(later.meeting.continues_id)
        later = found.stored
        planning = Planning(found, Decision(), Scope(is_call=True, may_send=True, only=call.only))
        if later and (planning.due or planning.waiting):
            stored = _store(replace(call, uid=later.meeting.uid), what_is_outstanding)
            planned += [replace(each, is_earlier=True) for each in stored]
    return planned


def what_is_outstanding(_found: Look) -> Decision:
    """Decide on no version: people are told what is outstanding."""
    return Decision()


def _stored(call: Call, found: Look, decision: Decision, *, may_send: bool) -> list[_Stored]:
    """Store the decision, and the rest of a series in the same transaction: both, or neither."""
    scope = Scope(is_call=True, may_send=may_send and not found.is_paused, only=call.only)
    plannings = [Planning(found, decision, scope, call.asked_by)]
    if decision.rest:
        nothing = replace(found, stored=None)
        plannings.append(Planning(nothing, decision.rest, scope, call.asked_by))
    prepared = [(planning, plan(planning)) for planning in plannings]
    lease = current_lease() if any(each.sends for _, each in prepared) else None
    together = transaction.atomic() if decision.rest else nullcontext()
    with in_hand(lease, stores_nothing=_Lost), together:
        return [_written(planning, each, lease) for planning, each in prepared]


def _written(planning: Planning, prepared: Plan, lease: Lease | None) -> _Stored:
    """Store one plan. Raises _Lost where somebody was faster, which rolls back what came before."""
    written = store(prepared, lease.sender_id if lease else None)
    if written is None:
        raise _Lost
    return _Stored(planning=planning, plan=prepared, written=written, lease=lease)


def _sent_all(stored: Sequence[_Stored], progress: Progress) -> list[Told]:
    """Send what one call has stored, and record all that comes of it."""
    with ExitStack() as stack:
        for each in stored:
            stack.enter_context(in_hand(each.lease))
        told = [_sent(each, progress) for each in stored]
        settle(progress)
    return told


def _sent(stored: _Stored, progress: Progress) -> Told:
    """Send what was stored. It is committed, and nothing is locked."""
    planning, written = stored.planning, stored.written
    run = None
    if stored.lease:
        sending = Sending(
            written.meeting_id,
            written.plan,
            stored.lease.sender_id,
            concerns_occurrences=stored.plan.concerns_occurrences,
        )
        is_cut = bool(stored.plan.cut)
        run = Run(sending=sending, lease=stored.lease, progress=progress, is_cut=is_cut)
        deliver(run, consignments(planning, stored.plan, written))
    is_due = stored.plan.due == NOW or (run and (run.left_something or run.is_cut))
    if is_due and not planning.look.is_paused:  # paused, it would come back here again and again
        wake([written.meeting_id])
    reached = (run.results.keys() - stored.plan.cut) | run.broken if run else frozenset[str]()
    return Told(
        meeting_id=written.meeting_id,
        decided=planning,
        planning=planning,
        run=run,
        asked=planning.asked | stored.have_it,
        unsent=planning.asked - reached,
        has_mailed=progress.told_somebody,
        may_have_arrived=bool(run and run.unsure),
        is_earlier=stored.is_earlier,
    )


def _with_the_rest(told: Told, deadline: Deadline) -> Told:
    """Wait while others are mailing the same people, then tell these what is still due."""
    while told.unsent and deadline.left > 0 and not told.planning.look.is_paused:
        ids = [row.id for row in told.planning.rows if row.id and row.person.key in told.unsent]
        if not wait_until_sent(told.meeting_id, ids, deadline):
            break
        scope = Scope(is_call=True, may_send=True, only=told.unsent)
        stored = _planned_anew(told.meeting_id, scope)
        if stored is None:
            continue  # somebody was faster: look whom they are telling
        progress = Progress(deadline=deadline, is_call=True, goes_on=True)
        [latest] = _sent_all([stored], progress)
        told = replace(
            latest,
            decided=told.decided,
            asked=told.asked | latest.asked,
            has_mailed=told.has_mailed or latest.has_mailed,
            may_have_arrived=told.may_have_arrived or latest.may_have_arrived,
            is_earlier=told.is_earlier,
        )
    return told


def _come_back(meeting_id: int, planning: Planning) -> None:
    """Have the background tell those who were passed over, if their mail had ended before that."""
    passed_over = [row.id for row in planning.waiting if row.id]
    if passed_over and not planning.look.is_paused and queue.come_back(meeting_id, passed_over):
        wake([meeting_id])


def _planned_anew(meeting_id: int, scope: Scope) -> _Stored | None:
    """Plan without a version, and store it; None where somebody else was faster."""
    found = look_at(meeting_id)
    if found.stored is None:
        return None
    scope = replace(scope, may_send=scope.may_send and not found.is_paused)
    planning = Planning(found, Decision(), scope)
    prepared = plan(planning)
    lease = current_lease() if prepared.sends else None
    try:
        with in_hand(lease, stores_nothing=_Lost):
            return _written(planning, prepared, lease)
    except _Lost:
        return None
