"""How long it takes to plan for many people, and how long a meeting's row is locked meanwhile."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.test.utils import override_settings

from meetings.itip.event import Attendee
from meetings.itip.recurrence.rule import Frequency, Rule
from meetings.models import Meeting
from meetings.models.outbox.look import look_at
from meetings.operations.steps.plan import Decision, Planning, Scope, plan
from meetings.operations.steps.tell import bring_up_to_date
from tests.support.stories import send, update

NO_SERVER = "django.core.mail.backends.dummy.EmailBackend"
START = datetime(2037, 3, 2, 10)


def plan_after_versions(*, people: int, versions: int) -> tuple[float, float]:
    """Milliseconds to look and decide, and to compose the one mail, which names everybody.

    Everybody has the first version.
    """
    with override_settings(EMAIL_BACKEND=NO_SERVER):
        uid = send(uid="versions", attendees=_people(people)).uid
    for number in range(versions):
        update(uid, summary=f"Version {number}", budget=0)
    meeting = Meeting.objects.get(uid=uid)
    begin = time.perf_counter()
    planning = Planning(look_at(meeting.pk), Decision(), Scope(is_call=False, may_send=True))
    assert len(planning.steps) == people
    decided = time.perf_counter()
    planned = plan(planning)
    composed = time.perf_counter()
    assert [len(mail.planned.readers) for mail in planned.mails] == [people]
    return (decided - begin) * 1000, (composed - decided) * 1000


@dataclass(slots=True)
class Longest:
    """Milliseconds that the longest step took, and the longest statement of any; mails made."""

    mails: int = 0
    longest: float = 0.0
    locked: float = 0.0

    def time(self, execute: Callable[..., Any], *statement: Any) -> Any:
        """Time a statement: Django calls this for each. It locks no longer than it lasts."""
        begin = time.perf_counter()
        try:
            return execute(*statement)
        finally:
            self.locked = max(self.locked, (time.perf_counter() - begin) * 1000)


def steps_of_changed_occurrences(*, people: int, days: int, steps: int) -> Longest:
    """Take the first ``steps`` of telling so many people of a series with so many changed days."""
    rule = Rule(freq=Frequency.DAILY, count=days)
    event: dict[str, Any] = {"rule": rule, "start": START, "end": START + timedelta(hours=1)}
    uid = send(uid="days", budget=0, attendees=_people(people), **event).uid
    for number in range(days):
        day = START + timedelta(days=number)
        update(uid, occurrence=day, location=f"Room {number}", budget=0)
    meeting = Meeting.objects.get(uid=uid)
    found = Longest()
    with override_settings(EMAIL_BACKEND=NO_SERVER), connection.execute_wrapper(found.time):
        for _ in range(steps):
            begin = time.perf_counter()
            assert bring_up_to_date(meeting.pk)
            found.longest = max(found.longest, (time.perf_counter() - begin) * 1000)
    found.mails = meeting.mails.count()
    return found


def _people(count: int) -> tuple[Attendee, ...]:
    return tuple(
        Attendee(address=f"p{number}@example.org", name=f"Person {number}")
        for number in range(count)
    )
