"""One run: processes are killed while programs call, then everything heals and is balanced."""

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.calendars import PEOPLE, Person, people_of
from tests.chaos.callers import Callers
from tests.chaos.ledger import OWED, STORED, UNDONE, Balance, Facts, Outage, Row, balance
from tests.chaos.mail import FaultyMailServer, Manner, Taken
from tests.support.servers.ports import free_port
from tests.support.servers.processes import run as run_process
from tests.support.servers.site import Site, open_folder
from tests.support.waiting import wait_until

# Short, so that a killed process is soon taken for dead.
LEASE = {"MEETINGS_LEASE": "6"}
REPLIES = 2  # of the mail server, for each call, before it gets well
# What an operator does in the admin: bring everybody up to date who was given up.
BRING_UP_TO_DATE = """
from meetings.models import Attendee
from meetings.operations.resend import bring_up_to_date
given_up = Attendee.objects.filter(failed_sequence__isnull=False)
bring_up_to_date(list(given_up.values_list("meeting_id", flat=True).distinct()))
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much; the same seed makes the same plan, though not the same interleaving."""

    seed: int
    calls: int
    seconds: float
    callers: int = 4
    # What is killed with -9, and how often.
    web_workers: int = 11
    webs: int = 3
    mails: int = 8
    workers: int = 6
    postgres: int = 1
    purges: int = 1
    with_broker: bool = True
    with_pgbouncer: bool = False
    manner: Manner = field(default_factory=Manner)
    # Seconds that a call, or a transaction, may take, and the reply to the final dot after that.
    patience: float = 1.2
    last_reply: float = 1.2
    # The environment that a second machine's processes have besides; none: there is one machine.
    second_machine: tuple[tuple[str, str], ...] = ()

    def blows(self) -> list[str]:
        """In their order."""
        counts = {"web worker": self.web_workers, "web": self.webs, "postgres": self.postgres}
        if self.with_broker:
            counts |= {"mail": self.mails, "worker": self.workers, "purge": self.purges}
        else:
            counts |= {"mail": self.mails + self.workers}
        blows = [name for name, count in counts.items() for _ in range(count)]
        random.Random(self.seed).shuffle(blows)
        return blows


@dataclass(slots=True)
class Outcome:
    """What happened."""

    balance: Balance
    blows: Counter[str]
    seconds: float
    faulty: float
    replies: int
    taken: list[Taken]
    said: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        return self.balance.wrong + self.problems


class Run:
    """See the module."""

    def __init__(self, plan: Plan, var: Path) -> None:
        self.plan = plan
        self.mail = FaultyMailServer(plan.seed, plan.manner)
        patience = str(plan.patience)
        self.site = Site(
            var,
            self.mail.url,
            with_broker=plan.with_broker,
            with_pgbouncer=plan.with_pgbouncer,
            MEETINGS_TIME_BUDGET=patience,
            MEETINGS_SMTP_DEADLINE=patience,
            MEETINGS_SMTP_LAST_REPLY=str(plan.last_reply),
            **LEASE,
        )
        self.mails = ["mail1", "mail2"]
        self.others = ["worker", "beat"] if plan.with_broker else []
        self.ports = [self.site.port]
        self.chance = random.Random(f"{plan.seed}/blows")
        self.outages: list[Outage] = []
        self.blows: Counter[str] = Counter()

    def execute(self) -> Outcome:
        """Everything; the processes have ended when it returns or raises."""
        began = time.monotonic()
        try:
            self._start()
            callers = Callers(
                self.plan.seed,
                self.ports,
                count=self.plan.callers,
                wanted=self.plan.calls,
                seconds=self.plan.seconds,
            )
            callers.start()
            try:
                self._strike(callers)
            finally:
                callers.join()
            problems = [f"a caller broke: {error!r}" for error in callers.broken]
            if len(callers.calls) < self.plan.calls:
                problems.append(f"only {len(callers.calls)} of {self.plan.calls} calls were made")
            if self.mail.replies < REPLIES * len(callers.calls):
                # Mail was paused most of the time, or calls were refused: nothing was tested.
                problems.append(f"the mail server was asked only {self.mail.replies} times")
            facts = self._healed(callers, problems)
            faulty = self.mail.faults / max(1, self.mail.replies)
            return Outcome(
                balance=balance(facts),
                blows=self.blows,
                seconds=time.monotonic() - began,
                faulty=faulty,
                replies=self.mail.replies,
                taken=[*facts.taken, *facts.afterwards],
                said=self.site.said(),
                problems=problems,
            )
        finally:
            self.site.close()
            self.mail.close()

    def _start(self) -> None:
        for name in ("web", "mail1", *self.others):
            self.site.start(name)
        self.site.wait_for_web()
        self.site.start("mail2", **self._second_machine())
        if self.plan.second_machine:
            self.ports.append(free_port())
            self.site.start("web2", **self._second_machine(), PORT=str(self.ports[1]))
            if self.plan.with_broker:
                self.site.start("worker2", **self._second_machine())

    def _second_machine(self) -> dict[str, str]:
        env = dict(self.plan.second_machine)
        return env | {"DATABASE_URL": self.site.database_url} if env else {}

    def _strike(self, callers: Callers) -> None:
        """Spread the blows over the calls."""
        blows = self.plan.blows()
        for number, blow in enumerate(blows, start=1):
            due = number * self.plan.calls // (len(blows) + 1)
            while len(callers.calls) < due and callers.at_work:
                time.sleep(0.005)
            self._blow(blow)
            self.blows[blow] += 1

    def _blow(self, blow: str) -> None:
        if blow == "web worker":
            wait_until(self._kill_a_web_worker, "a worker of the web server")
        elif blow == "postgres":
            began = time.monotonic()
            wait_until(self.site.postgres, "PostgreSQL")
            self.site.stop_postgres()
            wait_until(self._is_back, "PostgreSQL's return")
            self.outages.append((began, time.monotonic()))
        elif blow == "purge":
            self.site.purge_broker()
        else:
            name = self.chance.choice(self.mails) if blow == "mail" else blow
            self.site.kill(name)
            self.site.start(name)

    def _kill_a_web_worker(self) -> bool:
        workers = self.site.web_workers()
        if not workers:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.chance.choice(workers), signal.SIGKILL)
        return True

    def _is_back(self) -> bool:
        try:
            return bool(self.site.query("SELECT 1"))
        except Exception:  # not yet: whatever it is, the deadline says so
            return False

    def _healed(self, callers: Callers, problems: list[str]) -> Facts:
        """The mail server gets well, the background does the rest, then an operator does."""
        self.mail.healthy = True
        problems += self._rest()
        people, taken = self._people(), self.mail.taken()
        run_process(self.site.env, "manage.py", "shell", "-v0", "-c", BRING_UP_TO_DATE)
        problems += self._rest()
        return Facts(
            calls=callers.calls,
            rows=[Row(*row) for row in self.site.query(STORED)],
            people=people,
            in_the_end=self._people(),
            taken=taken,
            afterwards=self.mail.taken()[len(taken) :],
            outages=self.outages,
        )

    def _rest(self) -> list[str]:
        """Wait until nothing is owed any more."""
        try:
            wait_until(lambda: not self.site.query(OWED)[0][0], "the last mail")
        except TimeoutError as error:
            return [f"{error}: {self.site.query(UNDONE)}"]
        return []

    def _people(self) -> list[Person]:
        return list(people_of(self.site.query(PEOPLE)[0][0] or []))


def run(plan: Plan) -> Outcome:
    """In a folder of its own."""
    with open_folder() as var:
        return Run(plan, var).execute()
