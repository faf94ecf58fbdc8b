"""The times of a message that its VTIMEZONE has to be right for (interop Z3).

A new law can reach a zone when a series is stored already. Such a series is not refused any more,
because it must still be possible to cancel it, or to give it another title. Its messages say the
best that a VTIMEZONE can say.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from meetings.itip.event import Event
from meetings.itip.message import Message, Method, Note, NoteKind
from meetings.itip.recurrence.expansion import occurrences
from meetings.itip.zones.names import UTC_NAME
from meetings.itip.zones.refusal import first_not_exact, require_exact
from meetings.itip.zones.vtimezone import Observance, exact_observances, observances

# Times in these zones end with Z and have no TZID (interop Z6). Requests are read with UTC_NAME
# only, but the setting MEETINGS_TIME_ZONE may have the other name.
UTC_NAMES: Final = frozenset({UTC_NAME, "Etc/UTC"})

Span = tuple[datetime, datetime]
"""A start and an end on the wall clock."""


def has_tzid(event: Event) -> bool:
    """Whether the event's times name a zone. Dates do not, and times in UTC end with Z."""
    return not event.all_day and event.tzid not in UTC_NAMES


def zone_parts(message: Message) -> tuple[Observance, ...]:
    """Return the content of the VTIMEZONE of ``message``, whose event must have a TZID.

    A TZID must mean the same in all messages of a UID, so it is right for the whole series and for
    the message's own times. If no pair of annual rules is right for all of them, the series gives
    way: to the times that the message names, or, in the REQUEST of a series, to the occurrences
    that are not over at DTSTAMP, the next ones before later ones.
    """
    event = message.event
    everything = _times(_spans(event))
    if parts := exact_observances(event.tzid, everything):
        return parts
    if event.rule is None or message.method is Method.CANCEL:
        return observances(event.tzid, _times(_own_spans(event)))
    ahead = _not_over(_spans(event), event.tzid, message.dtstamp)
    return observances(event.tzid, _times(ahead) or everything)


def is_expressible(event: Event, *, since: datetime | None = None) -> bool:
    """Whether one VTIMEZONE is right for all times of ``event``.

    With ``since`` (aware), what is over by then does not count. One occurrence as an event is
    judged together with its series.
    """
    spans = _spans(event)
    if since is not None:
        spans = _not_over(spans, event.tzid, since)
    return not has_tzid(event) or not spans or _are_exact(event.tzid, spans)


def zone_notes(series: Event, now: datetime) -> tuple[Note, ...]:
    """A note where a REQUEST of the stored ``series`` is not right for all that is ahead.

    It names the first occurrence that calendars may show at a wrong time. ``now`` is aware.
    """
    if series.rule is None or is_expressible(series) or is_expressible(series, since=now):
        return ()
    found = first_not_exact(series.tzid, _not_over(_spans(series), series.tzid, now))
    return () if found is None else (Note(NoteKind.ZONE_NOT_EXPRESSIBLE, start=found[0]),)


def require_expressible(event: Event) -> None:
    """Raise ZoneNotExpressible unless one VTIMEZONE is right for all times of ``event``.

    To be called where somebody chooses times, a zone or a rule. One occurrence as an event is
    refused if it does not fit its series. If the series alone is at fault it is accepted, because
    its own messages are right.
    """
    at_fault = event.part_of is not None and not is_expressible(event.part_of)
    if has_tzid(event) and not at_fault:
        require_exact(event.tzid, _spans(event))


def _spans(event: Event) -> list[Span]:
    """All that the rule gives, days left out too, and what became of one occurrence."""
    whole = event.part_of or event
    starts = (whole.start,) if whole.rule is None else occurrences(whole.rule, whole.start)
    return [*((start, start + whole.duration) for start in starts), *_own_spans(event)]


def _own_spans(event: Event) -> list[Span]:
    """The times that a message about ``event`` names beside a rule."""
    when = event.recurrence_id
    return [(event.start, event.end), *([] if when is None else [(when, when)])]


def _not_over(spans: Iterable[Span], tzid: str, now: datetime) -> list[Span]:
    local = now.astimezone(ZoneInfo(tzid)).replace(tzinfo=None)
    return [(start, end) for start, end in spans if end > local]


def _times(spans: Iterable[Span]) -> tuple[datetime, ...]:
    return tuple(sorted({time for span in spans for time in span}))


def _are_exact(tzid: str, spans: Iterable[Span]) -> bool:
    return exact_observances(tzid, _times(spans)) is not None
