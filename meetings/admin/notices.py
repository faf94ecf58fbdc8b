"""What became of an errand on one meeting, as the one sentence that the operator reads."""

from dataclasses import dataclass

from django.contrib import messages
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _

from meetings.itip.errors import ITipError
from meetings.models import Delivery, DeliveryState, Meeting
from meetings.models.delivery import LIVE
from meetings.operations.steps.errors import Conflict, UnknownMeeting
from meetings.queries.standing import newest_deliveries

_NAMED = 5  # of those whose mail failed; the meeting's page has them all


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, and how loud (a level of django.contrib.messages)."""

    text: str
    level: int


def report(uid: str, *, done: str) -> Said:
    """What was ``done``; who got its mail, who has not yet, and the mail server's words about those
    who did not.
    """
    deliveries = _newest_mail(uid)
    sent, failed, waiting = (
        [delivery for delivery in deliveries if delivery.state in states]
        for states in ((DeliveryState.SENT,), (DeliveryState.FAILED,), LIVE)
    )
    parts = [_("sent to %d") % len(sent)] if sent else []
    if waiting:
        parts.append(_("waiting for %d") % len(waiting))
    if failed:
        parts.append(
            _("failed for %(count)d: %(why)s")
            % {"count": len(failed), "why": _servers_words(failed)}
        )
    level = (
        messages.ERROR if failed else messages.WARNING if waiting or not sent else messages.SUCCESS
    )
    mail = ", ".join(parts) or _("nobody had received the invitation, so there was nobody to tell")
    return Said(f"{done}{mail}", level)


def refusal(error: Exception) -> Said:
    """Why nothing was done."""
    match error:
        case Conflict():
            text = error.message
        case UnknownMeeting():
            text = _("It is no longer stored.")
        case ITipError():
            text = str(error)
        case OperationalError() | InterfaceError():
            text = _("The database is away; what became of this is uncertain: look again later.")
        case _:
            text = _("Something went wrong that should not; the log has the details.")
    return Said(text, messages.ERROR)


def _newest_mail(uid: str) -> list[Delivery]:
    """A resend goes to some people only: those who are not concerned have a message with an older
    DTSTAMP.
    """
    meeting = Meeting.objects.get(uid=uid)
    return [
        delivery
        for delivery in newest_deliveries(meeting)
        if delivery.mail.dtstamp == meeting.dtstamp
    ]


def _servers_words(failed: list[Delivery]) -> str:
    words = [
        f"{delivery.address}: {delivery.last_reply or _('no reason given')}"
        for delivery in failed[:_NAMED]
    ]
    return "; ".join(words) + (" …" if len(failed) > _NAMED else "")
