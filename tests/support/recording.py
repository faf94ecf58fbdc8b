"""What the end of a message makes of what a person was told.

Written from the rules "Told" 1 and 2 of the design, apart from the service, which does the same in
SQL.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from meetings.itip.event import Event
from meetings.itip.message import Method
from meetings.itip.readers import Planned
from meetings.itip.told import Person, RecurrenceId, ToldOccurrence

Rows = dict[RecurrenceId, ToldOccurrence]


def accepted(person: Person, mail: Planned) -> Person:
    """What the person was told, once the mail server has accepted ``mail``."""
    rows = {row.recurrence_id: row for row in person.occurrences}
    until = _later(person.knows_until, mail.ends_at)
    if mail.step.recurrence_id is not None:
        row = _accepted_one(mail, rows.get(mail.step.recurrence_id))
        return replace(person, knows_until=until, occurrences=_with(rows, row))
    whole = _after_request(mail, rows) if _is_request(mail) else _after_cancel(rows.values())
    return replace(
        person,
        method=mail.step.method,
        sequence=mail.message.event.sequence,
        possible=False,
        knows_until=until,
        occurrences=tuple(whole),
    )


def unknown(person: Person, mail: Planned) -> Person:
    """What the person was told, where ``mail`` may have arrived."""
    rows = {row.recurrence_id: row for row in person.occurrences}
    until = _later(person.knows_until, mail.ends_at)
    if mail.step.recurrence_id is not None:
        row = _unknown_one(mail, rows.get(mail.step.recurrence_id))
        return replace(person, knows_until=until, occurrences=_with(rows, row))
    if _is_request(mail):
        rows = {identity: replace(row, possible=True) for identity, row in rows.items()}
    return replace(person, possible=True, knows_until=until, occurrences=tuple(rows.values()))


def forgotten(person: Person, *, is_cancelled: bool) -> Person:
    """What the person was told, once somebody asks for all mail again: what stood is not certain.

    Of a cancelled meeting what was cancelled is mailed again too.
    """
    was_told = person.stands or (is_cancelled and person.method is Method.CANCEL)
    rows = tuple(
        replace(row, possible=row.stands or was_told or is_cancelled) for row in person.occurrences
    )
    if was_told:
        return replace(person, method=None, sequence=None, possible=True, occurrences=rows)
    return replace(person, occurrences=rows)


def _accepted_one(mail: Planned, old: ToldOccurrence | None) -> ToldOccurrence:
    if _is_hidden(mail, old):
        # The day is still hidden where the REQUEST of the whole behind it is refused.
        return replace(_told(mail, old), method=Method.CANCEL, possible=True)
    return _told(mail, old)


def _unknown_one(mail: Planned, old: ToldOccurrence | None) -> ToldOccurrence:
    row = replace(_told(mail, old), possible=True)
    if old and _is_hidden(mail, old):
        # It keeps the SEQUENCE of what hid the day: that it was sent again is not certain.
        return replace(row, method=Method.CANCEL, sequence=old.sequence)
    return row


def _is_hidden(mail: Planned, old: ToldOccurrence | None) -> bool:
    return mail.step.plain and old is not None and old.method is Method.CANCEL


def _told(mail: Planned, old: ToldOccurrence | None) -> ToldOccurrence:
    assert mail.step.recurrence_id
    return ToldOccurrence(
        recurrence_id=mail.step.recurrence_id,
        method=mail.step.method,
        sequence=mail.message.event.sequence,
        alone=_is_request(mail) or bool(old and old.alone),
        ends_at=_later(old.ends_at if old else None, mail.ends_at),
    )


def _after_request(mail: Planned, rows: Rows) -> Iterator[ToldOccurrence]:
    event = mail.message.event
    excluded = {RecurrenceId.of(event, when): when for when in mail.step.excluded}
    for identity, row in rows.items():
        if identity in excluded:
            continue
        if row.possible or (row.alone and _shows(event, identity)):
            yield replace(row, method=Method.REQUEST, possible=True)
        elif row.alone:
            yield row
    for identity, when in excluded.items():
        yield _left_out(event, when, rows.get(identity))


def _left_out(event: Event, when: datetime, old: ToldOccurrence | None) -> ToldOccurrence:
    return ToldOccurrence(
        recurrence_id=RecurrenceId.of(event, when),
        method=Method.CANCEL,
        sequence=event.sequence,
        alone=bool(old and old.alone),
        ends_at=_later(old.ends_at if old else None, event.instant(when + event.duration)),
    )


def _after_cancel(rows: Iterable[ToldOccurrence]) -> Iterator[ToldOccurrence]:
    for row in rows:
        if row.alone:
            yield replace(row, method=Method.CANCEL, possible=False)


def _shows(event: Event, identity: RecurrenceId) -> bool:
    is_same = identity == RecurrenceId.of(event, identity.when)
    return is_same and identity.when in event.occurrences


def _is_request(mail: Planned) -> bool:
    return mail.step.method is Method.REQUEST


def _later(one: datetime | None, other: datetime) -> datetime:
    return max(one, other) if one else other


def _with(rows: Rows, row: ToldOccurrence) -> tuple[ToldOccurrence, ...]:
    return tuple({**rows, row.recurrence_id: row}.values())
