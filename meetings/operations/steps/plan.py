"""Look at what is stored, and decide what is to be written and mailed.

Everything here is computed from one look, outside any transaction. It is right only if nobody else
plans meanwhile, which STORE finds out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.conf import settings

from meetings.imip.compose import MailOptions
from meetings.itip.event import Event
from meetings.itip.group import Group, Reader, grouped, portion
from meetings.itip.message import Note, Version
from meetings.itip.outstanding import Present, Step, outstanding
from meetings.itip.readers import Past, PastVersion, Planned, planned
from meetings.models.outbox.look import Look, past_versions
from meetings.models.outbox.plan import (
    NOW,
    Due,
    NewMail,
    NewMeeting,
    NewVersion,
    PersonWrite,
    Plan,
)
from meetings.models.outbox.rows import PersonRow
from meetings.operations.steps.again import Choice, choose
from meetings.operations.steps.compose import compose_all, mail_options
from meetings.operations.steps.people import invited_rows, with_unknown_ends

MOST_DELIVERIES = 1000
"""Deliveries that one STORE makes at most, so that its lock is short. The rest stays due.

That may be people, and later messages of a person: what is outstanding is asked anew next time.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a story has decided: a version, of the meeting that was looked at or of a ``new`` one.

    Without a ``version`` it is the same call again: what is outstanding goes out. ``rest`` is the
    first version of the series that goes on, where a series is split: both are stored, or neither.
    ``continued_by`` is its uid, where the same call has split the series before.
    ``language`` is that of the mails; None means the meeting's.
    """

    version: Version | None = None
    new: NewMeeting | None = None
    language: str | None = None
    notes: tuple[Note, ...] = ()
    rest: "Decision | None" = None
    continued_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom a plan may mail now.

    A call tries everybody, also those who were given up or are in back-off: ``is_call``. The
    background leaves them. Unless it ``may_send``, nothing is composed: it is stored, and due.
    ``only`` has the address keys of those who are meant; None means everybody.
    """

    is_call: bool
    may_send: bool
    only: frozenset[str] | None = None

    def means(self, row: PersonRow) -> bool:
        """Whether the plan is for this person."""
        return self.only is None or row.person.key in self.only


@dataclass(frozen=True)
class Planning:
    """One look, what was decided on it, and for whom it may be planned."""

    look: Look
    decision: Decision
    scope: Scope
    asked_by: str = ""

    @cached_property
    def event(self) -> Event:
        """The event from now on."""
        if self.decision.version:
            return self.decision.version.event
        assert self.look.stored is not None  # noqa: S101 (there is a version, or a meeting)
        return self.look.stored.event

    @cached_property
    def present(self) -> Present:
        """The event, prepared for the questions about each person."""
        return Present(self.event, self.look.now)

    @cached_property
    def rows(self) -> tuple[PersonRow, ...]:
        """The people from now on; what is in a dead sender's hands may have arrived."""
        stored = self.look.stored.people if self.look.stored else ()
        rows = invited_rows(stored, self.event) if self.decision.version else stored
        return tuple(map(with_unknown_ends, rows))

    @cached_property
    def steps(self) -> dict[str, tuple[Step, ...]]:
        """What each person is still to be told, by address key; nobody without anything."""
        rows = filter(self.scope.means, self.rows)
        found = ((row.person.key, outstanding(self.present, row.person)) for row in rows)
        return {key: steps for key, steps in found if steps}

    @cached_property
    def have_it(self) -> frozenset[str]:
        """Those who have all that the same call, made again, tells them."""
        if self.decision.version:
            return frozenset()
        present, sequence = self.present, self.event.sequence
        invited = present.guests | present.added.keys()
        return frozenset(
            row.person.key
            for row in filter(self.scope.means, self.rows)
            if row.person.key not in self.steps
            and (row.person.heard(sequence) or (row.person.key in invited and row.person.was_told))
        )

    @cached_property
    def waiting(self) -> list[PersonRow]:
        """Those whom a living sender is just telling something else: they are passed over.

        What they are to be told depends on whether that arrives. Somebody who is taken off the list
        while the invitation leaves has nothing outstanding now, and a CANCEL then.
        """
        return [
            row
            for row in self.rows
            if row.is_being_sent
            and self.scope.means(row)
            and (row.person.key in self.steps or row.is_sent_before(self.event.sequence))
        ]

    @cached_property
    def asked(self) -> frozenset[str]:
        """Those whom the version tells something, now or after what is just leaving."""
        return frozenset(self.steps) | {row.person.key for row in self.waiting}

    @cached_property
    def due(self) -> list[PersonRow]:
        """Those who may be mailed now, or whose open deliveries are void."""
        return [
            row
            for row in self.rows
            if (row.person.key in self.steps or row.open)
            and not row.is_being_sent
            and self.scope.means(row)
            and self._may_try(row)
        ]

    @cached_property
    def next_try(self) -> datetime | None:
        """When the first of those in back-off is to be tried."""
        times = [row.retry_at for row in self.rows if row.retry_at and not self._may_try(row)]
        return min(times, default=None)

    def _may_try(self, row: PersonRow) -> bool:
        if self.scope.is_call or self.decision.version:
            return True
        given_up = row.failed_sequence is not None and row.failed_sequence >= row.person.asked
        return not given_up and (row.retry_at is None or row.retry_at <= self.look.now)


