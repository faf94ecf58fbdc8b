"""Whether a mail that has not arrived still says what its reader is to be told."""

from dataclasses import dataclass

from meetings.itip.event import Event
from meetings.itip.message import Method
from meetings.itip.outstanding import Step
from meetings.itip.told import Person
from meetings.models.outbox.rows import OpenDelivery, PersonRow, StoredMail


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of a person's open deliveries and steps.

    ``again`` goes out once more, the same octets. Steps from ``skip`` on are made anew. ``closed``
    are dropped.
    """

    row: PersonRow
    steps: tuple[Step, ...]
    again: OpenDelivery | None = None
    skip: int = 0
    closed: tuple[OpenDelivery, ...] = ()


def choose(event: Event, row: PersonRow, steps: tuple[Step, ...]) -> Choice:
    """Decide for a person whose open deliveries nobody is sending.

    The same mail again is right if it says any of the steps: so a mail server that always breaks
    down gets one mail again and again, not a new one each time. Single days before it are left out;
    what comes after it is made anew. But no message of the whole may stand before it: nothing old
    is ever sent.
    """
    for delivery in row.open:
        for place, step in enumerate(steps):
            if _says(delivery.mail, step, event, row.person):
                closed = tuple(each for each in row.open if each is not delivery)
                return Choice(row, steps, again=delivery, skip=place + 1, closed=closed)
            if step.recurrence_id is None:
                break
    return Choice(row, steps, closed=row.open)


def _says(mail: StoredMail, step: Step, event: Event, person: Person) -> bool:
    said = (mail.sequence, mail.method, mail.recurrence_id, sorted(mail.excluded), mail.plain)
    due = (event.sequence, step.method, step.recurrence_id, sorted(step.excluded), step.plain)
    return said == due and _compares(mail, step, event, person)


def _compares(mail: StoredMail, step: Step, event: Event, person: Person) -> bool:
    """Whether its text compares with what the person was told."""
    if step.plain or (step.recurrence_id and step.method is Method.CANCEL):
        return True  # it compares with nothing
    told = _told_version(person, step)
    return told in (mail.compared_with, event.sequence)


def _told_version(person: Person, step: Step) -> int | None:
    """SEQUENCE of the REQUEST that the person was certainly told, or possibly of an occurrence."""
    for row in person.occurrences:
        if row.recurrence_id == step.recurrence_id:
            return row.sequence if row.method is Method.REQUEST else None
    return person.sequence if person.method is Method.REQUEST else None
