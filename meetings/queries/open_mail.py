"""Which meetings have people who are still to be told. All by small indexes of what is open."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from meetings.models import Attendee, Delivery, DeliveryState, Meeting

# The marks of earlier versions stay in the row. What counts is the one that is to be told.
_IS_OUTSTANDING = Q(failed_sequence__isnull=False, failed_sequence__gte=F("asked_sequence"))
_IS_IN_BACK_OFF = Q(retry_at__isnull=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMail:
    """How many people of a meeting are not told yet.

    ``outstanding`` were refused or given up, ``queued`` are tried again later, ``sending`` are
    mailed right now. ``is_due``: somebody of the background has to look at the meeting.
    """

    outstanding: int = 0
    queued: int = 0
    sending: int = 0
    is_due: bool = False


def with_outstanding() -> QuerySet[Meeting]:
    """Return the meetings with somebody who was refused, or was given up."""
    failed = Attendee.objects.filter(_IS_OUTSTANDING).order_by()
    return Meeting.objects.filter(pk__in=failed.values("meeting"))


def with_pending() -> QuerySet[Meeting]:
    """Return the meetings that are due, or with somebody in back-off or who is just mailed."""
    due = Meeting.objects.filter(due_at__isnull=False).order_by().values("pk")
    in_back_off = Attendee.objects.filter(_IS_IN_BACK_OFF).order_by().values("meeting")
    sending = Delivery.objects.filter(state=DeliveryState.SENDING).order_by().values("meeting")
    return Meeting.objects.filter(pk__in=due.union(in_back_off, sending))


def needing_mail(meeting_ids: Collection[int]) -> set[int]:
    """Return those of the meetings that are due, or have somebody who is not told. One query."""
    people = Attendee.objects.filter(_IS_OUTSTANDING | _IS_IN_BACK_OFF, meeting__in=meeting_ids)
    needs_mail = Q(due_at__isnull=False) | Q(pk__in=people.order_by().values("meeting"))
    found = Meeting.objects.filter(needs_mail, pk__in=meeting_ids).order_by()
    return set(found.values_list("pk", flat=True))


def open_mail(meetings: Iterable[Meeting]) -> Mapping[int, OpenMail]:
    """Return what is open of each meeting, by its primary key. Two queries."""
    meetings = list(meetings)
    ids = [meeting.pk for meeting in meetings]
    people = (
        Attendee.objects.filter(_IS_OUTSTANDING | _IS_IN_BACK_OFF, meeting__in=ids)
        .order_by()
        .values_list("meeting")
        .annotate(outstanding=Count("pk", filter=_IS_OUTSTANDING), queued=Count("retry_at"))
    )
    mailed = (
        Delivery.objects.filter(state=DeliveryState.SENDING, meeting__in=ids)
        .order_by()
        .values_list("meeting")
        .annotate(people=Count("attendee", distinct=True))
    )
    counts = {pk: (outstanding, queued) for pk, outstanding, queued in people}
    sending = dict(mailed)
    return {
        meeting.pk: OpenMail(
            outstanding=counts.get(meeting.pk, (0, 0))[0],
            queued=counts.get(meeting.pk, (0, 0))[1],
            sending=sending.get(meeting.pk, 0),
            is_due=meeting.due_at is not None,
        )
        for meeting in meetings
    }
