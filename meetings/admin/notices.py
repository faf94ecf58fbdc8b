"""What an operator reads after an action: one sentence for each meeting."""

from dataclasses import dataclass

from django.contrib import messages
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _

from meetings.itip.errors import ITipError
from meetings.models import Delivery, DeliveryState, Meeting
from meetings.models.delivery import LIVE
from meetings.operations.steps.errors import OperationError, UnknownMeeting
from meetings.queries.current import last_deliveries

_NAMED = 5  # recipients whose mail failed; the meeting's page shows all of them


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence, and its level in django.contrib.messages."""

    text: str
    level: int


def mailed(meeting: Meeting, *, done: str) -> Notice:
    """What was ``done``, and how many of its mails are sent, pending or failed."""
    deliveries = last_deliveries(meeting)
    sent = [delivery for delivery in deliveries if delivery.state == DeliveryState.SENT]
    pending = [delivery for delivery in deliveries if delivery.state in LIVE]
    failed = [delivery for delivery in deliveries if delivery.state == DeliveryState.FAILED]
    counts = _counts(sent, pending, failed)
    if not counts:
        counts = _("no attendee had received the invitation, so no cancellation was sent")
    if failed:
        level = messages.ERROR
    elif pending or not sent:
        level = messages.WARNING
    else:
        level = messages.SUCCESS
    return Notice(f"{done}{counts}", level)


def refused(error: Exception) -> Notice:
    """Why an action failed."""
    match error:
        case UnknownMeeting():
            text = _("This meeting is no longer stored.")
        case OperationError() | ITipError():
            text = str(error)
        case OperationalError() | InterfaceError():
            text = _(
                "The database is unavailable. It is not certain whether this was done."
                " Look again later."
            )
        case _:
            text = _("An unexpected error occurred. The server log has the details.")
    return Notice(text, messages.ERROR)


def _counts(sent: list[Delivery], pending: list[Delivery], failed: list[Delivery]) -> str:
    parts = []
    if sent:
        parts.append(_("sent to %d") % len(sent))
    if pending:
        parts.append(_("pending for %d") % len(pending))
    if failed:
        count_and_reason = {"count": len(failed), "why": _replies(failed)}
        parts.append(_("failed for %(count)d: %(why)s") % count_and_reason)
    return ", ".join(parts)


def _replies(failed: list[Delivery]) -> str:
    no_reason = _("no reason given")
    replies = [f"{delivery.address}: {delivery.last_reply or no_reason}" for delivery in failed]
    return "; ".join(replies[:_NAMED]) + (" …" if len(replies) > _NAMED else "")
