"""The state machine: callers, workers, operators, deaths, a mail server that fails, and time."""

import sys
from collections import Counter
from collections.abc import Callable

from django.utils import timezone
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from meetings.itip.moment import Moment
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.resend import bring_up_to_date, resend
from meetings.operations.send_meeting import send_meeting
from meetings.operations.split_series import split_series
from meetings.operations.steps.call import Cancel, Resend, Send, Update
from meetings.operations.update_meeting import update_meeting
from meetings.queries.standing import Standing
from tests.machine import calls
from tests.machine.answers import Answers
from tests.machine.calls import Patience, Wish
from tests.machine.checks import check_end
from tests.machine.mail_server import LATER, NEVER, OK, Dot
from tests.machine.stage import Process, Program
from tests.machine.stored import Rows
from tests.machine.world import Make, World

MOST_MEETINGS = 4
_NUMBERS = st.integers(0, 7)
# How a job begins: to its end, for the background, or for some stops.
_PACES = st.sampled_from(["all", "all", "all", "background", "1", "2", "2", "3", "4", "5"])
_DOTS = st.lists(st.sampled_from(Dot), min_size=1, max_size=3)
_REPLIES = st.sampled_from([LATER, LATER, NEVER, OK])


class Machine(RuleBasedStateMachine):
    """One sequence. The processes outlive it: threads and connections are made once."""

    processes: tuple[Process, ...]
    tally: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.processes, self.tally)
        self.answers = Answers(self.world)
        self.sent = 0

    @initialize(kind=calls.NEW, guests=calls.guests, pace=_PACES)
    def send_first(self, kind: str, guests: calls.Guests, pace: str) -> None:
        self._send(kind, guests, "all" if pace.isdigit() else pace, 0)

    @precondition(lambda self: self.sent < MOST_MEETINGS)
    @rule(kind=calls.NEW, guests=calls.guests, pace=_PACES, who=_NUMBERS)
    def send(self, kind: str, guests: calls.Guests, pace: str, who: int) -> None:
        self._send(kind, guests, pace, who)

    def _send(self, kind: str, guests: calls.Guests, pace: str, who: int) -> None:
        uid = f"meeting-{self.sent}"
        self.sent += 1
        event = calls.new_event(kind, guests, self.world.words, uid)
        command = Send(event=event, language="en")
        self._call(uid, _story(send_meeting, command, self.world), pace, who)

    @rule(number=_NUMBERS, wish=calls.WHOLE_WISHES, pace=_PACES, who=_NUMBERS)
    def update(self, number: int, wish: Wish, pace: str, who: int) -> None:
        rows = Rows.of(self.world.meeting(number))
        edit = calls.whole_edit(rows, wish, self.world.words)
        command = Update(uid=rows.meeting.uid, edit=edit)
        make = _story(update_meeting, command, self.world)
        self._call(rows.meeting.uid, make, pace, who, keeps_version=False)

    @rule(number=_NUMBERS, wish=calls.ONE_WISHES, pace=_PACES, who=_NUMBERS)
    def update_occurrence(self, number: int, wish: Wish, pace: str, who: int) -> None:
        rows = Rows.of(self.world.series(number))
        day = rows.occurrences[wish.number % len(rows.occurrences)]
        edit = calls.occurrence_edit(rows, day, wish, self.world.words)
        command = Update(uid=rows.meeting.uid, edit=edit, occurrence=Moment(day))
        make = _story(update_meeting, command, self.world)
        self._call(rows.meeting.uid, make, pace, who, keeps_version=False)

    @rule(
        what=st.sampled_from(["day", "day", "day", "future", "future", "all"]),
        number=_NUMBERS,
        pace=_PACES,
        who=_NUMBERS,
    )
    def cancel(self, what: str, number: int, pace: str, who: int) -> None:
        rows = Rows.of(self.world.meeting(number) if what == "all" else self.world.series(number))
        days = rows.later_occurrences if what == "future" else rows.occurrences
        command = Cancel(
            uid=rows.meeting.uid,
            occurrence=None if what == "all" else Moment(days[number % len(days)]),
            and_future=what == "future",
            reason=self.world.words.next(),
        )
        story = split_series if what == "future" else cancel_meeting
        self._call(rows.meeting.uid, _story(story, command, self.world), pace, who)

    @rule(number=_NUMBERS, wish=calls.REST_WISHES, pace=_PACES, who=_NUMBERS)
    def split(self, number: int, wish: Wish, pace: str, who: int) -> None:
        rows = Rows.of(self.world.series(number))
        days = rows.later_occurrences
        command = Update(
            uid=rows.meeting.uid,
            edit=calls.whole_edit(rows, wish, self.world.words),
            occurrence=Moment(days[wish.number % len(days)]),
            and_future=True,
        )
        self._call(rows.meeting.uid, _story(split_series, command, self.world), pace, who)

    @rule(number=_NUMBERS, pace=_PACES, who=_NUMBERS)
    def call_again(self, number: int, pace: str, who: int) -> None:
        last = self.answers.last_call(number)
        if last:
            self._call(last.uid, last.make, pace, who, keeps_version=last.keeps_version)

    @rule(
        what=st.sampled_from(["failed", "failed", "to all", "to one", "to one"]),
        number=_NUMBERS,
        pace=_PACES,
        who=_NUMBERS,
    )
    def resend(self, what: str, number: int, pace: str, who: int) -> None:
        rows = Rows.of(self.world.any_meeting(number))
        to = rows.attendees[number % len(rows.attendees)].address if what == "to one" else ""
        command = Resend(uid=rows.meeting.uid, only_failed=what == "failed", to=to)

        def make(patience: Patience) -> Standing:
            return resend(command, self.world.actor, deadline=patience)

        self._call(rows.meeting.uid, make, pace, who)

    @rule(who=_NUMBERS, pace=_PACES)
    def work(self, who: int, pace: str) -> None:
        program = self.world.idle_program(who)
        self.world.work(program)
        self._run(program, pace)

    @rule(who=_NUMBERS, stops=st.integers(1, 4))
    def go_on(self, who: int, stops: int) -> None:
        if busy := self.world.busy:
            self.world.go(busy[who % len(busy)], stops)

    @rule(who=_NUMBERS)
    def finish(self, who: int) -> None:
        if busy := self.world.busy:
            self.world.finish(busy[who % len(busy)])

    @rule(which=_NUMBERS)
    def kill(self, which: int) -> None:
        self.world.kill(self.processes[which % len(self.processes)])

    @rule(stopped=st.sampled_from([(), (), (0,), (1,)]))
    def time_passes(self, stopped: tuple[int, ...]) -> None:
        self.world.let_time_pass([self.processes[each] for each in stopped])

    @rule(dots=_DOTS)
    def server_fails(self, dots: list[Dot]) -> None:
        self.world.mail_server.dots.extend(dots)

    @rule(address=st.sampled_from(calls.EVERYBODY), reply=_REPLIES)
    def server_minds(self, address: str, reply: str) -> None:
        self.world.mail_server.mailboxes[address] = reply

    @rule(
        what=st.sampled_from(["patience", "day", "crowd", "recover", "pause", "stop", "operator"]),
        number=_NUMBERS,
    )
    def something_happens(self, what: str, number: int) -> None:
        world = self.world
        world.resume()
        if what == "patience" and world.busy:
            world.jobs[world.busy[number % len(world.busy)]].patience.lose()
        elif what == "day":
            world.let_a_day_pass()
        elif what == "crowd":
            world.mail_server.takes = 1
        elif what == "recover":
            world.mail_server.recover()
        elif what in ("pause", "stop"):
            world.pause(beats=what == "stop")
        elif what == "operator":
            meeting = world.any_meeting(number)
            self.answers.somebody_asks(meeting.uid)
            bring_up_to_date([meeting.pk])

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                check_end(self.world)
        finally:
            note(f"The ledger, by the number of the job:\n{self.world.ledger}")
            self.world.reset()

    def _call(
        self, uid: str, make: Make, pace: str, who: int, *, keeps_version: bool = True
    ) -> None:
        program = self.world.idle_program(who)
        patience = Patience(waits=pace != "background")
        call = self.answers.begin(uid, make, keeps_version=keeps_version)
        self.world.begin(program, lambda: make(patience), patience, call)
        self._run(program, pace)

    def _run(self, program: Program, pace: str) -> None:
        if pace.isdigit():
            self.world.go(program, int(pace))
        else:
            self.world.finish(program)


def _story(story: Callable[..., Standing], command: object, world: World) -> Make:
    return lambda patience: story(command, world.actor, now=timezone.now(), deadline=patience)
