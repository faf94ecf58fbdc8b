"""The values of RFC 5545 that a meeting is made of.

Times of day are wall-clock times (naive ``datetime``) in the event's zone. People agree on a time
of day, and it stays true when the zone changes its law (interop Z7).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from zoneinfo import ZoneInfo

from meetings.itip.recurrence.expansion import occurrences
from meetings.itip.recurrence.rule import Rule


class Status(StrEnum):
    """STATUS of an event (RFC 5545 §3.8.1.11). CANCELLED is final (RFC 5546 §3.2.5)."""

    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


class Role(StrEnum):
    """ROLE of an attendee (RFC 5545 §3.2.16). NON_PARTICIPANT is a room or another resource."""

    REQUIRED = "REQ-PARTICIPANT"
    OPTIONAL = "OPT-PARTICIPANT"
    NON_PARTICIPANT = "NON-PARTICIPANT"


class PartStat(StrEnum):
    """PARTSTAT of an attendee of a VEVENT (RFC 5545 §3.2.12)."""

    NEEDS_ACTION = "NEEDS-ACTION"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    TENTATIVE = "TENTATIVE"
    DELEGATED = "DELEGATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organizer:
    """ORGANIZER: a bare mail address and a display name, which may be empty."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """ATTENDEE: a bare mail address, a display name, the ROLE, and the PARTSTAT known so far."""

    address: str
    name: str = ""
    role: Role = Role.REQUIRED
    partstat: PartStat = PartStat.NEEDS_ACTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """How one occurrence differs from its series. None means: as in the series.

    ``recurrence_id`` is the wall-clock start that the rule gives the occurrence (RFC 5545
    §3.8.4.4). ``start`` and ``end`` are wall-clock times too. People are differences as well:
    ``added`` come to this occurrence only, or with another ROLE; ``removed`` are the address keys
    of those who were taken off it, on the series' list or not.

    ``sequence`` is that of the last change. A cancelled occurrence keeps its last times, and the
    reason as its ``comment``. An override that has come to equal its series stays: those who were
    told of the difference have to be told that it is gone.
    """

    CHANGEABLE: ClassVar = ("summary", "start", "end", "location", "description")

    recurrence_id: datetime
    summary: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    location: str | None = None
    description: str | None = None
    added: tuple[Attendee, ...] = ()
    removed: tuple[str, ...] = ()
    is_cancelled: bool = False
    comment: str = ""
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One VEVENT as its organizer keeps it.

    ``start`` and ``end`` are wall-clock times in the zone ``tzid`` (an IANA name). ``end`` is
    exclusive. ``start`` already satisfies ``rule`` (interop R1). An all-day event runs from
    midnight to midnight. ``reminder`` is in minutes before the start; None means no VALARM.

    ``exdates`` are the wall-clock starts of occurrences that the rule leaves out. ``overrides`` are
    the occurrences that were changed or cancelled alone, oldest first.

    ``sequence`` is that of the newest version, ``whole_sequence`` that of the last one that was
    about the whole. ``comment`` is the reason of a cancellation.

    An occurrence as an event has a ``recurrence_id`` and no rule, and is ``part_of`` its series.
    """

    uid: str
    summary: str
    start: datetime
    end: datetime
    tzid: str
    organizer: Organizer
    attendees: tuple[Attendee, ...]
    description: str = ""
    location: str = ""
    all_day: bool = False
    rule: Rule | None = None
    exdates: tuple[datetime, ...] = ()
    overrides: tuple[Override, ...] = ()
    recurrence_id: datetime | None = None
    part_of: "Event | None" = None
    reminder: int | None = None
    sequence: int = 0
    whole_sequence: int = 0
    status: Status = Status.CONFIRMED
    comment: str = ""

    @property
    def is_cancelled(self) -> bool:
        """Whether the organizer has cancelled the whole event."""
        return self.status is Status.CANCELLED

    @property
    def duration(self) -> timedelta:
        """The wall-clock length of the event, and of each occurrence that was not changed alone."""
        return self.end - self.start

    @property
    def changed(self) -> tuple[Override, ...]:
        """The occurrences that were changed alone and take place."""
        return tuple(each for each in self.overrides if not each.is_cancelled)

    @property
    def cancelled(self) -> tuple[datetime, ...]:
        """The wall-clock starts of the occurrences that were cancelled alone."""
        return tuple(each.recurrence_id for each in self.overrides if each.is_cancelled)

    @property
    def left_out(self) -> tuple[datetime, ...]:
        """The wall-clock starts that are sent as EXDATE, oldest first."""
        return tuple(sorted({*self.exdates, *self.cancelled}))

    @property
    def occurrences(self) -> tuple[datetime, ...]:
        """The wall-clock start that the rule gives each occurrence, oldest first.

        A single event has one.
        """
        if self.rule is None:
            return (self.start,)
        return occurrences(self.rule, self.start, exdates=self.left_out)

    @property
    def ends_at(self) -> datetime:
        """The instant (UTC) at which the last occurrence ends."""
        return self.instant(self.occurrences[-1] + self.duration)

    def instant(self, wall_clock: datetime) -> datetime:
        """Return ``wall_clock`` of the event's zone in UTC.

        In an hour that the clocks show twice, the first time is meant (interop R16).
        """
        return wall_clock.replace(tzinfo=ZoneInfo(self.tzid)).astimezone(UTC)
