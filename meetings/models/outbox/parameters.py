"""A plan → the parameters of STORE. Rows are passed as JSON, octets as an array."""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping

from meetings.itip.event import Event
from meetings.itip.told import Person, RecurrenceId
from meetings.models.meeting import event_columns
from meetings.models.outbox.plan import NewMail, PersonWrite, Plan
from meetings.models.outbox.rows import OpenDelivery
from meetings.models.outbox.sql import Parameters
from meetings.models.override import columns_of
from meetings.models.version import tzdata_version

Columns = Mapping[str, object]


def parameters(plan: Plan, sender_id: int | None) -> Parameters:
    """Return the parameters of the statement that stores ``plan``."""
    meeting = plan.stored.meeting if plan.stored else None
    return {
        "id": meeting.pk if meeting else None,
        "plan": meeting.plan if meeting else None,
        # Who only looked, and found nothing to do, has not planned anything.
        "raises": int(bool(plan.version or plan.people)),
        "due_in": plan.due.seconds,
        "due_at": plan.due.at.isoformat() if plan.due.at else None,
        "for_some": plan.is_for_some,
        "passed_over": plan.passed_over,
        "thread": plan.mails[0].message_id if plan.mails else "",
        "meeting": json.dumps(_meeting(plan)),
        "version": json.dumps(_version(plan)),
        "overrides": json.dumps(changed_overrides(plan)),
        "dropped_overrides": dropped_overrides(plan),
        "people": json.dumps([_person(write) for write in plan.people]),
        "unsure": json.dumps(list(_unsure(plan))),
        "sender": sender_id,
        "again": _claims(plan.again),
        "closed": _claims(plan.closed),
        "mails": json.dumps([_mail(*numbered) for numbered in enumerate(plan.mails, start=1)]),
        "raws": [zlib.compress(mail.raw) for mail in plan.mails],
        "deliveries": json.dumps(list(_deliveries(plan))),
    }


def dropped_overrides(plan: Plan) -> list[str]:
    """Return the RECURRENCE-IDs of the overrides that the version drops."""
    if plan.stored is None or plan.version is None:
        return []
    after = _overrides(plan.version.event)
    return [key for key in _overrides(plan.stored.event) if key not in after]


def changed_overrides(plan: Plan) -> list[Columns]:
    """Return the rows of the overrides that the version adds or changes."""
    if plan.version is None:
        return []
    before = _overrides(plan.stored.event) if plan.stored else {}
    after = _overrides(plan.version.event)
    return [row for key, row in after.items() if before.get(key) != row]


def _overrides(event: Event) -> dict[str, Columns]:
    rows = map(columns_of, event.overrides)
    return {row["recurrence_id"]: row for row in rows}


def _meeting(plan: Plan) -> Columns:
    if plan.version is None:
        return {}
    event = plan.version.event
    columns: Columns = {**event_columns(event), "language": plan.version.language}
    if plan.new is None:
        return columns
    begins = plan.new.continues_from
    return {
        **columns,
        "client_id": plan.new.client.pk,
        "uid": plan.new.uid,
        "ical_uid": event.uid,
        "continues_id": plan.new.continues,
        "continues_from": begins and begins.isoformat(),
    }


def _version(plan: Plan) -> Columns:
    if plan.version is None:
        return {}
    return {
        "sequence": plan.version.event.sequence,
        "changes": plan.version.changes,
        "comment": plan.version.comment,
        "asked_by": plan.version.asked_by,
        "tzdata": tzdata_version(),
    }


def _person(write: PersonWrite) -> Columns:
    person = write.row.person
    return {
        "id": write.row.id,
        "address": person.attendee.address,
        "address_key": person.key,
        "name": person.attendee.name,
        "role": person.attendee.role.value,
        "partstat": person.attendee.partstat.value,
        "position": write.row.position,
        "listed": write.row.listed,
        # Of others it may have ended since the look, by what a living sender has recorded.
        "told_possible": person.possible and write.row.has_dead_sender,
        "told_stamp": write.stamp and write.stamp.isoformat(),
        "asked_sequence": person.asked,
        "asks": write.asks,
    }


def _unsure(plan: Plan) -> Iterator[Columns]:
    for row in plan.unsure:
        for told in row.person.occurrences:
            yield {
                "attendee_id": row.id,
                "recurrence_id": str(told.recurrence_id),
                "method": told.method.value,
                "sequence": told.sequence,
                "possible": told.possible,
                "alone": told.alone,
                "ends_at": told.ends_at.isoformat(),
            }


def _claims(deliveries: Iterable[tuple[Person, OpenDelivery]]) -> str:
    return json.dumps([{"id": each.id, "attempt": each.attempt} for _, each in deliveries])


def _mail(number: int, mail: NewMail) -> Columns:
    message, step = mail.planned.message, mail.planned.step
    left_out = (RecurrenceId.of(message.event, when) for when in step.excluded)
    return {
        "number": number,
        "sequence": message.event.sequence,
        "method": step.method.value,
        "recurrence_id": str(step.recurrence_id or ""),
        "excluded": [str(identity) for identity in left_out],
        "plain": step.plain,
        "compared_with": mail.planned.compared_with,
        "message_id": mail.message_id,
        "stamp": message.dtstamp.isoformat(),
        "subject": mail.subject,
        "envelope_from": mail.envelope_from,
        "ends_at": mail.planned.ends_at.isoformat(),
    }


def _deliveries(plan: Plan) -> Iterator[Columns]:
    """A row for each recipient. It ``needs`` that the person's open deliveries could be taken."""
    needs: dict[str, list[int]] = {}
    for person, delivery in (*plan.again, *plan.closed):
        needs.setdefault(person.key, []).append(delivery.id)
    for number, mail in enumerate(plan.mails, start=1):
        for reader in mail.planned.readers:
            yield {"number": number, "address_key": reader.key, "needs": needs.get(reader.key, [])}
