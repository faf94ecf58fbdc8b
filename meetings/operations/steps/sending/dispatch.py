"""Have a sender thread send what is stored, and tell the caller how far it came."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from meetings.models.outbox.plan import NOW, Plan
from meetings.models.outbox.record import Sending
from meetings.models.outbox.store import Written
from meetings.operations.steps.plan import Planning
from meetings.operations.steps.sending.deliver import deliver, leave, settle
from meetings.operations.steps.sending.parcels import consignments
from meetings.operations.steps.sending.progress import Progress, Run
from meetings.operations.steps.sending.sender import Lease, in_hand
from meetings.operations.steps.sending.threads import Job, sender_threads
from meetings.operations.steps.wake import wake


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan that is stored, and the lease under which its mails are to be sent.

    Where ``is_open`` is false, nothing leaves at present, so nobody is told to look at once.
    ``is_earlier``: it is of a series that the meeting that was called upon continues.
    """

    planning: Planning
    plan: Plan
    written: Written
    lease: Lease | None
    is_open: bool
    is_earlier: bool = False

    @property
    def have_it(self) -> frozenset[str]:
        """Those who have all that the call tells them."""
        return frozenset() if self.is_earlier else self.planning.have_it


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was ``decided`` for one meeting, what was planned last, and what has become of it.

    ``asked`` are the address keys of those whom the call's version tells something. ``unsent`` are
    those of them who are still in other hands, or of whose messages some are left. ``run`` is None
    where nothing could be sent; it may still go on. ``has_mailed``: the mail server accepted a
    mail, or somebody has all of it. ``may_have_arrived``: its word on a mail is missing.
    ``is_earlier``: it is not the meeting that was called upon, but a series that this one
    continues.
    """

    meeting_id: int
    decided: Planning
    planning: Planning
    run: Run | None
    asked: frozenset[str]
    unsent: frozenset[str]
    has_mailed: bool
    may_have_arrived: bool
    is_open: bool
    is_earlier: bool = False

    @property
    def uid(self) -> str:
        """What its client calls the meeting."""
        new, stored = self.decided.decision.new, self.decided.look.stored
        return new.uid if new else stored.meeting.uid if stored else ""


def dispatch(stored: Sequence[StoredPlan], progress: Progress) -> list[Told]:
    """Have the mails of these plans sent; return at the deadline what has become of them so far.

    What has begun then goes on in its thread, which also records it. What has not is left to the
    background.
    """
    runs = [_run(each, progress) for each in stored]
    work = partial(send_all, stored, runs, progress)
    if any(runs):
        _wait(sender_threads.begin(work), work, progress)
    else:
        work()
    return [_told(each, run, progress) for each, run in zip(stored, runs, strict=True)]


def send_here(stored: StoredPlan, progress: Progress) -> None:
    """Send the mails of a plan in this thread, and record what becomes of them."""
    send_all([stored], [_run(stored, progress)], progress)


def send_all(stored: Sequence[StoredPlan], runs: Sequence[Run | None], progress: Progress) -> None:
    """Send what was stored. It is committed, and nothing is locked."""
    with ExitStack() as stack:
        for each in stored:
            stack.enter_context(in_hand(each.lease))
        for each, run in zip(stored, runs, strict=True):
            if run:
                deliver(run, consignments(each.planning, each.plan, each.written))
        settle(progress)
    due = [each for each, run in zip(stored, runs, strict=True) if _is_due(each, run)]
    wake([each.written.meeting_id for each in due])


def _is_due(stored: StoredPlan, run: Run | None) -> bool:
    """Whether the background has to look at once. While nothing leaves, it would only come back."""
    is_due = stored.plan.due == NOW or bool(run and (run.left_something or run.is_cut))
    return is_due and stored.is_open


def _wait(job: Job, work: partial[None], progress: Progress) -> None:
    if job.wait(progress.deadline.left):
        return
    if job.take_back():
        work()  # the time is over: nothing is begun, which is recorded
    elif not leave(progress):
        job.wait()  # it has come to its end just now


def _run(stored: StoredPlan, progress: Progress) -> Run | None:
    if stored.lease is None:
        return None
    sending = Sending(
        stored.written.meeting_id,
        stored.written.plan,
        stored.lease.sender_id,
        concerns_occurrences=stored.plan.concerns_occurrences,
    )
    is_cut = bool(stored.plan.cut)
    return Run(sending=sending, lease=stored.lease, progress=progress, is_cut=is_cut)


def _told(stored: StoredPlan, run: Run | None, progress: Progress) -> Told:
    planning = stored.planning
    has_told = progress.has_told  # before the results, which then show it
    # Copied in one step each, because the thread may go on writing to them.
    reached = (set(run.results.copy()) - stored.plan.cut) | run.broken.copy() if run else set()
    return Told(
        meeting_id=stored.written.meeting_id,
        decided=planning,
        planning=planning,
        run=run,
        asked=planning.asked | stored.have_it,
        unsent=planning.asked - reached,
        has_mailed=has_told,
        may_have_arrived=bool(run and run.unsure),
        is_open=stored.is_open,
        is_earlier=stored.is_earlier,
    )
