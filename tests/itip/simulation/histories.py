"""Random histories of a meeting: what callers ask for, and the days that pass between.

The organizer's real decisions make each version. A history is made once and delivered many times.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from meetings.itip import organizer
from meetings.itip.edit import Edit, apply
from meetings.itip.errors import ITipError
from meetings.itip.event import Attendee, Event
from meetings.itip.message import Version
from meetings.itip.moment import Moment
from meetings.itip.occurrence import occurrence_of, require_occurrence
from meetings.itip.outstanding import Present
from meetings.itip.readers import Past, PastVersion
from meetings.itip.recurrence.parts import RuleParts
from meetings.itip.recurrence.rule import Frequency
from tests.itip.simulation.clients import Entries, Key
from tests.support.cast import ALICE, BOB, CAROL, DAN, meeting

PEOPLE = (BOB, CAROL, DAN)
ORGANIZER = Attendee(address=ALICE.address, name=ALICE.name)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2027, 3, 1, 10)
MOST = 100
ZONES = ("Asia/Shanghai", "Asia/Singapore", "Asia/Tokyo")
"""Tokyo is an hour ahead of the others."""


@dataclass(frozen=True)
class Stage:
    """One meeting of a history as it is at one time, with what is kept of its versions."""

    event: Event
    versions: dict[int, PastVersion]
    present: Present
    past: Past
    stored: dict[tuple[str, Key], Entries] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """The meetings of a history after one call, or after some days.

    ``stages`` are one, or two after a split. ``changed`` says which of them have a new version.
    """

    now: datetime
    stages: tuple[Stage, ...]
    changed: frozenset[int] = frozenset()


History = list[Turn]


def make_history(random: Random) -> History:
    """Return the turns of a meeting that is sent, and then changed some times."""
    now = datetime(2027, 2, 28, 9, tzinfo=UTC)
    first = organizer.invite(_wanted(random), now=now)
    turns = [Turn(now, (_stage({}, first, now),), frozenset({0}))]
    weights = random.choice(_WEIGHTS)
    for _ in range(random.randint(4, 9)):
        turn = _next(random, turns[-1], weights)
        if turn is not None:
            turns.append(turn)
    return turns


def _wanted(random: Random) -> Event:
    people = _some(random) if random.random() < 0.95 else (ORGANIZER,)
    blank = meeting(attendees=people, start=MONDAY, end=MONDAY + HOUR)
    if random.random() < 0.05:
        return blank
    return apply(Edit(recurrence=_parts(random, blank)), blank).event


def _parts(random: Random, event: Event) -> RuleParts:
    """Every Monday, every second one, or each day; with a COUNT or an UNTIL."""
    freq = Frequency.DAILY if random.random() < 0.3 else Frequency.WEEKLY
    count = random.randint(3, 5)
    until = Moment(event.start + count * (DAY if freq is Frequency.DAILY else 7 * DAY))
    return RuleParts(
        freq=freq,
        interval=random.choice((None, None, 2)),
        count=None if (is_until := random.random() < 0.3) else count,
        until=until if is_until else None,
    )


def _stage(kept: dict[int, PastVersion], version: Version, now: datetime) -> Stage:
    event = version.event
    versions = kept | {event.sequence: PastVersion(version.changes, version.comment)}
    return Stage(event, versions, Present(event, now), Past(event, versions))


def _next(random: Random, turn: Turn, weights: Sequence[int]) -> Turn | None:
    if random.random() < 0.12:
        now = turn.now + random.choice((20 * HOUR, 3 * DAY, 8 * DAY))
        stages = tuple(replace(each, present=Present(each.event, now)) for each in turn.stages)
        return Turn(now, stages)
    number = random.randrange(len(turn.stages))
    stage = turn.stages[number]
    if stage.event.is_cancelled:
        return None
    try:
        call = random.choices(_CALLS, weights)[0]
        made = call(random, stage.event, turn.now)
    except ITipError:
        return None
    return _after(turn, number, made, forgets=random.random() < 0.05)


def _after(turn: Turn, number: int, made: Sequence[Version], *, forgets: bool) -> Turn:
    stages = list(turn.stages)
    stages[number] = _stage({} if forgets else stages[number].versions, made[0], turn.now)
    changed = {number}
    if len(made) > 1 and len(stages) == 1:
        stages.append(_stage({}, made[1], turn.now))
        changed.add(1)
    return Turn(turn.now, tuple(stages), frozenset(changed))


Call = Callable[[Random, Event, datetime], Sequence[Version]]


def _update(event: Event, edit: Edit, now: datetime) -> Sequence[Version]:
    return [organizer.update(event, apply(edit, event).event, now=now)]


def _retitle(random: Random, event: Event, now: datetime) -> Sequence[Version]:
    edit = random.choice((Edit(summary=_title(random)), Edit(location=_title(random)), Edit()))
    return _update(event, edit, now)


def _title(random: Random) -> str:
    return f"Title {random.randint(1, 4)}"


def _move(random: Random, event: Event, now: datetime) -> Sequence[Version]:
    """Another time, another length, or another zone: at the same hour or the same instant."""
    zone = random.choice(ZONES) if random.random() < 0.3 else event.tzid
    start = event.start + random.choice((timedelta(), timedelta(), HOUR, -HOUR, DAY, 7 * DAY))
    end = start + random.choice((HOUR, 2 * HOUR))
    return _update(event, Edit(start=Moment(start), end=Moment(end), tzid=zone), now)


def _repeat(random: Random, event: Event, now: datetime) -> Sequence[Version]:
    recurrence = None if random.random() < 0.2 else _parts(random, event)
    return _update(event, Edit(recurrence=recurrence), now)


def _exclude(random: Random, event: Event, now: datetime) -> Sequence[Version]:
    """The same rule with other EXDATEs: an EXDATE comes, goes, or meets a changed occurrence."""
    if event.rule is None:
        return _repeat(random, event, now)
    every = sorted({*event.occurrences, *event.left_out})
    few = random.sample(every, min(random.choice((1, 1, 2)), len(every) - 1))
    exdates = () if event.exdates and random.random() < 0.5 else tuple(sorted(few))
    return [organizer.update(event, replace(event, exdates=exdates), now=now)]


def _invite_others(random: Random, event: Event, now: datetime) -> Sequence[Version]:
    return _update(event, Edit(attendees=_some(random)), now)


def _some(random: Random) -> tuple[Attendee, ...]:
    return tuple(random.sample(PEOPLE, random.choice((1, 2, 2, 3))))


def _one(random: Random, event: Event) -> datetime:
    """An occurrence: often the second, so that much happens to the same one."""
    every = event.occurrences
    when = every[1] if len(every) > 1 and random.random() < 0.6 else random.choice(every)
    require_occurrence(event, when)
    return when


def _change_one(random: Random, event: Event, now: datetime) -> Sequence[Version]:
    when = _one(random, event)
    kind = random.random()
    if kind < 0.2:
        edit = Edit(summary=_title(random))
    elif kind < 0.4:
        start = when + random.choice((HOUR, -2 * HOUR, DAY, 3 * DAY, timedelta()))
        edit = Edit(start=Moment(start), end=Moment(start + HOUR))
    else:
        edit = Edit(attendees=_but_for_one(random, occurrence_of(event, when)))
    return [organizer.update_occurrence(event, when, edit, now=now, most=MOST)]


def _but_for_one(random: Random, event: Event) -> tuple[Attendee, ...]:
    """The same people, but for one who joins or leaves."""
    one = random.choice(PEOPLE)
    others = tuple(each for each in event.attendees if each.address != one.address)
    return others if len(others) < len(event.attendees) and others else (*others, one)


def _cancel_one(random: Random, event: Event, now: datetime) -> Sequence[Version]:
    return [organizer.cancel_occurrence(event, _one(random, event), comment="No room")]


def _cut(random: Random, event: Event, now: datetime) -> Sequence[Version]:
    if event.rule is None:
        return [organizer.cancel(event)]
    return [organizer.cut(event, _one(random, event)).ended]


def _split(random: Random, event: Event, now: datetime) -> Sequence[Version]:
    if event.rule is None:
        return [organizer.cancel(event)]
    edit = random.choice((Edit(summary=_title(random)), Edit(attendees=_some(random))))
    made = organizer.split_off(event, _one(random, event), edit, uid="meeting-2", now=now)
    assert made.rest is not None
    return [made.ended, made.rest]


def _cancel(random: Random, event: Event, now: datetime) -> Sequence[Version]:
    return [organizer.cancel(event, comment="No room")]


_CALLS: tuple[Call, ...] = (
    _retitle,
    _move,
    _repeat,
    _exclude,
    _invite_others,
    _change_one,
    _cancel_one,
    _cut,
    _split,
    _cancel,
)
_WEIGHTS = ((3, 3, 2, 4, 4, 8, 3, 1, 1, 1), (1, 1, 0, 1, 1, 14, 2, 0, 0, 0))
"""Of each call: a bit of everything, or mostly what happens to single occurrences."""
