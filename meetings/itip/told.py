"""What a person was told of a meeting, as far as the mail server's word goes."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo

from meetings.addresses import address_key
from meetings.itip.event import Attendee, Event
from meetings.itip.message import Method

_TIME = "%Y%m%dT%H%M%S"
_DAY = "%Y%m%d"


@dataclass(frozen=True, slots=True, order=True)
class RecurrenceId:
    """What a calendar knows one occurrence by (RFC 5545 §3.8.4.4).

    ``when`` is the wall-clock start in the IANA zone ``tzid`` that the rule gave it when it was
    told. An all-day occurrence has no zone. So an occurrence keeps its identity when the series
    moves to another zone. ``str()`` gives the property's own text, and ``from_text`` reads it.
    """

    when: datetime
    tzid: str = ""

    def __str__(self) -> str:
        if self.tzid:
            return f"TZID={self.tzid}:{self.when:{_TIME}}"
        return f"VALUE=DATE:{self.when:{_DAY}}"

    def __hash__(self) -> int:
        return hash(self.when)  # a large meeting asks for this many thousand times

    @staticmethod
    def from_text(text: str) -> "RecurrenceId":
        """Read what ``str()`` wrote. Raises ValueError for any other text."""
        return _read(text)

    @staticmethod
    def of(event: Event, when: datetime) -> "RecurrenceId":
        """Return the identity of the occurrence at the wall-clock time ``when`` of ``event``."""
        return _identity(when, "" if event.all_day else event.tzid)

    def instant(self, wall_clock: datetime) -> datetime:
        """Return ``wall_clock`` of the occurrence's zone in UTC; a day begins at 00:00 UTC."""
        zone = ZoneInfo(self.tzid) if self.tzid else UTC
        return wall_clock.replace(tzinfo=zone).astimezone(UTC)


# Thousands of people were told of the same occurrences. Comparing one object with itself is fast.
_identity = lru_cache(maxsize=4096)(RecurrenceId)


@lru_cache(maxsize=4096)
def _read(text: str) -> RecurrenceId:
    parameter, _, value = text.partition(":")
    name, _, tzid = parameter.partition("=")
    is_day = name == "VALUE"
    when = datetime.strptime(value, _DAY if is_day else _TIME)  # noqa: DTZ007
    return _identity(when, "" if is_day else tzid)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOccurrence:
    """The newest message about one occurrence that certainly or possibly reached a person.

    ``possible``: the mail server's word is missing. ``alone``: a REQUEST of this occurrence may
    have reached the person at some time, so that a calendar may keep it through every REQUEST of
    the whole. ``ends_at`` is the latest end (UTC) that a message gave it.
    """

    recurrence_id: RecurrenceId
    method: Method
    sequence: int
    possible: bool = False
    alone: bool = False
    ends_at: datetime

    @property
    def stands(self) -> bool:
        """Whether the person's calendar may show it: what is possible has to be taken back."""
        return self.method is Method.REQUEST or self.possible

    def knows(self, method: Method, sequence: int = 0) -> bool:
        """Whether the person certainly has this message, of SEQUENCE ``sequence`` or newer."""
        return self.method is method and not self.possible and self.sequence >= sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person of a meeting, on its list or not any more, and what they were told.

    ``method`` and ``sequence`` are those of the newest message of the whole that was certainly
    accepted. ``possible``: a newer one may have arrived. ``stamp`` is the DTSTAMP of the newest
    message, of the whole or of an occurrence, that may have left. ``knows_until`` is the latest end
    (UTC) that any message told. ``asked`` is the SEQUENCE of the newest version that the person is
    to be told.
    """

    attendee: Attendee
    method: Method | None = None
    sequence: int | None = None
    possible: bool = False
    stamp: datetime | None = None
    knows_until: datetime | None = None
    asked: int = 0
    occurrences: tuple[ToldOccurrence, ...] = ()

    @property
    def key(self) -> str:
        """The address as it is compared."""
        return address_key(self.attendee.address)

    @property
    def stands(self) -> bool:
        """Whether the person's calendar may show the whole."""
        return self.method is Method.REQUEST or self.possible

    @property
    def certain_request(self) -> int:
        """SEQUENCE of the whole that the person certainly has as its newest; -1 for none."""
        if self.method is not Method.REQUEST or self.possible or self.sequence is None:
            return -1
        return self.sequence

    @property
    def was_told(self) -> bool:
        """Whether any message may have reached the person."""
        return self.method is not None or self.possible or bool(self.occurrences)

    def heard(self, sequence: int) -> bool:
        """Whether the person certainly has a message of SEQUENCE ``sequence``."""
        whole = self.sequence == sequence and not self.possible
        return whole or any(o.sequence == sequence and not o.possible for o in self.occurrences)

    def after_unknown(self, told: ToldOccurrence | Method, *, plain: bool = False) -> Self:
        """Return the person after a message whose end nobody knows.

        ``told`` is the METHOD of a message of the whole, or what one about an occurrence said,
        ``plain`` with the series' own values.
        """
        if isinstance(told, ToldOccurrence):
            known = {row.recurrence_id: row for row in self.occurrences}
            old = known.get(told.recurrence_id)
            if plain and old and old.method is Method.CANCEL:
                # The day is still to be given back, by the whole that comes after this message.
                told = replace(told, method=old.method, sequence=old.sequence, alone=True)
            known[told.recurrence_id] = _after_unknown(old, told)
            return replace(self, occurrences=tuple(known.values()))
        # A REQUEST of the whole may have reset what it shows of single occurrences.
        rows = self.occurrences
        if told is Method.REQUEST:
            rows = tuple(replace(row, possible=True) for row in rows)
        return replace(self, possible=True, occurrences=rows)


def _after_unknown(old: ToldOccurrence | None, told: ToldOccurrence) -> ToldOccurrence:
    return replace(
        told,
        possible=True,
        alone=told.alone or told.method is Method.REQUEST or (old is not None and old.alone),
        ends_at=max(told.ends_at, old.ends_at) if old else told.ends_at,
    )
