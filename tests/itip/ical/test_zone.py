"""Series that no VTIMEZONE describes: refused when they are made, and kept once they are stored.

In 2026 Morocco leaves daylight saving time for Ramadan, returns to it, and gives it up for good on
20 September. A series over all of that year is stored, as if the law had come after it.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from meetings.itip import organizer
from meetings.itip.errors import ZoneNotExpressible
from meetings.itip.event import Event, Override
from meetings.itip.ical.zone import is_expressible, require_expressible, zone_notes
from meetings.itip.message import Message
from meetings.itip.occurrence import occurrence_of
from tests.support.cast import MONDAYS, meeting, messages, request
from tests.support.readers.content_lines import lines
from tests.support.readers.vtimezone_reader import offset_read, parts_of

HOUR = timedelta(hours=1)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
FIRST = datetime(2026, 1, 5, 10)
LAST_THAT_FITS = datetime(2026, 9, 14, 10)
AFTERWARDS = datetime(2026, 10, 5, 10)


def casablanca(count: int, *overrides: Override) -> Event:
    """``count`` Mondays from 5 January 2026, 10:00 to 11:00."""
    return meeting(
        tzid="Africa/Casablanca",
        start=FIRST,
        end=FIRST + HOUR,
        rule=replace(MONDAYS, count=count),
        overrides=overrides,
    )


BROKEN = casablanca(52)


def wrong(message: Message, times: Iterable[datetime]) -> list[datetime]:
    """Those of ``times`` that a reader of the message's VTIMEZONE gets wrong."""
    parts, zone = parts_of(lines(message)), ZoneInfo(message.event.tzid)
    return [t for t in times if offset_read(parts, t) != t.replace(tzinfo=zone).utcoffset()]


def both_ends(event: Event) -> tuple[datetime, datetime]:
    return event.start, event.end


def renamed(event: Event, now: datetime) -> Message:
    renamed_event = organizer.update(event, replace(event, summary="Tea"), now=now)
    [message] = messages(renamed_event, event, now=now)
    return message


def test_new_series_is_refused_with_the_day_to_end_before() -> None:
    with pytest.raises(
        ZoneNotExpressible, match=r"change in 2026 .* End the series before 2026-09-21"
    ):
        require_expressible(BROKEN)
    require_expressible(casablanca(37))
    assert not is_expressible(BROKEN)
    assert is_expressible(casablanca(37))


def test_zone_does_not_matter_to_days_and_to_utc() -> None:
    days = replace(BROKEN, all_day=True, start=datetime(2026, 1, 5), end=datetime(2026, 1, 6))
    for event in (days, replace(BROKEN, tzid="UTC"), replace(BROKEN, tzid="Etc/UTC")):
        assert is_expressible(event)
        require_expressible(event)


def test_occurrences_that_are_over_do_not_count() -> None:
    assert not is_expressible(BROKEN, since=JANUARY)
    assert is_expressible(BROKEN, since=OCTOBER)
    assert is_expressible(BROKEN, since=datetime(2030, 1, 1, tzinfo=UTC))


def test_series_is_noted_with_the_first_day_ahead_that_is_wrong() -> None:
    [note] = zone_notes(BROKEN, JANUARY)
    assert note.start == datetime(2026, 9, 21, 10)
    assert zone_notes(BROKEN, OCTOBER) == zone_notes(casablanca(37), JANUARY) == ()
    assert zone_notes(replace(BROKEN, rule=None), JANUARY) == ()
    assert zone_notes(replace(BROKEN, tzid="UTC"), JANUARY) == ()


def test_stored_series_is_right_up_to_the_change_that_does_not_fit() -> None:
    message = renamed(BROKEN, JANUARY)
    assert min(wrong(message, BROKEN.occurrences)) > LAST_THAT_FITS


def test_stored_series_is_right_for_all_that_is_ahead() -> None:
    ahead = [start for start in BROKEN.occurrences if start > datetime(2026, 10, 1)]
    assert wrong(renamed(BROKEN, OCTOBER), ahead) == []


def test_stored_series_that_is_over_can_be_renamed() -> None:
    message = renamed(BROKEN, datetime(2030, 1, 1, tzinfo=UTC))
    assert wrong(message, (FIRST, LAST_THAT_FITS)) == []


def test_stored_series_can_be_cancelled() -> None:
    for message in messages(organizer.cancel(BROKEN), BROKEN, now=JANUARY):
        assert wrong(message, both_ends(BROKEN)) == []


@pytest.mark.parametrize("when", [FIRST, datetime(2026, 3, 2, 10), LAST_THAT_FITS, AFTERWARDS])
def test_each_occurrence_of_a_stored_series_can_be_cancelled(when: datetime) -> None:
    for message in messages(organizer.cancel_occurrence(BROKEN, when), BROKEN, now=JANUARY):
        assert wrong(message, (when, when + HOUR)) == []


@pytest.mark.parametrize("when", [FIRST, datetime(2026, 3, 2, 10), LAST_THAT_FITS, AFTERWARDS])
def test_each_occurrence_of_a_stored_series_can_be_moved(when: datetime) -> None:
    moved = Override(recurrence_id=when, start=when + HOUR, end=when + 3 * HOUR)
    occurrence = occurrence_of(casablanca(52, moved), when)
    require_expressible(occurrence)
    assert wrong(replace(request(), event=occurrence), (when, *both_ends(occurrence))) == []


def test_occurrence_that_does_not_fit_its_series_is_refused() -> None:
    when = datetime(2026, 5, 18, 10)
    moved = Override(recurrence_id=when, start=AFTERWARDS, end=AFTERWARDS + HOUR)
    series = casablanca(20, moved)
    require_expressible(series)
    with pytest.raises(ZoneNotExpressible, match="End the series before 2026-10-05"):
        require_expressible(occurrence_of(series, when))
    message = replace(request(), event=occurrence_of(series, when))
    assert wrong(message, (when, AFTERWARDS, AFTERWARDS + HOUR)) == []


def test_end_of_a_changed_occurrence_counts_too() -> None:
    when = datetime(2026, 2, 2, 10)
    in_ramadan = datetime(2026, 2, 20, 10)
    occurrence = occurrence_of(casablanca(5, Override(recurrence_id=when, end=in_ramadan)), when)
    assert wrong(replace(request(), event=occurrence), both_ends(occurrence)) == []


def test_z3_all_messages_of_a_series_have_one_vtimezone() -> None:
    series = casablanca(20)
    when = datetime(2026, 3, 2, 10)
    cancelled = messages(organizer.cancel_occurrence(series, when), series, now=JANUARY)
    every = [renamed(series, JANUARY), *cancelled, *messages(organizer.cancel(series), series)]
    assert len({tuple(map(str, parts_of(lines(message)))) for message in every}) == 1
    assert wrong(every[0], series.occurrences) == []
