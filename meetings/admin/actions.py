"""The actions on meetings: a page that asks, one operation for each meeting, and its result."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from meetings.admin.confirmation import CancelForm, ConfirmationForm, ResendForm
from meetings.admin.notices import mailed, refused
from meetings.deadline import Deadline
from meetings.itip.errors import ITipError
from meetings.models import Meeting
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.resend import resend
from meetings.operations.steps.call import Actor, Cancel, Resend
from meetings.operations.steps.errors import OperationError

log = logging.getLogger(__name__)

MOST_AT_ONCE = 100

Text = str | Promise
MeetingModelAdmin: TypeAlias = "admin.ModelAdmin[Meeting]"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingAction:
    """An action: its form, and the texts of its page and its result.

    ``done`` begins the notice to the operator, ``log_entry`` is kept in the admin's log.
    """

    name: str
    form: type[ConfirmationForm]
    title: Text
    explanation: Text
    button: Text
    done: Text
    log_entry: str

    @property
    def permission(self) -> str:
        return f"meetings.{self.name}_meeting"


CANCEL = MeetingAction(
    name="cancel",
    form=CancelForm,
    title=_("Cancel meetings"),
    explanation=_(
        "Every attendee gets a mail that removes the meeting from their calendar."
        " This cannot be undone."
        " For a meeting that is already cancelled, only the failed mails are tried again."
    ),
    button=_("Cancel and notify attendees"),
    done=_("cancelled; "),
    log_entry="Cancelled.",
)
RESEND = MeetingAction(
    name="resend",
    form=ResendForm,
    title=_("Resend the current version"),
    explanation=_(
        "The current version is mailed again. Recipients who already have it see no second meeting."
    ),
    button=_("Resend"),
    done="",
    log_entry="Resent.",
)


def run_action(
    model_admin: MeetingModelAdmin,
    request: HttpRequest,
    queryset: QuerySet[Meeting],
    action: MeetingAction,
) -> HttpResponse | None:
    """Return the page that asks, or run the confirmed action and return None."""
    meetings = list(queryset.annotate(attendee_count=Count("attendees"))[: MOST_AT_ONCE + 1])
    if len(meetings) > MOST_AT_ONCE:
        text = _("Select at most %d meetings at once.") % MOST_AT_ONCE
        model_admin.message_user(request, text, messages.ERROR)
        return None
    form = action.form(request.POST if "confirmed" in request.POST else None)
    if not form.is_valid():
        return _confirmation_page(model_admin, request, meetings, action, form)
    _run_on_each(model_admin, request, meetings, action, form)
    return None


def _confirmation_page(
    model_admin: MeetingModelAdmin,
    request: HttpRequest,
    meetings: Sequence[Meeting],
    action: MeetingAction,
    form: ConfirmationForm,
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": action.title,
        "opts": model_admin.opts,
        "media": model_admin.media,
        "action": action,
        "meetings": meetings,
        "form": form,
        "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/meetings/meeting/confirm_action.html", context)


def _run_on_each(
    model_admin: MeetingModelAdmin,
    request: HttpRequest,
    meetings: Sequence[Meeting],
    action: MeetingAction,
    form: ConfirmationForm,
) -> None:
    # One limit for all meetings, because the browser waits for the page. Later mail is pending.
    deadline = Deadline(settings.MEETINGS_TIME_BUDGET)
    name = f"operator {request.user.get_username()}"
    for meeting in meetings:
        operator = Actor.operator(name, meeting.client)
        try:
            _perform(form.command(meeting), operator, deadline)
            model_admin.log_change(request, meeting, action.log_entry)
            notice = mailed(meeting, done=str(action.done))
        except (OperationError, ITipError) as error:
            notice = refused(error)
        except Exception as error:
            # The failure of one meeting does not keep the action from the others.
            log.exception("The action %s failed for the meeting %s", action.name, meeting.ical_uid)
            notice = refused(error)
        model_admin.message_user(request, f"{meeting.summary}: {notice.text}", notice.level)


def _perform(command: Cancel | Resend, operator: Actor, deadline: Deadline) -> None:
    match command:
        case Cancel():
            cancel_meeting(command, operator, now=timezone.now(), deadline=deadline)
        case Resend():
            resend(command, operator, now=timezone.now(), deadline=deadline)
