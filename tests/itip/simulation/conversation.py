"""One delivery of a history: people with mail servers that fail, and calendars that differ."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum, auto
from itertools import takewhile
from random import Random

from meetings.addresses import address_key
from meetings.itip.event import Event
from meetings.itip.group import Reader, grouped, portion
from meetings.itip.message import Message, Method
from meetings.itip.occurrence import occurrence_of
from meetings.itip.outstanding import Step, outstanding
from meetings.itip.readers import Planned, planned
from meetings.itip.told import Person
from tests.itip.simulation.clients import (
    KINDS,
    Calendar,
    Entries,
    Entry,
    Key,
    entries_of,
    entry_of,
    text_of,
)
from tests.itip.simulation.histories import History, Stage, Turn
from tests.support import recording
from tests.support.cast import ALICE
from tests.support.telling import listed

ROUNDS = 2
"""With a healthy mail server: one sends all that is outstanding, one finds nothing more."""


class End(Enum):
    """How a message ends. ARRIVED and LOST are the same to the sender: no word came."""

    ACCEPTED = auto()
    REFUSED = auto()
    DEFERRED = auto()
    ARRIVED = auto()
    LOST = auto()


BROKEN = 1000
"""A place after all others: of one person's messages, none is sent after one that failed."""

NEWEST = 1000
"""SEQUENCE of a version that nobody makes: those who are asked for it are told every version."""

LEFT_OUT, MAIL_AGAIN = 0.05, 0.02
"""How often a caller leaves somebody out, and an operator has everything mailed again."""

MOST, SMALL = 1000, 0.2
"""Deliveries that go out at once, and how often it is a portion of what is due."""

FAULTS = [End.REFUSED, End.DEFERRED, End.ARRIVED, End.LOST]


@dataclass
class Recipient:
    """One person of one meeting: what they were told, what is open, and their calendar."""

    address_key: str
    person: Person
    calendar: Calendar
    open: Planned | None = None
    newest: tuple[int, datetime] = (-1, datetime.min.replace(tzinfo=UTC))


People = dict[str, Recipient]


@dataclass
class Conversation:
    """One delivery of a history, by chance; ``healthy`` is how it ends."""

    random: Random
    healthy: bool = False
    faults: float = 0.4
    stages: tuple[Stage, ...] = ()
    meetings: list[People] = field(default_factory=list)

    def run(self, history: History) -> None:
        """Deliver ``history``. Raises AssertionError where a calendar ends up wrong."""
        diligence, self.faults = self.random.choice(((0.5, 0.4), (0.6, 0.1)))
        for turn in history:
            self._take_in(turn)
            while self.random.random() < diligence:
                self._deliver_all()
        self.healthy = True
        for each in (each for people in self.meetings for each in people.values()):
            ask(each)
        rounds = takewhile(bool, (self._deliver_all() for _ in range(ROUNDS)))
        assert len(list(rounds)) < ROUNDS, "it never ends"

    def _take_in(self, turn: Turn) -> None:
        for number in sorted(turn.changed):
            if number == len(self.meetings):
                self.meetings.append({})
            event, people = turn.stages[number].event, self.meetings[number]
            for each in people.values():
                self._ask(each, number)
            for attendee in listed(event):
                key = address_key(attendee.address)
                if key not in people:
                    kind = KINDS[int(self.random.random() * len(KINDS))]
                    people[key] = Recipient(key, Person(attendee=attendee, asked=NEWEST), kind())
        self.stages = turn.stages

    def _ask(self, each: Recipient, number: int) -> None:
        """Have the next version told to the person, or to others only: nothing may be owed."""
        if self.random.random() > LEFT_OUT or each.open:
            ask(each)
        elif not outstanding(self.stages[number].present, each.person):
            sequence = self.stages[number].event.sequence
            each.person = replace(each.person, asked=min(each.person.asked, sequence))

    def _deliver_all(self) -> int:
        """Send what is outstanding; how many people are due something."""
        meetings = zip(self.stages, self.meetings, strict=True)
        return sum(self._deliver(stage, people) for stage, people in meetings)

    def _deliver(self, stage: Stage, people: People) -> int:
        due: list[Reader] = []
        tried: dict[str, int] = {}
        for key, each in people.items():
            if not self.healthy and self.random.random() < MAIL_AGAIN:
                self._forget(stage, each)
            steps = outstanding(stage.present, each.person)
            check_progress(stage, each.person, steps)
            if steps:
                tried[key] = place_of(each.open, steps, stage.event)
                due.append(Reader(each.person, steps))
            else:
                each.open = None
                check_calendar(stage, each)
        self._send_again(people, tried)
        most = MOST if self.healthy or self.random.random() > SMALL else self.random.randint(1, 4)
        for mail in planned(stage.present, portion(grouped(due), most), stage.past):
            for reader in mail.readers:
                if tried[reader.key] < mail.place:
                    check_invited(stage, people[reader.key], mail.message)
                    self._store(people[reader.key], reader, mail)
                    if not self._send(people[reader.key], mail):
                        tried[reader.key] = BROKEN
        return len(due)

    def _forget(self, stage: Stage, each: Recipient) -> None:
        """Somebody asks that this person gets all mail again."""
        each.person = recording.forgotten(each.person, is_cancelled=stage.event.is_cancelled)
        ask(each)

    def _send_again(self, people: People, tried: dict[str, int]) -> None:
        """Send the open deliveries that still say what is outstanding: the same bytes."""
        for key, place in tried.items():
            each = people[key]
            if place < 0:
                each.open = None
            elif each.open is not None and not self._send(each, each.open):
                tried[key] = BROKEN

    def _store(self, each: Recipient, reader: Person, mail: Planned) -> None:
        check_message(each, reader, mail)
        each.person = replace(each.person, stamp=mail.message.dtstamp)

    def _send(self, each: Recipient, mail: Planned) -> bool:
        """Send a mail to one of its readers; whether the mail server accepted it."""
        is_fault = not self.healthy and self.random.random() < self.faults
        end = FAULTS[int(self.random.random() * len(FAULTS))] if is_fault else End.ACCEPTED
        if end in (End.ACCEPTED, End.ARRIVED):
            each.calendar.receive(mail.message)
        each.open = None if end in (End.ACCEPTED, End.REFUSED) else mail
        if end is End.ACCEPTED:
            each.person = recording.accepted(each.person, mail)
        elif end in (End.ARRIVED, End.LOST):
            each.person = recording.unknown(each.person, mail)
        return end is End.ACCEPTED


