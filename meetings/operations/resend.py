"""Resend: the current version once more (RFC 5546 §3.2.2.7), or what is outstanding of it.

A mail again has the same SEQUENCE, a newer DTSTAMP and a new Message-ID.
"""

from meetings.addresses import address_key
from meetings.deadline import Deadline
from meetings.models.outbox.forget import forget_failures, forget_told
from meetings.models.outbox.look import look
from meetings.operations.steps.call import Actor, Resend
from meetings.operations.steps.errors import Conflict, UnknownMeeting
from meetings.operations.steps.outcome import standing_after
from meetings.operations.steps.tell import Call, tell, what_is_outstanding
from meetings.operations.steps.wake import wake
from meetings.queries.open_mail import needing_mail
from meetings.queries.split import with_earlier_parts
from meetings.queries.standing import Standing


def resend(command: Resend, actor: Actor, *, deadline: Deadline) -> Standing:
    """Mail what stands again, or only what is outstanding, until ``deadline``.

    Of a cancelled meeting it is the CANCEL again, to those who were told of the meeting. Raises
    UnknownMeeting, and Conflict where ``to`` was never invited.
    """
    found = look(actor.client, command.uid)
    if found.stored is None:
        raise UnknownMeeting(command.uid)
    key = address_key(command.to) if command.to else None
    if not command.only_failed and not forget_told(found.stored.meeting.pk, key):
        raise Conflict("address", f"{command.to} is not on the list of this meeting.")
    call = Call(
        client=actor.client,
        uid=command.uid,
        asked_by=actor.name,
        deadline=deadline,
        only=frozenset({key}) if key else None,
    )
    return standing_after(command.uid, tell(call, what_is_outstanding))


def bring_up_to_date(meeting_ids: list[int]) -> list[int]:
    """Have the background tell what is outstanding of these meetings.

    What was given up is tried again, and what is in back-off at once. Old octets are never sent.
    People of a series are also told that its earlier parts ended. Return the meetings for which
    there was something to do.
    """
    parts = with_earlier_parts(meeting_ids)
    every = sorted(frozenset[int]().union(*parts.values()))
    open_ones = needing_mail(every)
    # All of them, also those that seem told: the background looks at what people were told.
    forget_failures(every)
    wake(every)
    return [each for each, its_parts in parts.items() if open_ones.intersection(its_parts)]
