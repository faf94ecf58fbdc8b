"""Who shares a mail: people who are due the same messages, and who know the same.

What is due to many people goes out in portions, so that no step of the work is too large. People
who share mails are kept together: all of them get the first message, then all get the second. So
each mail is made once, and not once for every few people.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from meetings.itip.message import Method
from meetings.itip.outstanding import Step
from meetings.itip.told import Person, ToldOccurrence


class Known(NamedTuple):
    """What a reader has before a step.

    ``since`` is the SEQUENCE of the version that it was in; None where that is not certain.
    ``alone`` says that the reader has the occurrence from a message of its own, and not from the
    whole. ``again`` says that a message of the same kind may have reached the reader before.
    ``off`` are the days of the whole that the reader knows to be without them.
    """

    since: int | None
    alone: bool
    again: bool
    off: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True)
class Reader:
    """A person and what they are due.

    The first ``skip`` steps are in a mail that goes out again, so no mail is made for them.
    """

    person: Person
    steps: tuple[Step, ...]
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """People who share mails: of the steps from ``skip`` until ``end``. The rest is for later."""

    people: tuple[Person, ...]
    steps: tuple[Step, ...]
    skip: int
    end: int
    known: tuple[Known, ...]

    @property
    def is_cut(self) -> bool:
        """Whether messages are left for later."""
        return self.end < len(self.steps)

    @property
    def deliveries(self) -> int:
        """How many deliveries it makes, with that of the mail that goes out again."""
        return len(self.people) * (self.end - self.skip + bool(self.skip))

    @property
    def compared_with(self) -> list[int]:
        """The SEQUENCEs of the versions that the texts of its mails compare with."""
        known = self.known[self.skip : self.end]
        return [each.since for each in known if each.since is not None]


def grouped(readers: Iterable[Reader]) -> list[Group]:
    """Return the groups, in the order of their first readers.

    Their people have the same steps, the same last-told version and the same EXDATEs.
    """
    found: dict[tuple[tuple[Step, ...], int, tuple[Known, ...]], list[Person]] = {}
    for reader in readers:
        key = (reader.steps, reader.skip, _known(reader.person, reader.steps))
        found.setdefault(key, []).append(reader.person)
    return [
        Group(tuple(people), steps, skip, len(steps), known)
        for (steps, skip, known), people in found.items()
    ]


def portion(groups: Sequence[Group], most: int) -> Iterator[Group]:
    """Yield what goes out now: at most ``most`` deliveries, at least one.

    Any portion is right, because what was accepted is due no more, and all else still is, but for
    what is over. Of a person's messages it has the first ones. Those who have most to come go
    first, so the others wait for them, and they share the mails from there on.
    """
    if sum(group.deliveries for group in groups) <= most:
        yield from groups
        return
    room = most
    for group in sorted(groups, key=lambda each: each.skip - len(each.steps)):
        if part := _part(group, room, most):
            room -= part.deliveries
            yield part


def _part(group: Group, room: int, most: int) -> Group | None:
    """As many whole mails as there is room for. Only what never fits is cut between people."""
    people = group.people if len(group.people) <= most else group.people[:room]
    if not people:
        return None
    mails = room // len(people) - bool(group.skip)
    least = 0 if group.skip else min(1, len(group.steps))
    end = min(group.skip + mails, len(group.steps))
    return replace(group, people=people, end=end) if mails >= least else None


def _known(person: Person, steps: Sequence[Step]) -> tuple[Known, ...]:
    whole = person.certain_request if person.certain_request >= 0 else None
    rows = {row.recurrence_id: row for row in person.occurrences}
    off = frozenset(each.when for each, row in rows.items() if row.knows(Method.CANCEL))
    found = []
    is_told_anew = False
    for step in steps:
        if step.recurrence_id is None:
            is_told_anew = True
            found.append(Known(whole, alone=False, again=person.stands, off=off))
        else:
            row = rows.get(step.recurrence_id)
            compares = step.method is Method.REQUEST and not is_told_anew
            again = person.stands or (row is not None and row.stands)
            found.append(_known_of_one(row, whole, again=again) if compares else _anew(again=again))
    return tuple(found)


def _known_of_one(row: ToldOccurrence | None, whole: int | None, *, again: bool) -> Known:
    """What a reader has of an occurrence: that of the whole, where nothing was said of it alone."""
    if row is None:
        return Known(whole, alone=False, again=again)
    return Known(row.sequence, True, again) if row.knows(Method.REQUEST) else _anew(again=again)


def _anew(*, again: bool) -> Known:
    return Known(None, alone=False, again=again)
