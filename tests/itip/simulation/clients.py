"""Four kinds of calendar, as plain values: what each shows after the messages that reached it.

None of them imports what decides. RFC 5546 says that a REQUEST of the whole replaces all that was
known of single occurrences. Cyrus 3.6 and Thunderbird are as measured with the real programs.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from meetings.itip.event import Event
from meetings.itip.message import Message, Method

Entry = tuple[str, datetime, datetime, str, str, frozenset[str]]
"""What a calendar shows of one occurrence: title, start, end, zone, place, people."""

Entries = dict[object, Entry]
Key = Callable[[str, datetime], object]
"""What a calendar knows an occurrence by, from the zone and the time of its RECURRENCE-ID."""


def entry_of(event: Event, start: datetime, end: datetime) -> Entry:
    """What a calendar shows of ``event``, or of one occurrence of it that was not changed."""
    return event.summary, start, end, event.tzid, event.location, _people(event)


@lru_cache(maxsize=4096)
def instant_of(tzid: str, wall_clock: datetime) -> datetime:
    """The same moment, naive in UTC."""
    offset = wall_clock.replace(tzinfo=ZoneInfo(tzid)).utcoffset()
    return wall_clock - (offset or timedelta())


def text_of(tzid: str, wall_clock: datetime) -> datetime:
    """The value of a RECURRENCE-ID without its TZID."""
    return wall_clock


class Calendar:
    """A calendar as RFC 5546 wants it: a REQUEST of the whole resets the occurrences."""

    key: Key = staticmethod(instant_of)

    def __init__(self) -> None:
        self.whole: Event | None = None
        self.single: dict[object, Event | None] = {}  # None: hidden
        self.newest: tuple[int, datetime] | None = None
        self._shown: Entries | None = None

    def receive(self, message: Message) -> None:
        """Take in a message, unless it is an old one or the same bytes again."""
        version = message.event.sequence, message.dtstamp
        if self.newest is not None and version <= self.newest:
            return
        self.newest, self._shown = version, None
        event = message.event
        if event.recurrence_id is None:
            self._receive_whole(event if message.method is Method.REQUEST else None)
        else:
            key = self.key(event.tzid, event.recurrence_id)
            self._receive_one(key, event if message.method is Method.REQUEST else None)

    def _receive_whole(self, event: Event | None) -> None:
        self.whole = event
        self.single.clear()

    def _receive_one(self, key: object, event: Event | None) -> None:
        self.single[key] = event

    def shown(self) -> Entries:
        """Every entry, by what the calendar knows the occurrence by."""
        if self._shown is None:
            self._shown = self._entries()
        return self._shown

    def _entries(self) -> Entries:
        entries = entries_of(self.whole, self.key) if self.whole else {}
        for key, event in self.single.items():
            if event is None:
                entries.pop(key, None)
            else:
                entries[key] = entry_of(event, event.start, event.end)
        return entries


class Keeping(Calendar):
    """A calendar that keeps what it was sent of single occurrences through every REQUEST."""

    def _receive_whole(self, event: Event | None) -> None:
        self.whole = event
        kept = self.single.items() if event else ()
        self.single = {key: one for key, one in kept if one is not None}


class Cyrus(Keeping):
    """A calendar that keeps such an occurrence after its CANCEL too, and hides it for good.

    It knows an occurrence by the text of its RECURRENCE-ID. An occurrence that it was never sent
    alone becomes an EXDATE of the whole, which the next REQUEST replaces.
    """

    key = staticmethod(text_of)

    def __init__(self) -> None:
        super().__init__()
        self.kept: set[object] = set()

    def _receive_whole(self, event: Event | None) -> None:
        before = self.single
        self.whole = event
        self.single = {key: before.get(key) if event else None for key in self.kept}

    def _receive_one(self, key: object, event: Event | None) -> None:
        if event is not None:
            self.kept.add(key)
        self.single[key] = event


class Thunderbird(Calendar):
    """A calendar that takes no REQUEST of a day which it was told is cancelled.

    Only a REQUEST of the whole brings the day back.
    """

    def _receive_one(self, key: object, event: Event | None) -> None:
        is_hidden = self.whole is not None and key in self.single and self.single[key] is None
        if event is None or not is_hidden:
            self.single[key] = event


KINDS: tuple[type[Calendar], ...] = (Calendar, Keeping, Cyrus, Thunderbird)


def entries_of(event: Event, key: Key) -> Entries:
    """The entries of the occurrences of ``event`` that were not changed alone."""
    rest = event.tzid, event.location, _people(event)
    duration = event.duration
    return {
        key(event.tzid, start): (event.summary, start, start + duration, *rest)
        for start in event.occurrences
    }


def _people(event: Event) -> frozenset[str]:
    return _addresses(tuple(person.address for person in event.attendees))


@lru_cache(maxsize=1024)
def _addresses(addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(addresses)
