"""What each person is still to be told: what they should know, less what they were told.

Nothing is planned when a version is made. Each sender asks here, with what the mail
server has confirmed so far. So it does not matter which versions lie between, which mails were
refused, or who died on the way: the steps lead from what this person has to what is stored.

Some calendars keep what they were last sent of a single occurrence through every REQUEST of the
whole, others reset it. The steps are right for both (interop R13).
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from meetings.itip.event import Override
from meetings.itip.message import Method
from meetings.itip.present import Present
from meetings.itip.told import Person, RecurrenceId, ToldOccurrence

__all__ = ["Present", "Step", "outstanding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message that a person is to get. Equal steps can share a mail.

    ``recurrence_id`` is None for a message of the whole. ``excluded`` are the wall-clock starts of
    occurrences that only these readers are not invited to: EXDATEs of theirs. ``uninvites`` marks a
    CANCEL of something that goes on without the reader. ``plain`` asks for the series' own values.
    """

    method: Method
    recurrence_id: RecurrenceId | None = None
    excluded: tuple[datetime, ...] = ()
    uninvites: bool = False
    plain: bool = False

    def __hash__(self) -> int:
        return hash(self.recurrence_id)


def outstanding(present: Present, person: Person) -> tuple[Step, ...]:
    """Return what ``person`` is still to be told, in the order in which it must be sent.

    A later step is to be sent only when the earlier one was accepted. Somebody whom the newest
    version leaves out (``asked`` is older) is to be told nothing by it.
    """
    if person.asked < present.event.sequence:
        return ()
    case = _Case(present, person)
    if not case.is_organizer:
        return tuple(_steps(case))
    return tuple(step for step in _steps(case) if not step.uninvites)


_NONE: frozenset[datetime] = frozenset()
_REQUEST, _CANCEL = Method.REQUEST, Method.CANCEL


class _Case:
    """One person and the present event.

    ``off`` are the occurrences that the person was taken off, ``extra`` those that they come to
    besides. ``has_whole`` says that they certainly have the whole as it is now, and ``stands`` that
    they may have a whole to be taken off. Organizers are not taken off their own meeting.
    """

    def __init__(self, present: Present, person: Person) -> None:
        key = person.key
        self.present = present
        self.person = person
        self.off: Set[datetime] = present.removed.get(key, _NONE)
        self.extra: Set[datetime] = present.added.get(key, _NONE)
        # Somebody who was taken off every occurrence is not invited any more.
        self.is_guest = key in present.guests and not self.off >= present.shown
        self.is_organizer = key == present.organizer
        self.has_whole = person.certain_request >= present.event.whole_sequence
        self.stands = person.stands and (not self.is_organizer or present.event.is_cancelled)

    @cached_property
    def rows(self) -> dict[RecurrenceId, ToldOccurrence]:
        return {row.recurrence_id: row for row in self.person.occurrences}

    @cached_property
    def ahead(self) -> list[ToldOccurrence]:
        """What was told of single occurrences that are not over, oldest first."""
        found = [row for row in self.person.occurrences if self.present.is_ahead(row)]
        return sorted(found, key=lambda row: (row.recurrence_id.when, row.recurrence_id.tzid))

    @cached_property
    def overrides(self) -> dict[RecurrenceId, Override]:
        """The overrides that are not over: by their times now, and by what the person was told."""
        present = self.present
        if len(present.ahead) == len(present.overrides) or not self.person.occurrences:
            return present.ahead
        told = {row.recurrence_id for row in self.ahead}
        every = present.overrides.items()
        return {each: o for each, o in every if each in told or each in present.ahead}

    def is_theirs(self, row: ToldOccurrence) -> bool:
        """Whether the whole shows the person this occurrence."""
        return self.present.takes_place(row) and row.recurrence_id.when not in self.off


def _steps(case: _Case) -> Iterator[Step]:
    if case.is_guest:
        return _of_guest(case)
    return _of_occasional_guest(case) if case.extra else _of_stranger(case)


def _of_guest(case: _Case) -> Iterator[Step]:
    """For a person who is invited to the whole, perhaps without some occurrences."""
    if case.has_whole:
        if _is_current(case):
            return
        if not _is_to_give_back(case):
            yield from _differences(case)
            return
    yield from _before_the_whole(case)
    yield Step(method=Method.REQUEST, excluded=tuple(sorted(case.off & case.present.shown)))
    for identity, override in case.overrides.items():
        if not override.is_cancelled and override.recurrence_id not in case.off:
            yield _request(identity)


