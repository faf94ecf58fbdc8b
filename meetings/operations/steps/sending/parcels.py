"""The stored mails of one plan, in the order in which they leave, each with its recipients."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from zlib import decompress

from meetings.itip.message import Method
from meetings.itip.outstanding import Step
from meetings.itip.told import Person
from meetings.models import MailBytes
from meetings.models.outbox.plan import Plan
from meetings.models.outbox.rows import OpenDelivery
from meetings.models.outbox.store import Written
from meetings.operations.steps.plan import Planning


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One recipient of a mail, and the claim on the delivery: its attempt proves it.

    ``free_ends`` are the attempts before that said nothing of this mail, so they lengthen no pause.
    ``shown`` are the occurrences that the person was told alone, and that the mail shows.
    """

    delivery_id: int
    attempt: int
    key: str
    address: str
    unknown_ends: int = 0
    free_ends: int = 0
    shown: tuple[str, ...] = ()

    def once_more(self) -> "Parcel":
        """Return the claim after an unknown end that was recorded."""
        return replace(self, attempt=self.attempt + 1, unknown_ends=self.unknown_ends + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignment:
    """A mail and the recipients that it has in this plan. Without octets it cannot be sent."""

    raw: bytes | None
    envelope_from: str
    parcels: tuple[Parcel, ...]


def consignments(planning: Planning, plan: Plan, written: Written) -> Iterator[Consignment]:
    """Yield what is to be sent now: mails that go out again first, then new ones in order.

    One query where mails go out again: their octets.
    """
    yield from _again(planning, plan, written)
    for number, mail in enumerate(plan.mails, start=1):
        parcels = tuple(
            Parcel(
                delivery_id=written.new[number, reader.key],
                attempt=1,
                key=reader.key,
                address=reader.attendee.address,
                shown=_shown(planning, reader, mail.planned.step),
            )
            for reader in mail.planned.readers
            if (number, reader.key) in written.new
        )
        if parcels:
            yield Consignment(raw=mail.raw, envelope_from=mail.envelope_from, parcels=parcels)


def _again(planning: Planning, plan: Plan, written: Written) -> Iterator[Consignment]:
    taken = [(person, each) for person, each in plan.again if each.id in written.again]
    by_mail: dict[int, list[tuple[Person, OpenDelivery]]] = {}
    for person, delivery in taken:
        by_mail.setdefault(delivery.mail.id, []).append((person, delivery))
    octets = _octets(by_mail)
    for mail_id, readers in sorted(by_mail.items()):
        yield Consignment(
            raw=octets.get(mail_id),
            envelope_from=readers[0][1].mail.envelope_from,
            parcels=tuple(_parcel_again(planning, written, *reader) for reader in readers),
        )


def _octets(mail_ids: Mapping[int, object]) -> dict[int, bytes]:
    if not mail_ids:
        return {}
    rows = MailBytes.objects.filter(mail_id__in=list(mail_ids)).values_list("mail_id", "raw")
    return {mail_id: decompress(raw) for mail_id, raw in rows}


def _parcel_again(
    planning: Planning, written: Written, person: Person, delivery: OpenDelivery
) -> Parcel:
    mail = delivery.mail
    step = Step(method=mail.method, recurrence_id=mail.recurrence_id, excluded=mail.excluded)
    return Parcel(
        delivery_id=delivery.id,
        attempt=written.again[delivery.id],
        key=person.key,
        address=person.attendee.address,
        unknown_ends=delivery.unknown_ends + (delivery.state == "sending"),
        free_ends=delivery.free_ends,
        shown=_shown(planning, person, step),
    )


def _shown(planning: Planning, person: Person, step: Step) -> tuple[str, ...]:
    """The single occurrences told alone that a REQUEST of the whole shows to its reader."""
    if step.recurrence_id is not None or step.method is not Method.REQUEST:
        return ()
    told = {row.recurrence_id for row in person.occurrences if row.alone}
    before = {each.recurrence_id for each in planning.steps.get(person.key, ()) if each.plain}
    return tuple(
        str(identity)
        for identity in told | before
        if identity is not None
        and planning.present.shows(identity)
        and identity.when not in step.excluded
    )
