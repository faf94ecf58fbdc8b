"""Where a series was ended early, and what goes on from there."""

from collections.abc import Collection, Iterator, Mapping
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


def with_earlier_parts(meeting_ids: Collection[int]) -> dict[int, list[int]]:
    """Return each meeting with the series that it continues, itself first.

    One query for each generation.
    """
    continues: dict[int, int | None] = {}
    added = set(meeting_ids)
    while added:
        continues |= Meeting.objects.filter(pk__in=added).values_list("pk", "continues")
        added = {each for each in continues.values() if each} - continues.keys()
    return {each: list(_parts(each, continues)) for each in meeting_ids if each in continues}


def _parts(last: int, continues: Mapping[int, int | None]) -> Iterator[int]:
    part: int | None = last
    while part:
        yield part
        part = continues.get(part)
