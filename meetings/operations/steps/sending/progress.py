"""How far a call, or a worker, has come: what it is sending, and what became of it so far."""

import random
import threading
import time
from dataclasses import dataclass, field

from django.conf import settings

from meetings.deadline import Deadline
from meetings.models.outbox.record import Recorded, Sending
from meetings.operations.steps.sending.parcels import Parcel
from meetings.operations.steps.sending.sender import Lease
from meetings.transport.outcome import Outcome


@dataclass(slots=True, kw_only=True)
class Progress:
    """What a call, or a worker, has come to, over all meetings that it tells people of.

    No transaction is begun after the ``deadline``. ``told_somebody``: a mail server accepted a
    mail, now or before. ``has_told``: that is recorded. ``goes_on``: something is left to the
    background, so the caller is not told that nothing will be mailed. ``undecided`` are deferred
    ends that are not recorded yet: what becomes of them depends on the others.
    """

    deadline: Deadline
    is_call: bool
    told_somebody: bool = False
    has_told: bool = False
    goes_on: bool = False
    undecided: list[tuple["Run", Parcel, Outcome]] = field(default_factory=list)
    is_settled: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def leave(self) -> bool:
        """Let it go on without the caller. False: it has just ended, which is being recorded.

        The caller promises that it goes on, so nothing is given up any more.
        """
        with self._lock:
            self.goes_on = self.goes_on or not self.is_settled
            return not self.is_settled

    def keep(self, run: "Run", parcel: Parcel, outcome: Outcome) -> bool:
        """Keep a deferred end until it is decided. False: it gets its next try in any case."""
        with self._lock:
            is_sure = not self.is_call or self.told_somebody or self.goes_on
            if not is_sure:
                self.undecided.append((run, parcel, outcome))
            return not is_sure

    def release(self, run: "Run | None" = None) -> list[tuple["Run", Parcel, Outcome]]:
        """Take out what was kept, of one run or of all."""
        with self._lock:
            every, self.undecided = self.undecided, []
            if run is None:
                return every
            self.undecided = [each for each in every if each[0] is not run]
            return [each for each in every if each[0] is run]

    def gives_up(self) -> bool:
        """Settle it, and return whether nothing goes on: a call that has told nobody."""
        with self._lock:
            self.is_settled = True
            return self.is_call and not (self.told_somebody or self.goes_on)


def _jitter() -> float:
    most = float(settings.MEETINGS_JITTER)
    return random.uniform(-most, most)  # noqa: S311 (no secret)


@dataclass(slots=True, kw_only=True)
class Run:
    """One plan on its way.

    ``results`` has what was recorded last for each person, by address key, ``replies`` the mail
    server's words. ``broken`` are the people to whom a message did not go: nothing later goes, and
    is ``unsent``. ``unsure`` are those who may have a mail of it without the mail server's word.
    ``left_something``: a mail was not begun, so the background has to look at once. ``is_cut``: so
    it has, because the plan leaves messages for another one. ``jitter`` is the part of a pause by
    which each of its pauses is longer: those who share a mail are tried again together.
    """

    sending: Sending
    lease: Lease
    progress: Progress
    begun_at: float = field(default_factory=time.monotonic)
    jitter: float = field(default_factory=_jitter)
    results: dict[str, Recorded] = field(default_factory=dict)
    replies: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    unsent: list[Parcel] = field(default_factory=list)
    left_something: bool = False
    is_cut: bool = False

    def may_have_mail(self, key: str) -> None:
        """Note that a person may have a mail of it: the caller is never told that nobody has."""
        self.progress.goes_on = True
        self.unsure.add(key)
