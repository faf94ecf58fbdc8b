"""Store what a story has decided, and have people told.

Look, decide, store; then a sender thread sends and records. Who loses a race looks and decides
again.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import OperationalError, transaction
from psycopg2.errors import QueryCanceled

from meetings.deadline import Deadline
from meetings.models import Client
from meetings.models.outbox import queue
from meetings.models.outbox.look import Look, Stored, lock_and_look, look, look_at
from meetings.models.outbox.plan import Plan
from meetings.models.outbox.store import store
from meetings.operations.steps.plan import Decision, Planning, Scope, plan
from meetings.operations.steps.sending import mail_server
from meetings.operations.steps.sending.dispatch import StoredPlan, Told, dispatch, send_here
from meetings.operations.steps.sending.progress import Progress
from meetings.operations.steps.sending.sender import Lease, current_lease, in_hand
from meetings.operations.steps.sending.threads import sender_threads
from meetings.operations.steps.wait import place_to_wait, wait_until_sent
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


class _Lost(Exception):
    """Somebody else has planned since the look."""


def tell(call: Call, decide: Decide) -> list[Told]:
    """Store what ``decide`` decides on, and tell people until the call's deadline.

    Where enough calls of this process wait for mail already, it is stored only. Return what has
    become of the meeting, and of the one that goes on where a series is split. Last are the series
    that this one continues, where somebody had not been told yet that they ended: until then, all
    that goes on is twice in that calendar. Raises what ``decide`` raises; nothing is stored then.
    """
    with _place_to_wait(call) as deadline, ExitStack() as hands:
        call = replace(call, deadline=deadline)
        stored = _all_stored(call, decide, hands)
        have_it = any(each.have_it for each in stored)
        progress = Progress(
            deadline=deadline,
            is_call=True,
            told_somebody=have_it,
            has_told=have_it,
            goes_on=any(map(_leaves_something, stored)),
        )
        told = [_with_the_rest(each, deadline) for each in dispatch(stored, progress)]
    for each in told:
        _come_back(each.meeting_id, each.planning, is_open=each.is_open)
    return sorted(told, key=lambda each: each.is_earlier)


def _place_to_wait(call: Call) -> AbstractContextManager[Deadline]:
    """Where all threads are at mails that take longer than calls wait, it would wait in vain."""
    is_in_vain = sender_threads.are_at_one_job_for(settings.MEETINGS_TIME_BUDGET)
    return place_to_wait(Deadline(0.0) if is_in_vain else call.deadline)


def bring_up_to_date(meeting_id: int) -> int:
    """Tell the meeting's people what is outstanding, in this thread, as the background does.

    It leaves those who were given up or are in back-off. Return how many mails were tried. Where
    somebody else is faster, there is nothing left to do.
    """
    with ExitStack() as hands:
        stored = _planned_anew(meeting_id, Scope(is_call=False, may_send=True), hands)
        if stored is None:
            return 0
        send_here(stored, Progress(deadline=Deadline(math.inf), is_call=False))
    _come_back(meeting_id, stored.planning, is_open=stored.is_open)
    return len(stored.plan.mails) + len(stored.plan.again)


def _all_stored(call: Call, decide: Decide, hands: ExitStack) -> list[StoredPlan]:
    stored = _store(call, decide, hands)
    if uid := stored[0].planning.decision.continued_by:
        stored += _store(replace(call, uid=uid), what_is_outstanding, hands)
    return [*_earlier(call, stored[0].planning.look.stored, hands), *stored]


def _leaves_something(stored: StoredPlan) -> bool:
    """Whether people are left to the background, whatever becomes of the rest.

    A call for some people only leaves the others, of whom it promises nothing.
    """
    prepared = stored.plan
    is_due = prepared.due.seconds is not None and not prepared.is_for_some
    return is_due or prepared.passed_over or bool(prepared.cut)


def _store(call: Call, decide: Decide, hands: ExitStack) -> list[StoredPlan]:
    """Store, and keep the lease in hand: until it is sent, nothing may be lost of it."""
    while True:
        try:
            stored = _stored_in_a_race(call, decide)
        except OperationalError as error:
            # Somebody has kept the row for longer than the database lets a statement wait.
            if not isinstance(error.__cause__, QueryCanceled) or call.deadline.left <= 0:
                raise
            continue
        for each in stored:
            hands.enter_context(in_hand(each.lease))
        return stored


def _stored_in_a_race(call: Call, decide: Decide) -> list[StoredPlan]:
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


def _earlier(call: Call, later: Stored | None, hands: ExitStack) -> list[StoredPlan]:
    """Plan for those to whom the end of an earlier part of the series is still outstanding."""
    planned: list[StoredPlan] = []
    while later and later.meeting.continues_id:
        found = look_at(later.meeting.continues_id)
        later = found.stored
        planning = Planning(found, Decision(), Scope(is_call=True, may_send=True, only=call.only))
        if later and (planning.due or planning.waiting):
            stored = _store(replace(call, uid=later.meeting.uid), what_is_outstanding, hands)
            planned += [replace(each, is_earlier=True) for each in stored]
    return planned


def what_is_outstanding(_found: Look) -> Decision:
    """Decide on no version: people are told what is outstanding."""
    return Decision()


def _stored(call: Call, found: Look, decision: Decision, *, may_send: bool) -> list[StoredPlan]:
    """Store the decision, and the rest of a series in the same transaction: both, or neither."""
    is_open = _is_open(found, is_call=True)
    scope = Scope(is_call=True, may_send=may_send and is_open, only=call.only)
    plannings = [Planning(found, decision, scope, call.asked_by)]
    if decision.rest:
        nothing = replace(found, stored=None)
        plannings.append(Planning(nothing, decision.rest, scope, call.asked_by))
    prepared = [(planning, plan(planning)) for planning in plannings]
    lease = current_lease() if any(each.sends for _, each in prepared) else None
    together = transaction.atomic() if decision.rest else nullcontext()
    with in_hand(lease, stores_nothing=_Lost), together:
        return [_written(planning, each, lease, is_open=is_open) for planning, each in prepared]


def _is_open(found: Look, *, is_call: bool) -> bool:
    """Whether mail may leave now, by what was looked at."""
    mail_server.note(found.server)
    is_closed = found.server.is_closed_to_calls if is_call else found.server.closed_for > 0
    return not (found.is_paused or is_closed or sender_threads.is_stopping)


def _written(
    planning: Planning, prepared: Plan, lease: Lease | None, *, is_open: bool
) -> StoredPlan:
    """Store one plan. Raises _Lost where somebody was faster, which rolls back what came before."""
    written = store(prepared, lease.sender_id if lease else None)
    if written is None:
        raise _Lost
    return StoredPlan(
        planning=planning, plan=prepared, written=written, lease=lease, is_open=is_open
    )


def _with_the_rest(told: Told, deadline: Deadline) -> Told:
    """Wait while others are mailing the same people, then tell these what is still due."""
    while told.unsent and deadline.left > 0 and told.is_open:
        ids = [row.id for row in told.planning.rows if row.id and row.person.key in told.unsent]
        if not wait_until_sent(told.meeting_id, ids, deadline):
            break
        with ExitStack() as hands:
            scope = Scope(is_call=True, may_send=True, only=told.unsent)
            stored = _planned_anew(told.meeting_id, scope, hands)
            if stored is None:
                continue  # somebody was faster: look whom they are telling
            progress = Progress(deadline=deadline, is_call=True, goes_on=True)
            [latest] = dispatch([stored], progress)
        told = replace(
            latest,
            decided=told.decided,
            asked=told.asked | latest.asked,
            has_mailed=told.has_mailed or latest.has_mailed,
            may_have_arrived=told.may_have_arrived or latest.may_have_arrived,
            is_earlier=told.is_earlier,
        )
    return told


def _come_back(meeting_id: int, planning: Planning, *, is_open: bool) -> None:
    """Have the background tell those who were passed over, if their mail had ended before that."""
    passed_over = [row.id for row in planning.waiting if row.id]
    if passed_over and is_open and queue.come_back(meeting_id, passed_over):
        wake([meeting_id])


def _planned_anew(meeting_id: int, scope: Scope, hands: ExitStack) -> StoredPlan | None:
    """Plan without a version, and store it; None where somebody else was faster."""
    found = look_at(meeting_id)
    if found.stored is None:
        return None
    is_open = _is_open(found, is_call=scope.is_call)
    planning = Planning(found, Decision(), replace(scope, may_send=scope.may_send and is_open))
    prepared = plan(planning)
    lease = current_lease() if prepared.sends else None
    try:
        with in_hand(lease, stores_nothing=_Lost):
            stored = _written(planning, prepared, lease, is_open=is_open)
    except _Lost:
        return None
    hands.enter_context(in_hand(lease))
    return stored
