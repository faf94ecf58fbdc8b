"""Store a version: its row, its mails with their exact bytes, a delivery for each recipient.

Runs inside the transaction that holds the meeting's row. What it returns is sent once that
transaction is committed, and only then.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from meetings import models
from meetings.addresses import address_key
from meetings.imip.compose import ComposedMail, compose
from meetings.itip.event import Event
from meetings.itip.message import Message, Method, Version
from meetings.models import Delivery, DeliveryState, Mail, Meeting
from meetings.models.delivery import LIVE, Claim, DeliveryQuerySet
from meetings.operations.steps.call import Actor

RETRY_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A stored mail, the claims made on its deliveries, and the deliveries still ``waiting``."""

    mail: Mail
    claims: tuple[Claim, ...] = ()
    waiting: tuple[int, ...] = ()


def store_version(
    meeting: Meeting, version: Version, stored: Event | None, *, actor: Actor, claimed: bool
) -> list[Outgoing]:
    """Make ``version`` the meeting's state and store its mails, in order.

    ``stored`` is the event as it was read, None for a new meeting. ``claimed``: the caller sends
    right after the commit, so the rows are inserted claimed. That saves one commit.
    """
    whole = any(_is_whole(message) for message in version.messages)
    busy = _make_way(meeting.deliveries.all(), covered=whole) if meeting.pk else set()
    messages = _needed(meeting, version.messages) if meeting.pk else version.messages
    composed = _compose(meeting, messages)
    meeting.thread = meeting.thread or composed[0].message_id
    meeting.store(version, stored)
    row = models.Version.objects.create(
        meeting=meeting,
        sequence=version.event.sequence,
        changes=version.changes,
        asked_by=actor.name,
    )
    return _store_mails(row, messages, composed, lambda key: claimed and key not in busy)


def store_resend(meeting: Meeting, version: Version, *, claimed: bool) -> list[Outgoing]:
    """Store the mails of ``version`` once more under the current one; ``claimed`` as above."""
    meeting.dtstamp = version.dtstamp
    meeting.save(update_fields=["dtstamp"])
    row = meeting.versions.get(sequence=version.event.sequence)
    recipients = [person for message in version.messages for person in message.recipients]
    keys = [address_key(person.address) for person in recipients]
    busy = _make_way(meeting.deliveries.filter(address_key__in=keys), covered=True)
    composed = _compose(meeting, version.messages)
    return _store_mails(row, version.messages, composed, lambda key: claimed and key not in busy)


def _needed(meeting: Meeting, messages: Sequence[Message]) -> list[Message]:
    """Leave out the CANCELs of those whose REQUEST cannot have left.

    They know of no meeting (interop A6).
    """
    if all(message.method is Method.REQUEST for message in messages):
        return list(messages)
    # What is queued still at this point is not superseded: it will leave.
    may_know = Q(state__in=[DeliveryState.SENT, *LIVE]) | Q(may_have_left=True)
    know = set(meeting.deliveries.filter(may_know).values_list("address_key", flat=True))
    needed = []
    for message in messages:
        keys = {address_key(attendee.address) for attendee in message.recipients}
        if message.method is Method.REQUEST:
            know |= keys
        if keys & know:
            needed.append(message)
    return needed


def _compose(meeting: Meeting, messages: Iterable[Message]) -> list[ComposedMail]:
    return [
        compose(
            message,
            language=meeting.language,
            domain=settings.MEETINGS_MESSAGE_ID_DOMAIN,
            thread=meeting.thread,
            attach_calendar=settings.MEETINGS_ATTACH_CALENDAR,
        )
        for message in messages
    ]


def _is_whole(message: Message) -> bool:
    return message.event.recurrence_id is None


def _make_way(older: DeliveryQuerySet, *, covered: bool) -> set[str]:
    """Supersede what of ``older`` has not left, if it is ``covered``.

    Return the keys of those who must wait for the rest.

    The rows stay locked until the commit, so that nobody claims or records one between this look
    and the commit.
    """
    live = list(
        older.filter(state__in=LIVE)
        .order_by("pk")
        .select_for_update()
        .values_list("address_key", "state")
    )
    if not covered:
        return {key for key, _ in live}
    older.supersede_queued()
    return {key for key, state in live if state == DeliveryState.SENDING}


def _store_mails(
    version: models.Version,
    messages: Sequence[Message],
    composed_mails: Sequence[ComposedMail],
    claimable: Callable[[str], bool],
) -> list[Outgoing]:
    rows = Mail.objects.bulk_create(
        _mail_row(version, message, composed)
        for message, composed in zip(messages, composed_mails, strict=True)
    )
    deliveries = Delivery.objects.bulk_create(
        _delivery_row(version.meeting, row, address, claimed=claimable(address_key(address)))
        for row, composed in zip(rows, composed_mails, strict=True)
        for address in composed.recipients
    )
    return [
        _outgoing(row, [delivery for delivery in deliveries if delivery.mail_id == row.pk])
        for row in rows
    ]


def _mail_row(version: models.Version, message: Message, composed: ComposedMail) -> Mail:
    return Mail(
        version=version,
        method=message.method.value,
        message_id=composed.message_id,
        dtstamp=message.dtstamp,
        subject=composed.subject,
        whole=_is_whole(message),
        envelope_from=settings.MEETINGS_ENVELOPE_FROM or message.event.organizer.address,
        raw=composed.raw,
    )


def _delivery_row(meeting: Meeting, mail: Mail, address: str, *, claimed: bool) -> Delivery:
    row = Delivery(
        mail=mail,
        meeting=meeting,
        address=address,
        address_key=address_key(address),
        expires_at=min(mail.created_at + RETRY_FOR, meeting.ends_at),
    )
    if claimed:
        row.state = DeliveryState.SENDING
        row.attempt = 1
        row.lease_until = Now() + timedelta(seconds=settings.MEETINGS_LEASE)
    return row


def _outgoing(mail: Mail, deliveries: Sequence[Delivery]) -> Outgoing:
    claimed = [delivery for delivery in deliveries if delivery.state == DeliveryState.SENDING]
    return Outgoing(
        mail,
        claims=tuple(
            Claim(delivery.pk, delivery.attempt, delivery.address) for delivery in claimed
        ),
        waiting=tuple(
            delivery.pk for delivery in deliveries if delivery.state == DeliveryState.QUEUED
        ),
    )
