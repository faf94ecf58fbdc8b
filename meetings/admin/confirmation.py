"""The forms that ask an operator before an action runs."""

from django import forms
from django.utils.translation import gettext_lazy as _

from meetings.models import Meeting
from meetings.operations.steps.call import Cancel, Resend


class ConfirmationForm(forms.Form):
    """Its values become the command that runs on each meeting."""

    def command(self, meeting: Meeting) -> Cancel | Resend:
        raise NotImplementedError


class CancelForm(ConfirmationForm):
    """The reason for a cancellation, which every attendee reads."""

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
        # Browsers send CRLF. Control characters have no place in a mail.
        text = str(self.cleaned_data["reason"]).replace("\r\n", "\n")
        return "".join(
            character for character in text if character.isprintable() or character in "\n\t"
        )

    def command(self, meeting: Meeting) -> Cancel:
        return Cancel(uid=meeting.uid, reason=self.cleaned_data["reason"])


class ResendForm(ConfirmationForm):
    """What of the current version is mailed."""

    what = forms.ChoiceField(
        label=_("Mail"),
        choices=[
            ("outstanding", _("Bring up to date: only what somebody has not been told yet")),
            ("all", _("Mail again to everybody")),
        ],
        initial="outstanding",
        widget=forms.RadioSelect,
    )

    def command(self, meeting: Meeting) -> Resend:
        return Resend(uid=meeting.uid, only_failed=self.cleaned_data["what"] == "outstanding")
