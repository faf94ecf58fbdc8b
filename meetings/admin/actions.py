"""The actions on meetings: a page that asks, one operation for each meeting, and its result."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from meetings.admin.confirmation import CancelForm, ConfirmationForm, ResendForm
from meetings.admin.notices import Notice, mailed, refused
from meetings.deadline import Deadline
from meetings.itip.errors import ITipError
from meetings.models import Meeting
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.resend import bring_up_to_date, resend
from meetings.operations.steps.call import Actor, Cancel, Resend
from meetings.operations.steps.errors import OperationError
from meetings.queries.standing import Standing

log = logging.getLogger(__name__)

MOST_AT_ONCE = 100
TRIED_AGAIN = "Those who had not been told were tried again."
TRIED_IN_THE_BACKGROUND = "Those who had not been told are tried again in the background."

Text = str | Promise
MeetingModelAdmin: TypeAlias = "admin.ModelAdmin[Meeting]"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingAction:
    """An action: its form, and the texts of its page and its result.

    ``done`` begins the notice to the operator, and ``done_before`` where an earlier call had done
    it. ``nobody`` says that there is nobody to tell. ``log_entry`` is kept in the admin's log.
    """

    name: str
    form: type[ConfirmationForm]
    title: Text
    explanation: Text
    button: Text
    done: Text = ""
    done_before: Text = ""
    nobody: Text
    log_entry: str
    log_entry_before: str

    @property
    def permission(self) -> str:
        return f"meetings.{self.name}_meeting"


_LISTED = Count("attendees", filter=Q(attendees__listed=True))

CANCEL = MeetingAction(
    name="cancel",
    form=CancelForm,
    title=_("Cancel meetings"),
    explanation=_(
        "Every attendee who was told of the meeting gets a mail that removes it from their"
        " calendar. This cannot be undone."
        " For a meeting that is already cancelled, only those who do not know it yet are mailed."
    ),
    button=_("Cancel and notify attendees"),
    done=_("cancelled; "),
    done_before=_("was cancelled already; "),
    nobody=_("no attendee had received the invitation, so no cancellation was sent"),
    log_entry="Cancelled.",
    log_entry_before=TRIED_AGAIN,
)
RESEND = MeetingAction(
    name="resend",
    form=ResendForm,
    title=_("Resend the current version"),
    explanation=_(
        "The current version is mailed, never an older one."
        " Recipients who already have it see no second meeting."
    ),
    button=_("Resend"),
    nobody=_("nobody has to be told anything, so no mail was sent"),
    log_entry="Resent.",
    log_entry_before="Resent.",
)


def run_action(
    model_admin: MeetingModelAdmin,
    request: HttpRequest,
    queryset: QuerySet[Meeting],
    action: MeetingAction,
) -> HttpResponse | None:
    """Return the page that asks, or run the confirmed action and return None."""
    meetings = list(queryset.annotate(attendee_count=_LISTED)[: MOST_AT_ONCE + 1])
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
            standing = _perform(form.command(meeting), operator, deadline)
            notice = _told(standing, action)
            if not (standing.is_duplicate and notice.is_idle):
                entry = action.log_entry_before if standing.is_duplicate else action.log_entry
                model_admin.log_change(request, meeting, entry)
        except (OperationError, ITipError) as error:
            notice = refused(error)
        except Exception as error:
            # The failure of one meeting does not keep the action from the others.
            log.exception("The action %s failed for the meeting %s", action.name, meeting.ical_uid)
            notice = refused(error)
        model_admin.message_user(request, f"{meeting.summary}: {notice.text}", notice.level)


def _perform(command: Cancel | Resend, operator: Actor, deadline: Deadline) -> Standing:
    match command:
        case Cancel():
            return cancel_meeting(command, operator, now=timezone.now(), deadline=deadline)
        case Resend():
            return resend(command, operator, deadline=deadline)


def _told(standing: Standing, action: MeetingAction) -> Notice:
    done = action.done_before if standing.is_duplicate else action.done
    return mailed(standing, done=str(done), nobody=str(action.nobody))


def bring_selected_up_to_date(
    model_admin: MeetingModelAdmin, request: HttpRequest, queryset: QuerySet[Meeting]
) -> None:
    """Have the background tell what is outstanding of these meetings, thousands if need be.

    Said and logged is only of meetings where something was outstanding.
    """
    operator = request.user.pk
    assert operator is not None  # noqa: S101 (nobody comes here without logging in)
    meetings = {meeting.pk: meeting for meeting in queryset.select_related(None).only("summary")}
    tried = [meetings[pk] for pk in bring_up_to_date(list(meetings))]
    if tried:
        LogEntry.objects.log_actions(operator, tried, CHANGE, TRIED_IN_THE_BACKGROUND)
        model_admin.message_user(request, _are_tried(len(tried)))
    if idle := len(meetings) - len(tried):
        model_admin.message_user(request, _were_told(idle), messages.WARNING)


def _are_tried(count: int) -> str:
    text = ngettext(
        "%(count)d meeting is being brought up to date in the background.",
        "%(count)d meetings are being brought up to date in the background.",
        count,
    )
    return text % {"count": count}


def _were_told(count: int) -> str:
    text = ngettext(
        "Of %(count)d meeting nothing was outstanding, so there was nothing to do.",
        "Of %(count)d meetings nothing was outstanding, so there was nothing to do.",
        count,
    )
    return text % {"count": count}
