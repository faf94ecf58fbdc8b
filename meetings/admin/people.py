"""How things stand with each person of a meeting, in words for an operator."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.dateformat import format as formatted
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from meetings.admin.chips import PERSON_STATES, labelled_chip
from meetings.itip.event import Attendee
from meetings.queries.standing import PersonStanding, PersonState, Standing


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person's line: their state as a chip, and what there is to say about it."""

    attendee: Attendee
    is_invited: bool
    chip: SafeString
    remarks: list[str]


def people_in_words(standing: Standing) -> list[PersonLine]:
    """Return a line for everybody who is or was invited, in the list's order."""
    return [
        PersonLine(
            attendee=person.attendee,
            is_invited=person.is_invited,
            chip=labelled_chip(person.state, PERSON_STATES[person.state]),
            remarks=list(_remarks(person, standing.sequence)),
        )
        for person in standing.people
    ]


def needs_mail(standing: Standing) -> bool:
    """Whether somebody is still to be told something."""
    open_states = (PersonState.QUEUED, PersonState.OUTSTANDING)
    return any(person.state in open_states for person in standing.people)


def _remarks(person: PersonStanding, sequence: int) -> Iterator[str]:
    reply = person.reply or _("no reason given")
    match person.state:
        case PersonState.TOLD:
            yield _what_was_told(person, sequence)
            return
        case PersonState.OUTSTANDING:
            yield reply
        case PersonState.QUEUED if person.next_try:
            if person.end_is_unknown:
                yield _("the outcome of an earlier mail is unknown (%(reply)s)") % {"reply": reply}
            else:
                yield _("an earlier mail was deferred (%(reply)s)") % {"reply": reply}
            yield _("next try at %(time)s") % {"time": _time(person.next_try)}
        case PersonState.QUEUED:
            yield _("goes out in the background")
        case PersonState.UNTOLD if person.told_at is None and not person.may_have_more:
            yield _("never told of this meeting")
    yield from _what_was_told_before(person)


def _what_was_told_before(person: PersonStanding) -> Iterator[str]:
    if person.told_at is None:
        if person.may_have_more:
            yield _("a mail may have arrived")
    elif person.sequence is not None:
        before = {"sequence": person.sequence, "time": _time(person.told_at)}
        yield _("told before: SEQUENCE %(sequence)d, %(time)s") % before
        if person.may_have_more:
            yield _("a newer mail may have arrived")
    elif not person.may_have_more:
        yield _("told before of single occurrences, at %(time)s") % {"time": _time(person.told_at)}
    elif person.state is PersonState.QUEUED and not person.next_try:
        yield _("told before, at %(time)s") % {"time": _time(person.told_at)}
    else:
        # The row says no more of which version it was, nor whether anything has arrived since.
        yield _("told before, at %(time)s; mailed again since") % {"time": _time(person.told_at)}


def _what_was_told(person: PersonStanding, sequence: int) -> str:
    if person.sequence is None:
        told = _("single occurrences")
    elif person.is_invited and person.sequence < sequence:
        # Since then nothing has changed that this person is to know of the whole.
        told = _("SEQUENCE %d, and later changes of single occurrences") % person.sequence
    else:
        told = f"SEQUENCE {person.sequence}"
    return f"{told}, {_time(person.told_at)}" if person.told_at else told


def _time(when: datetime) -> str:
    return formatted(localtime(when), "Y-m-d H:i")
