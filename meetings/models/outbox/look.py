"""LOOK: a meeting, its people with what they were told, and their open deliveries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, cast

from django.db import connection

from meetings.itip.event import Event
from meetings.itip.message import Changes, Method
from meetings.itip.readers import PastVersion
from meetings.itip.told import RecurrenceId
from meetings.models.attendee import AttendeeColumns, ToldColumns, as_time, person_of
from meetings.models.client import Client
from meetings.models.delivery import DeliveryState
from meetings.models.meeting import Meeting
from meetings.models.outbox.rows import OpenDelivery, PersonRow, StoredMail
from meetings.models.outbox.sql import Parameters, run
from meetings.models.outbox.state import ALL_WELL, STATE, ServerState, state_of
from meetings.models.override import OverrideColumns, override_of
from meetings.models.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A stored meeting as of one moment."""

    meeting: Meeting
    event: Event
    people: tuple[PersonRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look found. ``now`` is PostgreSQL's time.

    ``is_paused``: no mail may begin to leave. ``server`` is how the mail server stands.
    ``uid_is_taken``: another client's meeting has that UID in calendars.
    """

    now: datetime
    is_paused: bool
    server: ServerState = ALL_WELL
    uid_is_taken: bool = False
    stored: Stored | None = None


class _DeliveryColumns(TypedDict):
    id: int
    attendee_id: int
    state: str
    attempt: int
    unknown_ends: int
    free_ends: int


class _MailColumns(TypedDict):
    id: int
    sequence: int
    method: str
    recurrence_id: str
    excluded: list[str]
    plain: bool
    compared_with: int | None
    stamp: str
    ends_at: str
    envelope_from: str


class _DeliveryJson(TypedDict):
    row: _DeliveryColumns
    mail: _MailColumns
    is_alive: bool


class _PersonJson(TypedDict):
    row: AttendeeColumns
    told: list[ToldColumns] | None


_Row = tuple[
    datetime,
    bool,
    Mapping[str, float | None] | None,
    bool,
    Mapping[str, object] | None,
    list[_PersonJson] | None,
    list[OverrideColumns] | None,
    list[_DeliveryJson] | None,
]

# One statement, so one snapshot: a person's row and their deliveries always belong together.
_LOOK = f"""
SELECT around.*, found.*
FROM (SELECT statement_timestamp() AS now,
             EXISTS (SELECT FROM meetings_pause) AS is_paused,
             (SELECT {STATE} FROM meetings_mailserver AS server) AS server,
             EXISTS (SELECT FROM meetings_meeting WHERE ical_uid = %(uid)s) AS uid_is_taken
     ) AS around
LEFT JOIN LATERAL (
    SELECT to_json(meeting) AS meeting,
           ({{people}}) AS people, ({{overrides}}) AS overrides, ({{deliveries}}) AS deliveries
    FROM meetings_meeting AS meeting WHERE {{which}}
) AS found ON true
"""

_PEOPLE = """
SELECT json_agg(json_build_object('row', person, 'told', (
           SELECT json_agg(told) FROM meetings_toldoccurrence AS told
           WHERE told.attendee_id = person.id))
       ORDER BY person.position, person.id)
FROM meetings_attendee AS person WHERE person.meeting_id = meeting.id
"""

_OVERRIDES = """
SELECT json_agg(override ORDER BY override.recurrence_id)
FROM meetings_occurrenceoverride AS override WHERE override.meeting_id = meeting.id
"""

_DELIVERIES = """
SELECT json_agg(json_build_object('row', delivery, 'mail', mail, 'is_alive',
           delivery.state = 'sending' AND EXISTS (
               SELECT FROM meetings_sender AS sender
               WHERE sender.id = delivery.sender_id
                 AND sender.alive_until > statement_timestamp()))
       ORDER BY delivery.id)
FROM meetings_delivery AS delivery JOIN meetings_mail AS mail ON mail.id = delivery.mail_id
WHERE delivery.meeting_id = meeting.id AND delivery.state IN ('sending', 'deferred', 'unknown')
"""


def _statement(which: str) -> str:
    parts = {"people": _PEOPLE, "overrides": _OVERRIDES, "deliveries": _DELIVERIES}
    return _LOOK.format(which=which, **parts)


_BY_UID = _statement("meeting.client_id = %(client)s AND meeting.uid = %(uid)s")
_BY_ID = _statement("meeting.id = %(id)s")
_LOCK = (
    "SELECT FROM meetings_meeting WHERE client_id = %(client)s AND uid = %(uid)s FOR NO KEY UPDATE"
)


def look(client: Client, uid: str) -> Look:
    """Look for the client's meeting. One statement."""
    return _look(_BY_UID, {"client": client.pk, "uid": uid})


def look_at(meeting_id: int) -> Look:
    """Look at the meeting. One statement."""
    return _look(_BY_ID, {"id": meeting_id, "uid": None})


def lock_and_look(client: Client, uid: str) -> Look:
    """Look for the meeting, whose row stays locked until the transaction ends.

    Only for who has lost the race twice: the lock alone costs a flush.
    """
    run(_LOCK, {"client": client.pk, "uid": uid})
    return look(client, uid)


def past_versions(meeting: Meeting, since: int) -> dict[int, PastVersion]:
    """Return what is kept of the versions after SEQUENCE ``since``. One query."""
    rows = Version.objects.filter(meeting=meeting, sequence__gt=since)
    return {
        sequence: PastVersion(changes_of(changes), comment)
        for sequence, changes, comment in rows.values_list("sequence", "changes", "comment")
    }


def changes_of(stored: Mapping[str, object]) -> Changes:
    """Return a version's changes as they were before they became JSON."""
    return {
        name: tuple(value) if isinstance(value, list) else value  # type: ignore[misc]
        for name, value in stored.items()
    }


def _look(statement: str, parameters: Parameters) -> Look:
    [row] = cast("list[_Row]", run(statement, parameters))
    now, is_paused, server, uid_is_taken, meeting, people, overrides, deliveries = row
    return Look(
        now=now,
        is_paused=is_paused,
        server=state_of(server),
        uid_is_taken=uid_is_taken,
        stored=_stored(meeting, people, overrides, deliveries) if meeting else None,
    )


def _stored(
    columns: Mapping[str, object],
    people: list[_PersonJson] | None,
    overrides: list[OverrideColumns] | None,
    deliveries: list[_DeliveryJson] | None,
) -> Stored:
    by_person: dict[int, list[OpenDelivery]] = {}
    for found in deliveries or []:
        by_person.setdefault(found["row"]["attendee_id"], []).append(_delivery(found))
    rows = tuple(_person(found, by_person.get(found["row"]["id"], ())) for found in people or [])
    meeting = _meeting(columns)
    event = meeting.event(
        (row.person.attendee for row in rows if row.listed), map(override_of, overrides or [])
    )
    return Stored(meeting=meeting, event=event, people=rows)


def _meeting(columns: Mapping[str, object]) -> Meeting:
    fields = Meeting._meta.concrete_fields
    values = [field.to_python(columns[field.column]) for field in fields]
    return Meeting.from_db(connection.alias, [field.attname for field in fields], values)


def _person(found: _PersonJson, deliveries: Iterable[OpenDelivery]) -> PersonRow:
    row = found["row"]
    return PersonRow(
        id=row["id"],
        person=person_of(row, found["told"] or ()),
        position=row["position"],
        listed=row["listed"],
        asked_at=as_time(row["asked_at"]),
        told_at=as_time(row["told_at"]),
        failed_sequence=row["failed_sequence"],
        retry_at=as_time(row["retry_at"]),
        last_reply=row["last_reply"],
        open=tuple(deliveries),
    )


def _delivery(found: _DeliveryJson) -> OpenDelivery:
    row = found["row"]
    return OpenDelivery(
        id=row["id"],
        state=DeliveryState(row["state"]),
        attempt=row["attempt"],
        unknown_ends=row["unknown_ends"],
        free_ends=row["free_ends"],
        is_alive=found["is_alive"],
        mail=_mail(found["mail"]),
    )


def _mail(row: _MailColumns) -> StoredMail:
    text = row["recurrence_id"]
    return StoredMail(
        id=row["id"],
        sequence=row["sequence"],
        method=Method(row["method"]),
        recurrence_id=RecurrenceId.from_text(text) if text else None,
        excluded=tuple(RecurrenceId.from_text(each).when for each in row["excluded"]),
        plain=row["plain"],
        compared_with=row["compared_with"],
        stamp=datetime.fromisoformat(row["stamp"]),
        ends_at=datetime.fromisoformat(row["ends_at"]),
        envelope_from=row["envelope_from"],
    )