def ask(each: Recipient) -> None:
    """Have the person told all that is stored, unless somebody has asked for that already."""
    if each.person.asked != NEWEST:
        each.person = replace(each.person, asked=NEWEST)


def place_of(mail: Planned | None, steps: tuple[Step, ...], event: Event) -> int:
    """The place in ``steps`` of what an open mail says; -1 where it is to be planned anew."""
    if mail is None or mail.message.event.sequence != event.sequence or mail.step not in steps:
        return -1
    place = steps.index(mail.step)
    has_whole_before = any(step.recurrence_id is None for step in steps[:place])
    return -1 if has_whole_before else place


def check_message(each: Recipient, reader: Person, mail: Planned) -> None:
    """Each message is newer than the one before, and newcomers read nothing of what was."""
    message = mail.message
    version = message.event.sequence, message.dtstamp
    assert version > each.newest, "(SEQUENCE, DTSTAMP) does not rise"
    each.newest = version
    if not reader.was_told:
        assert message.previous is None, "a newcomer reads what was before"
        assert not message.again
    if message.previous is not None and type(each.calendar) is Calendar:
        check_previous(each.calendar, message, message.previous)


def check_progress(stage: Stage, person: Person, steps: tuple[Step, ...]) -> None:
    """What was accepted is due no more, and all else is: so the messages may go in any portions.

    The whole may take away the time that made an occurrence wait to be over.
    """
    while steps:
        step, *rest = steps
        [mail] = planned(stage.present, grouped([Reader(person, (step,))]), stage.past)
        person = recording.accepted(person, mail)
        steps = outstanding(stage.present, person)
        assert list(steps) == [each for each in rest if each in steps]
        assert all(is_over(stage, each) for each in rest if each not in steps)


def is_over(stage: Stage, step: Step) -> bool:
    """Whether a step is about a changed occurrence whose own times are past."""
    identity, present = step.recurrence_id, stage.present
    return identity in present.overrides and identity not in present.ahead


def check_invited(stage: Stage, each: Recipient, message: Message) -> None:
    """A REQUEST shows its reader only what they are invited to."""
    if message.method is Method.REQUEST and each.address_key != ALICE.address:
        event = message.event
        days = event.occurrences if event.recurrence_id is None else (event.recurrence_id,)
        assert stored_for(stage, each, text_of).keys() >= set(days), "not invited to this"


def check_previous(calendar: Calendar, message: Message, previous: Event) -> None:
    """The mail compares with what the reader has."""
    if previous.recurrence_id is None:
        assert calendar.whole is not None
        assert texts_of(previous) == texts_of(calendar.whole)
    else:
        key = calendar.key(message.event.tzid, previous.recurrence_id)
        assert calendar.shown()[key] == entry_of(previous, previous.start, previous.end)


def texts_of(event: Event) -> tuple[object, ...]:
    return (*entry_of(event, event.start, event.end), event.rule, event.description)


def check_calendar(stage: Stage, each: Recipient) -> None:
    """What the calendar shows is what is stored for the person, but for what is over."""
    wanted, shown = stored_for(stage, each, each.calendar.key), each.calendar.shown()
    is_untold = each.person.asked < stage.event.sequence
    if wanted == shown or is_untold or each.address_key == ALICE.address:
        return
    for key in wanted.keys() | shown.keys():
        stored, seen = wanted.get(key), shown.get(key)
        if stored != seen:
            assert not is_ahead(stored, stage), f"{key}: {stored} is stored, {seen} is shown"
            assert not is_ahead(seen, stage), f"{key}: {seen} is shown, {stored} is stored"


def is_ahead(entry: Entry | None, stage: Stage) -> bool:
    return entry is not None and stage.event.instant(entry[2]) > stage.present.now


def stored_for(stage: Stage, each: Recipient, key: Key) -> Entries:
    """The entries that the person should have, straight from what is stored."""
    found = stage.stored.get((each.address_key, key))
    if found is None:
        found = stage.stored[each.address_key, key] = entries_for(stage.event, each, key)
    return found


def entries_for(event: Event, each: Recipient, key: Key) -> Entries:
    if event.is_cancelled:
        return {}
    is_guest = is_listed(each, event)
    entries = entries_of(event, key) if is_guest else {}
    for override in event.changed:
        occurrence = occurrence_of(event, override.recurrence_id)
        at = key(event.tzid, override.recurrence_id)
        if is_listed(each, occurrence):
            entries[at] = entry_of(occurrence, occurrence.start, occurrence.end)
        else:
            entries.pop(at, None)
    return entries


def is_listed(each: Recipient, event: Event) -> bool:
    return any(address_key(guest.address) == each.address_key for guest in event.attendees)
