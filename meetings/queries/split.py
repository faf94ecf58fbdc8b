"""Where a series was ended early, and what goes on from there."""

from collections.abc import Collection
from datetime import timedelta

from django.db.models import QuerySet

from meetings.itip.moment import Moment
from meetings.itip.organizer import CUT
from meetings.models import Meeting


def was_cut(meeting: Meeting, occurrence: Moment) -> bool:
    """Whether a call ended the series before this occurrence, and nothing goes on from there.

    ``occurrence`` is a wall-clock time, or a day. One or two queries.
    """
    records = meeting.versions.filter(changes__has_key=CUT).values_list("changes", flat=True)
    when = occurrence.value.isoformat(sep=" ")
    text = when[:10] if occurrence.is_date else when
    was_ended = any(str(record[CUT][1]).startswith(text) for record in records)
    return was_ended and not continuations(meeting, occurrence).exists()


def continuations(meeting: Meeting, occurrence: Moment) -> QuerySet[Meeting]:
    """Return the meetings that continue the series from this occurrence, a time or a day."""
    begin = occurrence.value
    end = begin + (timedelta(days=1) if occurrence.is_date else timedelta(microseconds=1))
    return Meeting.objects.filter(
        continues=meeting, continues_from__gte=begin, continues_from__lt=end
    )


def with_earlier_parts(meeting_ids: Collection[int]) -> set[int]:
    """Return the meetings, and the series that they continue. One query for each generation."""
    found, added = set(meeting_ids), set(meeting_ids)
    while added:
        earlier = Meeting.objects.filter(continued_by__in=added).values_list("pk", flat=True)
        added = set(earlier) - found
        found |= added
    return found
