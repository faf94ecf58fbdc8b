"""The world of one sequence: processes, a mail server, the people's calendars, and time.

It runs jobs, keeps what they have stored and what their callers were told, and lets time pass by
moving stored times back. It never waits.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from meetings.itip.errors import ITipError
from meetings.models import (
    Attendee,
    Client,
    Delivery,
    DeliveryState,
    Mail,
    MailBytes,
    Meeting,
    MeetingStatus,
    OccurrenceOverride,
    Pause,
    Sender,
    ToldOccurrence,
    Version,
)
from meetings.operations import work
from meetings.operations.pause import pause, resume
from meetings.operations.steps.call import Actor
from meetings.operations.steps.errors import OperationError
from meetings.operations.steps.sending.sender import renew_lease
from meetings.operations.steps.tell import bring_up_to_date
from meetings.queries.standing import Standing
from tests.machine.calls import EVERYBODY, Patience, Words
from tests.machine.history import History
from tests.machine.ledger import Ledger
from tests.machine.mail_server import Backend, MailServer
from tests.machine.stage import Process, Program

# Those come first that refer to others.
_MODELS = (
    ToldOccurrence, Delivery, MailBytes, Mail, OccurrenceOverride, Version, Attendee, Meeting,
    Sender, Pause, Client,
)  # fmt: skip
Make = Callable[[Patience], Standing]
_TOO_LONG = timedelta(hours=25)  # for an earlier wish to be tried again
_A_WHILE = timedelta(hours=1)


class Caller(Protocol):
    """Who waits for an answer."""

    def hears(self, number: int, answer: Standing | Exception) -> None:
        """Take the answer to the job ``number``, or the refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a program is at. The background has no caller."""

    number: int
    patience: Patience
    caller: Caller | None


class World:
    """Everything around the service, and the service's own processes."""

    def __init__(self, processes: Collection[Process], tally: Counter[str]) -> None:
        _empty_tables()
        self.tally = tally
        self.processes = list(processes)
        self.programs = [program for process in processes for program in process.programs]
        self.ledger = Ledger(EVERYBODY)
        self.mail_server = Backend.server = MailServer(self.ledger)
        self.words = Words()
        self.history = History()
        self.jobs: dict[Program, Job] = {}
        self.has_waited_too_long = False
        self.is_paused = False
        self.given_up: set[tuple[str, str]] = set()
        self._number = 0
        client = Client.objects.create(name="HR system")
        self.actor = Actor(name="key HR system", client=client)

    @property
    def callers(self) -> list[Caller]:
        """Those who wait for an answer."""
        return [job.caller for job in self.jobs.values() if job.caller]

    @property
    def busy(self) -> list[Program]:
        """The programs that are in the middle of something."""
        return [program for program in self.programs if program.is_busy]

    def any_meeting(self, number: int) -> Meeting:
        """Return one of the meetings. There is one at least."""
        return _pick(Meeting.objects.all(), number) or Meeting.objects.get()

    def meeting(self, number: int) -> Meeting:
        """Return one that takes place, if there is any."""
        return _pick(_TAKES_PLACE, number) or self.any_meeting(number)

    def series(self, number: int) -> Meeting:
        """Return one that repeats, if there is any."""
        return _pick(_TAKES_PLACE.exclude(rrule=""), number) or self.meeting(number)

    def idle_program(self, number: int) -> Program:
        """Return a program that may begin. Where all are busy, one of them ends its job first."""
        place = number % len(self.programs)
        in_turn = self.programs[place:] + self.programs[:place]
        idle = next((each for each in in_turn if not each.is_busy), None)
        if idle is None:
            self.finish(in_turn[0])
        return idle or in_turn[0]

    def begin(
        self,
        program: Program,
        job: Callable[[], object],
        patience: Patience,
        caller: Caller | None = None,
    ) -> None:
        """Give the program a job. It has not run yet."""
        self._number += 1
        program.number, program.may_mail = self._number, not self.is_paused
        self.jobs[program] = Job(number=self._number, patience=patience, caller=caller)
        self.tally["calls" if caller else "looks after what is due"] += 1
        program.begin(job)

    def work(self, program: Program) -> None:
        """Have the program look after what is due, as a worker does."""
        patience = Patience(waits=True)

        def tell() -> None:
            work.adopt_orphans()
            for meeting_id in work.claim():
                bring_up_to_date(meeting_id)

        self.begin(program, tell, patience)

    def go(self, program: Program, stops: int = 1) -> None:
        """Run the program for so many stops, unless it ends or waits for another one."""
        for _ in range(stops):
            if not program.is_busy or (program.waits and _somebody_sends()):
                return
            self._step(program)

    def finish(self, program: Program) -> None:
        """Run the program to its end. It does not wait for others."""
        while program.is_busy:
            if program.waits and _somebody_sends():
                self.jobs[program].patience.lose()
            self._step(program)

    def kill(self, process: Process) -> None:
        """Kill -9. What a program had in hand may come twice."""
        for program in process.programs:
            self.ledger.excused.update(program.in_hand)
        for program in process.kill():
            self.tally["jobs killed in the middle"] += 1
            program.in_hand = []
            del self.jobs[program]

    def let_time_pass(self, stopped: Collection[Process] = ()) -> None:
        """Let every wait be over, and everybody who died, or is ``stopped``, be taken for dead."""
        for process in stopped:
            process.lose_lease()
            for program in process.programs:
                self.ledger.excused.update(program.in_hand)
        alive = [each.lease.sender_id for each in self.processes if each.lease]
        lost = [each.lease.sender_id for each in stopped if each.lease]
        dead = Sender.objects.exclude(pk__in=set(alive) - set(lost))
        dead.update(alive_until=Now() - _A_WHILE)
        Attendee.objects.filter(retry_at__isnull=False).update(retry_at=Now())
        Meeting.objects.filter(due_at__isnull=False).update(due_at=Now())

    def let_a_day_pass(self) -> None:
        """Let every earlier wish be too old to be tried again after the next failure."""
        self.has_waited_too_long = True
        Attendee.objects.update(asked_at=F("asked_at") - _TOO_LONG)
        self.let_time_pass()

    def recover(self) -> None:
        """Let the mail server take everything, operators let mail go on, and jobs end."""
        self.mail_server.recover()
        self.resume()
        for program in self.busy:
            self.finish(program)

    def pause(self, *, beats: bool) -> None:
        """Pause all mail. With a heartbeat, the processes see it in the middle of a plan too."""
        pause(by="operator")
        self.is_paused = True
        for process in self.processes:
            if process.lease and beats:
                renew_lease(process.lease)

    def resume(self) -> None:
        """Let mail go on."""
        resume()
        self.is_paused = False
        for program in self.programs:
            program.may_mail = True

    def reset(self) -> None:
        """Leave the processes as if they had just started, and count what people were sent."""
        self.tally.update(self.ledger.tally())
        for process in self.processes:
            process.kill()

    def _step(self, program: Program) -> None:
        program.go()
        if program.has_stored:
            program.has_stored = False
            self.history.note()
        assert not self.ledger.wrong, self.ledger.wrong
        if not program.is_busy:
            self._end(program)

    def _end(self, program: Program) -> None:
        job = self.jobs.pop(program)
        if program.failure and not isinstance(program.failure, ITipError | OperationError):
            raise program.failure
        self.tally["calls refused"] += program.failure is not None
        if job.caller:
            answer = program.failure or program.returned
            assert isinstance(answer, Standing | Exception)
            job.caller.hears(job.number, answer)


_TAKES_PLACE = Meeting.objects.exclude(status=MeetingStatus.CANCELLED)


def _pick(meetings: QuerySet[Meeting], number: int) -> Meeting | None:
    found = list(meetings.order_by("pk"))
    return found[number % len(found)] if found else None


def _somebody_sends() -> bool:
    """Whether a program that waits might have to go on waiting."""
    sending = Delivery.objects.filter(state=DeliveryState.SENDING)
    return sending.filter(sender__alive_until__gt=Now()).exists()


def _empty_tables() -> None:
    """Remove what an earlier sequence left, if it failed. DELETE is faster than TRUNCATE here."""
    statements = (f'DELETE FROM "{model._meta.db_table}"' for model in _MODELS)  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(";".join(statements))
