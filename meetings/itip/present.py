"""The event as it is now, prepared for the same questions about many people."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from meetings.addresses import address_key
from meetings.itip.event import Event, Override
from meetings.itip.occurrence import occurrence_of
from meetings.itip.told import RecurrenceId, ToldOccurrence


@dataclass(frozen=True)
class Present:
    """The event as it is now, prepared for the same questions about many people.

    ``now`` is aware. What is over needs no message any more.
    """

    event: Event
    now: datetime

    @cached_property
    def organizer(self) -> str:
        """The address key of the organizer."""
        return address_key(self.event.organizer.address)

    @cached_property
    def guests(self) -> frozenset[str]:
        """The address keys of those who are invited to the whole."""
        if self.event.is_cancelled:
            return frozenset()
        return frozenset(address_key(person.address) for person in self.event.attendees)

    @cached_property
    def changed(self) -> dict[datetime, Override]:
        """The occurrences that were changed alone and take place, oldest first."""
        return {} if self.event.is_cancelled else {o.recurrence_id: o for o in self.event.changed}

    @cached_property
    def added(self) -> dict[str, set[datetime]]:
        """The occurrences that somebody was added to, by address key."""
        found: dict[str, set[datetime]] = {}
        for when, override in self.changed.items():
            for person in override.added:
                found.setdefault(address_key(person.address), set()).add(when)
        return found

    @cached_property
    def removed(self) -> dict[str, set[datetime]]:
        """The occurrences that somebody was taken off, by address key. Organizers never are."""
        found: dict[str, set[datetime]] = {}
        for when, override in self.changed.items():
            for key in override.removed:
                found.setdefault(key, set()).add(when)
        found.pop(self.organizer, None)
        return found

    @cached_property
    def shown(self) -> frozenset[datetime]:
        """The occurrences that take place, by the wall-clock start that the rule gives them."""
        return frozenset() if self.event.is_cancelled else frozenset(self.event.occurrences)

    @cached_property
    def _by_instant(self) -> dict[datetime, datetime]:
        return {self.event.instant(when): when for when in self.shown}

    @cached_property
    def overrides(self) -> dict[RecurrenceId, Override]:
        """The occurrences that were changed or cancelled alone, oldest first."""
        return {RecurrenceId.of(self.event, o.recurrence_id): o for o in self.event.overrides}

    @cached_property
    def ahead(self) -> dict[RecurrenceId, Override]:
        """Those of ``overrides`` whose rule's day or own time is not past."""
        return {identity: o for identity, o in self.overrides.items() if self.now < self._end_of(o)}

    def _end_of(self, override: Override) -> datetime:
        by_rule = override.recurrence_id + self.event.duration
        return self.event.instant(max(by_rule, override.end or by_rule))

    @cached_property
    def news(self) -> dict[RecurrenceId, Override]:
        """Those of ``ahead`` that somebody who has the whole as it is now may not know."""
        newest = self.event.whole_sequence
        every = self.ahead.items()
        return {each: o for each, o in every if not o.is_cancelled or o.sequence > newest}

    def takes_place(self, told: ToldOccurrence) -> bool:
        """Whether the series still has the occurrence that somebody was told of."""
        return self.shows(told.recurrence_id)

    def shows(self, identity: RecurrenceId) -> bool:
        """Whether the series still has the occurrence that a calendar knows by ``identity``."""
        return identity.when in self.shown and identity.tzid == self._tzid

    @cached_property
    def _tzid(self) -> str:
        return RecurrenceId.of(self.event, self.event.start).tzid

    def is_ahead(self, told: ToldOccurrence) -> bool:
        """Whether an occurrence is not over, by any time that it was told or has now."""
        if self.now < told.ends_at or told.recurrence_id in self.ahead:
            return True
        ends = told.recurrence_id.when + self.event.duration
        return self.takes_place(told) and self.now < self.event.instant(ends)

    def namesakes(self, told: ToldOccurrence) -> Set[datetime]:
        """The occurrences that a calendar may take for one of another zone.

        Cyrus looks at the time of day that a RECURRENCE-ID has, others at the instant.
        """
        identity = told.recurrence_id
        if bool(identity.tzid) is self.event.all_day:
            return frozenset()
        same = self._by_instant.get(identity.instant(identity.when))
        return self.shown & {identity.when, same}

    def occurrence(self, when: datetime) -> Event:
        """Return the occurrence whose RECURRENCE-ID is ``when`` as an event, with its changes."""
        if when not in self._occurrences:
            self._occurrences[when] = occurrence_of(self.event, when)
        return self._occurrences[when]

    @cached_property
    def _occurrences(self) -> dict[datetime, Event]:
        return {}