def _is_current(case: _Case) -> bool:
    """Whether it shows at a glance that a person with the whole knows all single occurrences.

    In a large meeting it does for nearly everybody.
    """
    rows, news = case.person.occurrences, case.present.news
    if case.off or len(rows) != len(news):
        return False
    for row in rows:
        override = news.get(row.recurrence_id)
        if override is None or row.possible:
            return False
        if row.method is not (_CANCEL if override.is_cancelled else _REQUEST):
            return False
        if row.sequence < override.sequence:
            return False
    return True


def _is_to_give_back(case: _Case) -> bool:
    """Whether a calendar may have hidden a day that is the person's.

    It would take a REQUEST of that day alone for an old message. The whole has to come first.
    """
    return any(
        row.method is _CANCEL and case.is_theirs(row) and case.present.is_ahead(row)
        for row in case.person.occurrences
    )


def _differences(case: _Case) -> Iterator[Step]:
    """What a person who has the whole as it is now does not know of single occurrences."""
    for identity, override in case.overrides.items():
        row = case.rows.get(identity)
        if override.is_cancelled:
            is_known = case.person.certain_request >= override.sequence
            if not is_known and not (row and row.knows(Method.CANCEL)):
                yield _cancel(identity, uninvites=False)
        elif override.recurrence_id in case.off:
            if not (row and row.knows(Method.CANCEL)):
                yield _cancel(identity, uninvites=True)
        elif not (row and row.knows(Method.REQUEST, override.sequence)):
            yield _request(identity)


def _before_the_whole(case: _Case) -> Iterator[Step]:
    """What clears single days out of calendars that would keep them.

    Cyrus up to 3.6 keeps what it was last sent of a single occurrence, a cancelled one too, through
    every REQUEST of the whole: a ghost, an old title, or a day hidden for good. Everybody else
    takes the whole that follows. An occurrence that the whole shows is never cancelled here. What
    was accepted is not sent again where the whole was not.
    """
    for row in case.ahead:
        if row.stands and not case.is_theirs(row):
            yield _cancel(row.recurrence_id, uninvites=case.present.takes_place(row))
    for when in sorted(set(_kept(case)) - case.present.changed.keys()):
        identity = RecurrenceId.of(case.present.event, when)
        if not _has_plain(case, identity):
            yield _request(identity, plain=True)


def _has_plain(case: _Case, identity: RecurrenceId) -> bool:
    """Whether the person certainly has the day, alone, with the values that the series has now.

    A day that was cancelled stays "CANCEL, possible" until the whole is accepted. Its SEQUENCE
    tells: the day comes back without a change of its own only by an update of the whole, so what
    cancelled it is older than that.
    """
    row, newest = case.rows.get(identity), case.present.event.whole_sequence
    if row is None or row.sequence < newest:
        return False
    return row.knows(_REQUEST) or (row.method is _CANCEL and row.possible and row.alone)


def _kept(case: _Case) -> Iterator[datetime]:
    """The occurrences of the series that a calendar may have kept a message about."""
    is_single = case.present.event.rule is None
    for row in case.ahead:
        if case.present.takes_place(row):
            if row.alone or is_single:
                yield row.recurrence_id.when
        elif row.alone:
            yield from case.present.namesakes(row)


def _of_occasional_guest(case: _Case) -> Iterator[Step]:
    """For a person who is invited to some occurrences only."""
    if case.stands:
        yield Step(method=Method.CANCEL, uninvites=True)
    else:
        yield from _take_back(case, but=case.extra)
    for identity, override in case.overrides.items():
        if override.recurrence_id not in case.extra or override.is_cancelled:
            continue
        row = case.rows.get(identity)
        # The occurrence inherits title, place and text of the series.
        newest = max(override.sequence, case.present.event.whole_sequence)
        if case.stands or not (row and row.knows(Method.REQUEST, newest)):
            yield _request(identity)


def _of_stranger(case: _Case) -> Iterator[Step]:
    """For a person who is invited to nothing, or to nothing any more."""
    if case.stands:
        yield Step(method=Method.CANCEL, uninvites=not case.present.event.is_cancelled)
    else:
        yield from _take_back(case, but=_NONE)


def _take_back(case: _Case, *, but: Set[datetime]) -> Iterator[Step]:
    """A CANCEL of each single occurrence that stands, ``but`` those that the person is on."""
    for row in case.ahead:
        takes_place = case.present.takes_place(row)
        if row.stands and not (takes_place and row.recurrence_id.when in but):
            yield _cancel(row.recurrence_id, uninvites=takes_place)


@lru_cache(maxsize=4096)
def _request(identity: RecurrenceId, *, plain: bool = False) -> Step:
    return Step(method=Method.REQUEST, recurrence_id=identity, plain=plain)


@lru_cache(maxsize=4096)
def _cancel(identity: RecurrenceId, *, uninvites: bool) -> Step:
    return Step(method=Method.CANCEL, recurrence_id=identity, uninvites=uninvites)
