"""A call's checked parameters → one operation, and its receipt."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from meetings.api.access import Caller
from meetings.api.errors import Forbidden
from meetings.api.reading.event import changed_event, located, new_event, past_warnings
from meetings.itip.event import Event
from meetings.itip.organizer import lists_only_the_organizer, require_organizer
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.send_meeting import send_meeting
from meetings.operations.split_series import split_series
from meetings.operations.update_meeting import update_meeting
from meetings.queries.standing import Receipt


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for what. ``language`` is that of the mail, None for the meeting's; ``warnings`` are
    added to.

    ``in_background``: store and queue, and answer at once.
    """

    values: dict[str, Any]
    caller: Caller
    language: str | None
    in_background: bool
    warnings: list[str]

    def perform(self) -> Receipt:
        """Do it. Raises what the operations raise, and Forbidden."""
        if "sender" in self.values:
            self._permit(self.values["sender"].address)
        return {"send": self._send, "update": self._update, "cancel": self._cancel}[
            self.values["operation"]
        ]()

    def _send(self) -> Receipt:
        wanted = new_event(self.values, self.warnings)
        self._caution(wanted)
        return send_meeting(
            wanted=wanted,
            key=self.caller.key,
            asked_by=self.caller.name,
            language=self.language or settings.MEETINGS_LANGUAGE,
            now=timezone.now(),
            budget=self._budget,
        )

    def _update(self) -> Receipt:
        if "scope" in self.values:
            return self._split(self._change)
        return update_meeting(
            uid=self.values["uid"],
            among=self.caller.meetings,
            change=self._change,
            locate=self._locate,
            asked_by=self.caller.name,
            language=self.language,
            now=timezone.now(),
            budget=self._budget,
        )

    def _cancel(self) -> Receipt:
        if "scope" in self.values:
            return self._split(None)
        return cancel_meeting(
            uid=self.values["uid"],
            among=self.caller.meetings,
            consent=self._consent,
            locate=self._locate,
            comment=self.values.get("description", ""),
            asked_by=self.caller.name,
            language=self.language,
            now=timezone.now(),
            budget=self._budget,
        )

    def _split(self, change: Callable[[Event], Event] | None) -> Receipt:
        return split_series(
            uid=self.values["uid"],
            among=self.caller.meetings,
            consent=self._consent,
            locate=located(self.values["occurrence"]),
            change=change,
            asked_by=self.caller.name,
            language=self.language,
            now=timezone.now(),
            budget=self._budget,
        )

    @property
    def _budget(self) -> float:
        return 0.0 if self.in_background else float(settings.MEETINGS_TIME_BUDGET)

    @property
    def _locate(self) -> Callable[[Event], datetime] | None:
        return located(self.values["occurrence"]) if "occurrence" in self.values else None

    def _change(self, held: Event) -> Event:
        self._permit(held.organizer.address)
        wanted = changed_event(held, self.values, self.warnings)
        self._caution(wanted)
        return wanted

    def _consent(self, held: Event) -> None:
        self._permit(held.organizer.address)
        if "sender" in self.values:
            require_organizer(held, self.values["sender"].address)

    def _permit(self, address: str) -> None:
        if not self.caller.may_speak_for(address):
            raise Forbidden

    def _caution(self, wanted: Event) -> None:
        self.warnings.extend(past_warnings(wanted, timezone.now()))
        if lists_only_the_organizer(wanted):
            self.warnings.append(
                "receiver: nobody but the sender is invited; Exchange and Outlook hide such an invitation."
            )