def plan(planning: Planning) -> Plan:
    """Return what is to be stored. It composes mails, and reads older versions where texts need."""
    choices = _choices(planning) if planning.scope.may_send else {}
    groups = list(portion(grouped(map(_reader, choices.values())), MOST_DELIVERIES))
    batch = [choices[person.key] for group in groups for person in group.people]
    mails = compose_all(planning.event, _planned(planning, groups), _mail_options(planning))
    unsure = [each.row for each in batch if each.row.has_dead_sender]
    cut = [person.key for group in groups if group.is_cut for person in group.people]
    return Plan(
        stored=planning.look.stored,
        new=planning.decision.new,
        version=_new_version(planning),
        people=list(_writes(planning, batch, mails)),
        mails=mails,
        again=[(each.row.person, each.again) for each in batch if each.again],
        closed=[(each.row.person, closed) for each in batch for closed in each.closed],
        unsure=unsure,
        cut=frozenset(cut),
        due=_due(planning, batch, is_cut=bool(cut)),
        is_for_some=planning.scope.only is not None,
        passed_over=bool(planning.waiting or unsure),
    )


def _choices(planning: Planning) -> dict[str, Choice]:
    """What becomes of the open deliveries and steps of those who are due, by address key."""
    event, steps = planning.event, planning.steps
    return {
        row.person.key: choose(event, row, steps.get(row.person.key, ())) for row in planning.due
    }


def _reader(choice: Choice) -> Reader:
    return Reader(choice.row.person, choice.steps, choice.skip)


def _due(planning: Planning, batch: Sequence[Choice], *, is_cut: bool) -> Due:
    # Who plans for some people only knows nothing of the others: the background looks after them.
    if len(batch) < len(planning.due) or planning.scope.only is not None:
        return NOW
    if planning.waiting or is_cut or any(each.row.has_dead_sender for each in batch):
        # Who passes over a person looks again then, in case the sender at work dies. So does who
        # leaves messages for later. The run makes it due at its end: until then nobody else could
        # do more than take a few of the people away from those who share the mails.
        return Due(seconds=settings.MEETINGS_LEASE / 2)
    return Due(at=planning.next_try)


def _planned(planning: Planning, groups: Sequence[Group]) -> Iterator[Planned]:
    return planned(planning.present, groups, Past(planning.event, _past(planning, groups)))


def _past(planning: Planning, groups: Iterable[Group]) -> Mapping[int, PastVersion]:
    """The versions since the oldest one that somebody's text compares with.

    One query, but none where all of them were told the version before: its changes are at hand.
    """
    known = [since for group in groups for since in group.compared_with]
    version = planning.decision.version
    newest = (
        {version.event.sequence: PastVersion(version.changes, version.comment)} if version else {}
    )
    if not known or min(known) >= planning.event.sequence - len(newest):
        return newest
    assert planning.look.stored is not None  # noqa: S101 (somebody was told of it)
    return past_versions(planning.look.stored.meeting, min(known)) | newest


def _new_version(planning: Planning) -> NewVersion | None:
    version = planning.decision.version
    if version is None:
        return None
    return NewVersion(
        event=version.event,
        changes=version.changes,
        comment=version.comment,
        asked_by=planning.asked_by,
        language=_mail_options(planning).language,
    )


def _writes(
    planning: Planning, choices: Iterable[Choice], mails: Iterable[NewMail]
) -> Iterator[PersonWrite]:
    """The rows that change, with the DTSTAMP of the newest mail that is stored for each."""
    stamps: dict[str, datetime] = {}
    for mail in mails:  # in order: the newest is the last
        for reader in mail.planned.readers:
            stamps[reader.key] = mail.planned.message.dtstamp
    asks = planning.scope.is_call or planning.decision.version is not None
    for row in _rows_that_change(planning, choices):
        yield PersonWrite(row=row, asks=asks, stamp=stamps.get(row.person.key))


def _rows_that_change(planning: Planning, choices: Iterable[Choice]) -> Sequence[PersonRow]:
    if planning.decision.version:
        return planning.rows
    if not planning.scope.is_call:
        return [choice.row for choice in choices]
    # A call begins everybody's time anew, also that of people who are mailed later. By that it has
    # planned, so a call whose mail is under way does not give up what this one promises.
    return [*planning.due, *planning.waiting]


def _mail_options(planning: Planning) -> MailOptions:
    meeting = planning.look.stored.meeting if planning.look.stored else None
    language = planning.decision.language or (meeting and meeting.language)
    thread = meeting.thread if meeting else ""
    return mail_options(language or settings.MEETINGS_LANGUAGE, thread, planning.look.now)
