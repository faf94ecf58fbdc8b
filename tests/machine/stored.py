"""What is stored, read from its rows and RFC 5545 only: what calendars should show to whom."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from meetings.models import Attendee, Meeting, OccurrenceOverride
from tests.machine.ledger import MARK
from tests.support.readers.calendar_client import Entry


@dataclass(frozen=True)
class Rows:
    """A meeting's rows as they are at one moment."""

    meeting: Meeting
    attendees: Sequence[Attendee]
    overrides: Sequence[OccurrenceOverride]
    reason: str = ""

    @classmethod
    def of(cls, meeting: Meeting) -> "Rows":
        """Read them."""
        people = list(Attendee.objects.filter(meeting=meeting))
        version = meeting.versions.get(sequence=meeting.sequence)
        return cls(meeting, people, list(meeting.overrides.all()), version.comment)

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """The addresses on the list."""
        return tuple(sorted(row.address for row in self.attendees if row.listed))

    @cached_property
    def by_rule(self) -> list[datetime]:
        """The wall-clock start of each occurrence that the rule has, EXDATEs left out."""
        meeting = self.meeting
        if not meeting.rrule:
            return [meeting.start]
        left_out = {datetime.fromisoformat(text) for text in meeting.exdates}
        return [
            day for day in rrulestr(meeting.rrule, dtstart=meeting.start) if day not in left_out
        ]

    @cached_property
    def changed(self) -> dict[datetime, OccurrenceOverride]:
        """The occurrences that were changed or cancelled alone."""
        return {row.recurrence_id: row for row in self.overrides}

    @cached_property
    def occurrences(self) -> list[datetime]:
        """The wall-clock start, by the rule, of each occurrence that takes place."""
        cancelled = {row.recurrence_id for row in self.overrides if row.is_cancelled}
        return [day for day in self.by_rule if day not in cancelled]

    @property
    def later_occurrences(self) -> list[datetime]:
        """Those before which something is left."""
        return self.occurrences[1:] or self.occurrences

    @cached_property
    def invited(self) -> frozenset[str]:
        """The addresses of those who are invited to anything."""
        if self.meeting.is_cancelled:
            return frozenset()
        added = (person["address"] for row in self.overrides for person in row.added)
        return frozenset({*self.listed, *added})

    @cached_property
    def words(self) -> frozenset[str]:
        """The marked texts that are in force, and the reasons that were given last."""
        meeting = self.meeting
        texts = [meeting.summary, meeting.description, meeting.location, self.reason]
        for row in self.overrides:
            texts += [row.comment, *row.changes.values()]
        return frozenset(MARK.findall(" ".join(texts)))

    def takes_place(self, entry: Entry) -> bool:
        """Whether the occurrence that a calendar shows takes place, for whomever."""
        starts = {self._instant(day) for day in self.occurrences}
        return not self.meeting.is_cancelled and (entry.recurrence_id or entry.start) in starts

    def entries_of(self, address: str) -> Iterator[Entry]:
        """Yield what the calendar of this person should show of the meeting."""
        if self.meeting.is_cancelled:
            return
        for day in self.occurrences:
            people = self._people(day)
            if address in people:
                yield self._entry(day, people)

    def _people(self, day: datetime) -> tuple[str, ...]:
        row = self.changed.get(day)
        if row is None:
            return self.listed
        added = {person["address"] for person in row.added}
        return tuple(sorted({*self.listed, *added} - {*row.removed}))

    def _entry(self, day: datetime, people: tuple[str, ...]) -> Entry:
        meeting, row = self.meeting, self.changed.get(day)
        own: Mapping[str, str] = row.changes if row else {}
        start = datetime.fromisoformat(own["start"]) if "start" in own else day
        end = day + (meeting.end - meeting.start)
        end = datetime.fromisoformat(own["end"]) if "end" in own else end
        return Entry(
            uid=meeting.ical_uid,
            recurrence_id=self._instant(day) if meeting.rrule else None,
            start=self._instant(start),
            end=self._instant(end),
            zone=meeting.tzid,
            summary=own.get("summary", meeting.summary),
            location=own.get("location", meeting.location),
            description=own.get("description", meeting.description),
            people=people,
        )

    def _instant(self, wall_clock: datetime) -> datetime:
        return wall_clock.replace(tzinfo=ZoneInfo(self.meeting.tzid)).astimezone(UTC)
