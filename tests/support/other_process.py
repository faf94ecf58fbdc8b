"""Another process that sends mail, one step at a time: it stores, it sends, it dies."""

import os
import time
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from meetings.deadline import Deadline
from meetings.models import DeliveryState, Sender
from meetings.models.outbox import queue
from meetings.models.outbox.look import look
from meetings.models.outbox.record import End, Recorded, Sending, record
from meetings.models.outbox.store import Written, store
from meetings.operations.steps.plan import Decision, Planning, Scope, plan
from meetings.operations.steps.sending.deliver import deliver, settle
from meetings.operations.steps.sending.parcels import Consignment, consignments
from meetings.operations.steps.sending.progress import Progress, Run
from meetings.operations.steps.sending.sender import Lease
from tests.support.stories import UID, hr_system


class OtherProcess:
    """It delivers a meeting as the background does. ``written`` is None if it lost the race."""

    def __init__(self) -> None:
        self.lease = Lease(
            queue.begin_sending("worker", "elsewhere"), os.getpid(), time.monotonic()
        )
        self._planning: Planning | None = None

    def looks(self, uid: str = UID, *, is_call: bool = False) -> None:
        """Look at the meeting, and plan."""
        found = look(hr_system().client, uid)
        scope = Scope(is_call=is_call, may_send=True)
        self._planning = Planning(found, Decision(), scope)
        self.plan = plan(self._planning)

    def stores(self, uid: str = UID, *, is_call: bool = False) -> Written | None:
        """Store what was planned; look first where that was not done."""
        if self._planning is None:
            self.looks(uid, is_call=is_call)
        self.written = store(self.plan, self.lease.sender_id)
        return self.written

    def sends(self, *, is_call: bool = False, seconds: float = 60.0) -> Run:
        """Send what was stored, and record it."""
        progress = Progress(deadline=Deadline(seconds), is_call=is_call)
        is_cut = bool(self.plan.cut)
        run = Run(sending=self.sending, lease=self.lease, progress=progress, is_cut=is_cut)
        deliver(run, self.consignments)
        settle(progress)
        return run

    def records(self, state: DeliveryState, reply: str = "") -> dict[int, Recorded]:
        """Record this end for each recipient of what was stored."""
        ends = [
            End(delivery_id=parcel.delivery_id, attempt=parcel.attempt, state=state, reply=reply)
            for consignment in self.consignments
            for parcel in consignment.parcels
        ]
        return record(self.sending, ends)

    def dies(self) -> None:
        """End the lease, as if it was not renewed in time."""
        self.lease.renewed_at -= settings.MEETINGS_LEASE
        Sender.objects.filter(pk=self.lease.sender_id).update(
            alive_until=Now() - timedelta(seconds=1)
        )

    @property
    def sending(self) -> Sending:
        """What it records for."""
        assert self.written is not None
        return Sending(self.written.meeting_id, self.written.plan, self.lease.sender_id)

    @property
    def consignments(self) -> Sequence[Consignment]:
        """What it is to send."""
        assert self.written is not None
        assert self._planning is not None
        return list(consignments(self._planning, self.plan, self.written))
