"""What an operator can have done to meetings: a page that asks, one operation for each meeting,
what became of it.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from meetings.admin.outcome import Said, refusal, report
from meetings.deadline import Deadline
from meetings.itip.errors import ITipError
from meetings.models import Meeting
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.resend import resend
from meetings.operations.steps.call import Actor, Cancel, Resend
from meetings.operations.steps.errors import OperationError
from meetings.queries.standing import Standing

log = logging.getLogger(__name__)

MOST_AT_ONCE = 100


class CancelForm(forms.Form):
    """Why, in words that every attendee reads."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(
            attrs={"rows": 4, "cols": 80, "class": "vLargeTextField", "autofocus": True}
        ),
        help_text=_("Shown in the mail to every attendee. May be left empty."),
    )

    def clean_reason(self) -> str:
        """The reason with LF line ends, without control characters."""
        text: str = self.cleaned_data["reason"].replace("\r\n", "\n")
        return "".join(
            character for character in text if character.isprintable() or character in "\n\t"
        )


class ResendForm(forms.Form):
    """To whom."""

    to = forms.ChoiceField(
        label=_("To"),
        choices=[
            ("failed", _("Those whose mail failed")),
            ("everybody", _("Everybody on the list")),
        ],
        initial="failed",
        widget=forms.RadioSelect,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One thing to have done; ``run`` gets the form's values, the operator's name and the seconds
    that are left.
    """

    name: str
    form: type[forms.Form]
    title: Any
    explanation: Any
    button: Any
    done: Any
    record: str
    run: Callable[[Meeting, dict[str, Any], str, float], Standing]


def _cancel(meeting: Meeting, values: dict[str, Any], operator: str, budget: float) -> Standing:
    return cancel_meeting(
        Cancel(uid=meeting.uid, reason=values["reason"]),
        Actor.operator(f"operator {operator}"),
        now=timezone.now(),
        deadline=Deadline(budget),
    )


def _resend(meeting: Meeting, values: dict[str, Any], operator: str, budget: float) -> Standing:
    return resend(
        Resend(uid=meeting.uid, only_failed=values["to"] == "failed"),
        Actor.operator(f"operator {operator}"),
        now=timezone.now(),
        deadline=Deadline(budget),
    )


CANCEL = Errand(
    name="cancel",
    form=CancelForm,
    title=_("Cancel meetings"),
    explanation=_(
        "Every attendee gets a mail that takes the meeting off their calendar. This cannot be taken back. Of a meeting"
        " that is cancelled already, only the mails that failed are tried again."
    ),
    button=_("Cancel and tell everybody"),
    done=_("cancelled; "),
    record="Cancelled.",
    run=_cancel,
)
RESEND = Errand(
    name="resend",
    form=ResendForm,
    title=_("Mail the current version again"),
    explanation=_(
        "The same version once more: whoever has it in the calendar already sees no second meeting."
    ),
    button=_("Mail again"),
    done="",
    record="Mailed again.",
    run=_resend,
)


def carry_out(
    site: "admin.ModelAdmin[Meeting]",
    request: HttpRequest,
    queryset: QuerySet[Meeting],
    errand: Errand,
) -> HttpResponse | None:
    """The page that asks or, once it is answered, the errand: what came of it is in the messages,
    and None returned.
    """
    meetings = list(queryset.annotate(people=Count("attendees"))[: MOST_AT_ONCE + 1])
    if len(meetings) > MOST_AT_ONCE:
        site.message_user(
            request, _("At most %d meetings at once, please.") % MOST_AT_ONCE, messages.ERROR
        )
        return None
    form = errand.form(request.POST if "confirmed" in request.POST else None)
    if not form.is_valid():
        return _page(site, request, meetings, errand, form)
    deadline = Deadline(settings.MEETINGS_TIME_BUDGET)
    for meeting in meetings:
        said = _run(site, request, meeting, errand, form.cleaned_data, deadline.left)
        site.message_user(request, f"{meeting.summary}: {said.text}", said.level)
    return None


def _page(
    site: "admin.ModelAdmin[Meeting]",
    request: HttpRequest,
    meetings: Sequence[Meeting],
    errand: Errand,
    form: forms.Form,
) -> HttpResponse:
    context = {
        **site.admin_site.each_context(request),
        "title": errand.title,
        "opts": site.opts,
        "media": site.media,
        "errand": errand,
        "meetings": meetings,
        "form": form,
        "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/meetings/meeting/errand.html", context)


def _run(
    site: "admin.ModelAdmin[Meeting]",
    request: HttpRequest,
    meeting: Meeting,
    errand: Errand,
    values: dict[str, Any],
    budget: float,
) -> Said:
    try:
        errand.run(meeting, values, request.user.get_username(), budget)
        site.log_change(request, meeting, errand.record)
        return report(meeting.uid, done=errand.done)
    except (OperationError, ITipError) as refused:
        return refusal(refused)
    except (
        Exception
    ) as error:  # one meeting's trouble, or a database that is away, is not the other meetings'
        log.exception("An operator's errand failed: %s of %s", errand.name, meeting.uid)
        return refusal(error)
