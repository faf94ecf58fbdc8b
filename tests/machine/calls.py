"""What callers ask for: edits of every kind, made for the meeting as it is stored."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from hypothesis import strategies as st

from meetings.deadline import Deadline
from meetings.itip.edit import Edit, apply
from meetings.itip.event import Attendee, Event, Organizer, Role
from meetings.itip.moment import Moment
from meetings.itip.recurrence.parts import RuleParts
from meetings.itip.recurrence.rule import Frequency
from tests.machine.stored import Rows

ALICE = Organizer(address="alice@example.com", name="Alice")
PEOPLE = ("bob@example.org", "carol@example.net", "dan@example.org", "eve@example.net")
EVERYBODY = (ALICE.address, *PEOPLE)

Guests = Mapping[str, Role]

guests: st.SearchStrategy[Guests] = st.one_of(
    st.dictionaries(
        st.sampled_from(PEOPLE),
        st.sampled_from([Role.REQUIRED, Role.REQUIRED, Role.OPTIONAL]),
        min_size=1,
        max_size=len(PEOPLE),
    ),
    st.dictionaries(
        st.sampled_from(PEOPLE), st.just(Role.REQUIRED), min_size=1, max_size=len(PEOPLE)
    ),
    st.just({ALICE.address: Role.REQUIRED}),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A caller's wish: ``kind`` of edit, for whom, and a number that picks among what is there."""

    kind: str
    guests: Guests
    number: int


class Words:
    """Texts that nobody else writes, each of them once: who reads one can be asked how."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def next(self) -> str:
        """Return a new one."""
        return f"Word{next(self._numbers)}x"


class Patience(Deadline):
    """A caller's time. It does not run; it is over when the caller loses patience."""

    def __init__(self, *, waits: bool) -> None:
        super().__init__(1e6 if waits else 0.0)

    def lose(self) -> None:
        """End it."""
        super().__init__(0.0)


def attendees(wanted: Guests) -> tuple[Attendee, ...]:
    """Return the list, in the order in which the callers name people."""
    return tuple(Attendee(address=address, role=role) for address, role in wanted.items())


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_WEEKLY = RuleParts(freq=Frequency.WEEKLY, count=4)
_STARTS: Mapping[str, tuple[datetime, RuleParts | None]] = {
    "once": (datetime(2032, 3, 1, 10), None),
    "weekly": (datetime(2032, 3, 1, 10), _WEEKLY),
    "every other day": (
        datetime(2032, 3, 1, 10),
        RuleParts(freq=Frequency.DAILY, interval=2, count=3),
    ),
    # Some years of it are over, and some to come.
    "yearly": (
        datetime(2022, 3, 1, 10),
        RuleParts(freq=Frequency.YEARLY, by_month=3, by_month_day=1, count=16),
    ),
    "over": (datetime(2022, 3, 1, 10), None),
}
NEW = st.sampled_from(["once", "weekly", "weekly", "weekly", "every other day", "yearly", "over"])


def new_event(kind: str, wanted: Guests, words: Words, uid: str) -> Event:
    """Return the event of a send."""
    start, parts = _STARTS[kind]
    blank = Event(
        uid=uid,
        summary=words.next(),
        description=words.next(),
        start=start,
        end=start + _HOUR,
        tzid="Asia/Shanghai",
        organizer=ALICE,
        attendees=attendees(wanted),
    )
    return apply(
        Edit(recurrence=parts, start=Moment(start), end=Moment(start + _HOUR)), blank
    ).event


def _times(rows: Rows, by: timedelta, longer: timedelta = timedelta()) -> Edit:
    meeting = rows.meeting
    return Edit(start=Moment(meeting.start + by), end=Moment(meeting.end + by + longer))


def _left_out(rows: Rows, number: int) -> Edit:
    """The rule as it is, without one more of its days."""
    known = [datetime.fromisoformat(text) for text in rows.meeting.exdates]
    days = rows.by_rule
    left_out = [*known, days[number % len(days)]]
    return Edit(recurrence=_parts(rows, exdates=tuple(map(Moment, left_out))))


