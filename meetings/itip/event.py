"""The values of RFC 5545 that a meeting is made of, frozen.

Times of day are wall-clock times (naive ``datetime``) in the event's zone, because that is what
people agreed on and what stays true when a zone changes its law (interop Z7).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar
from zoneinfo import ZoneInfo

from meetings.itip.recurrence.rule import Rule, occurrences


class Role(StrEnum):
    """ROLE of an attendee (RFC 5545 §3.2.16); NON_PARTICIPANT is a room or another resource."""

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
    """ATTENDEE: a bare mail address, a display name, the ROLE, and the answer known so far."""

    address: str
    name: str = ""
    role: Role = Role.REQUIRED
    partstat: PartStat = PartStat.NEEDS_ACTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What one occurrence has of its own; None is as in the series. Times are naive wall-clock
    times.

    ``recurrence_id`` is the start that the rule gives the occurrence (RFC 5545 §3.8.4.4).
    """

    CHANGEABLE: ClassVar = ("summary", "start", "end", "location", "description", "attendees")

    recurrence_id: datetime
    summary: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    location: str | None = None
    description: str | None = None
    attendees: tuple[Attendee, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One VEVENT as its organizer holds it.

    ``start`` and ``end`` are naive wall-clock times in the zone ``tzid`` (an IANA name); ``end`` is
    exclusive. ``start`` already satisfies ``rule`` (interop R1). An all-day event runs from
    midnight to midnight. ``reminder`` is in minutes before the start, None for no VALARM.
    ``exdates`` are naive wall-clock starts of occurrences that are left out from the beginning,
    ``cancelled`` of those cancelled since; ``overrides`` are occurrences that were changed alone.
    An occurrence as an event of its own has a ``recurrence_id`` and no rule; it is ``part_of`` its
    series.
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
    cancelled: tuple[datetime, ...] = ()
    overrides: tuple[Override, ...] = ()
    recurrence_id: datetime | None = None
    part_of: "Event | None" = None
    reminder: int | None = None
    sequence: int = 0

    @property
    def left_out(self) -> tuple[datetime, ...]:
        """The starts that the rule gives and the series has not, oldest first: what is sent as
        EXDATE.
        """
        return tuple(sorted({*self.exdates, *self.cancelled}))

    @property
    def occurrences(self) -> tuple[datetime, ...]:
        """The naive wall-clock start that the rule gives each occurrence, oldest first; one for a
        single event.
        """
        if self.rule is None:
            return (self.start,)
        return occurrences(self.rule, self.start, exdates=self.left_out)

    def instant(self, wall_clock: datetime) -> datetime:
        """``wall_clock`` of the event's zone in UTC; of an hour that happens twice, the first
        (interop R16).
        """
        return wall_clock.replace(tzinfo=ZoneInfo(self.tzid)).astimezone(UTC)