def _parts(rows: Rows, exdates: tuple[Moment, ...] = ()) -> RuleParts:
    rule = dict(part.split("=") for part in rows.meeting.rrule.split(";") if part)
    until = rule.get("UNTIL")
    return RuleParts(
        freq=Frequency(rule.get("FREQ", "WEEKLY")),
        interval=int(rule.get("INTERVAL", "1")),
        count=None if until else int(rule.get("COUNT", "3")),
        until=Moment(datetime.strptime(until, "%Y%m%dT%H%M%S")) if until else None,  # noqa: DTZ007
        exdates=exdates,
    )


Make = Callable[[Rows, Wish, Words], Edit]
_WHOLE: Mapping[str, Make] = {
    "title": lambda _rows, _wish, words: Edit(summary=words.next()),
    "text": lambda _rows, _wish, words: Edit(description=words.next()),
    "place": lambda _rows, _wish, words: Edit(location=words.next()),
    "people": lambda _rows, wish, _words: Edit(attendees=attendees(wish.guests)),
    "people and title": lambda _rows, wish, words: Edit(
        attendees=attendees(wish.guests), summary=words.next()
    ),
    "people and place": lambda _rows, wish, words: Edit(
        attendees=attendees(wish.guests), location=words.next()
    ),
    "later": lambda rows, _wish, _words: _times(rows, _HOUR),
    "earlier": lambda rows, _wish, _words: _times(rows, -_HOUR),
    "another day": lambda rows, _wish, _words: _times(rows, _DAY),
    "longer": lambda rows, _wish, _words: _times(rows, timedelta(), timedelta(minutes=30)),
    "zone": lambda rows, _wish, _words: Edit(
        tzid="Asia/Tokyo" if rows.meeting.tzid == "Asia/Shanghai" else "Asia/Shanghai"
    ),
    "rule": lambda _rows, wish, _words: Edit(
        recurrence=RuleParts(freq=Frequency.WEEKLY, count=2 + wish.number % 3)
    ),
    "days": lambda _rows, wish, _words: Edit(
        recurrence=RuleParts(freq=Frequency.DAILY, interval=7, count=2 + wish.number % 3)
    ),
    "a day left out": lambda rows, wish, _words: _left_out(rows, wish.number),
    "no day left out": lambda rows, _wish, _words: Edit(recurrence=_parts(rows)),
    "once": lambda _rows, _wish, _words: Edit(recurrence=None),
    "nothing": lambda _rows, _wish, _words: Edit(),
    "reminder": lambda _rows, wish, _words: Edit(reminder=wish.number),
}


def whole_edit(rows: Rows, wish: Wish, words: Words) -> Edit:
    """Return an edit of the whole meeting."""
    return _WHOLE[wish.kind](rows, wish, words)


def occurrence_edit(rows: Rows, when: datetime, wish: Wish, words: Words) -> Edit:
    """Return an edit of the occurrence that the rule has at the wall-clock time ``when``."""
    return _ONE[wish.kind](_Day(rows, when), wish, words)


@dataclass(frozen=True, slots=True)
class _Day:
    rows: Rows
    when: datetime

    def moved(self, by: timedelta) -> Edit:
        """The occurrence so much later than the rule has it."""
        start = self.when + by
        duration = self.rows.meeting.end - self.rows.meeting.start
        return Edit(start=Moment(start), end=Moment(start + duration))


_ONE: Mapping[str, Callable[[_Day, Wish, Words], Edit]] = {
    "title": lambda _day, _wish, words: Edit(summary=words.next()),
    "place": lambda _day, _wish, words: Edit(location=words.next()),
    "people": lambda _day, wish, _words: Edit(attendees=attendees(wish.guests)),
    "people and title": lambda _day, wish, words: Edit(
        attendees=attendees(wish.guests), summary=words.next()
    ),
    "later": lambda day, _wish, _words: day.moved(_HOUR),
    "another day": lambda day, _wish, _words: day.moved(_DAY),
    "as the rule has it": lambda day, _wish, _words: day.moved(timedelta()),
    "as the series": lambda day, _wish, _words: Edit(
        summary=day.rows.meeting.summary,
        location=day.rows.meeting.location,
        description=day.rows.meeting.description,
    ),
}


def _wishes(kinds: Iterable[str]) -> st.SearchStrategy[Wish]:
    return st.builds(Wish, st.sampled_from(sorted(kinds)), guests, st.integers(0, 5))


WHOLE_WISHES = _wishes(_WHOLE)
REST_WISHES = _wishes(["title", "people", "people and title", "people and place", "zone", "once"])
ONE_WISHES = _wishes(_ONE)
