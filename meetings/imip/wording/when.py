"""When a meeting is, as a sentence in the language that is active in Django's translation.

Each phrase is translated as a whole, so that every language can put its words in its own order.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as formatted
from django.utils.translation import get_language, gettext, pgettext

from meetings.itip.event import Event
from meetings.itip.zones.names import UTC_NAME


def when_in_words(event: Event) -> str:
    """Return date and time of the meeting, of a series its first, in the event's own zone.

    ``Monday, 2 December 2019, 10:00–11:00 (Asia/Shanghai, UTC+08:00)``. If the clocks change during
    the meeting, both offsets are named. An all-day event has dates only: it is the same day in
    every zone.
    """
    if event.all_day:
        return _all_day(event.start.date(), event.end.date() - timedelta(days=1))
    pattern = (
        pgettext("from–to on one day", "%(date)s, %(start)s–%(end)s (%(zone)s)")
        if event.start.date() == event.end.date()
        else pgettext(
            "from–to on two days", "%(date)s, %(start)s – %(end_date)s, %(end)s (%(zone)s)"
        )
    )
    return pattern % {
        "date": _long_date(event.start.date()),
        "start": _clock(event.start),
        "end_date": _long_date(event.end.date()),
        "end": _clock(event.end),
        "zone": _zone(event),
    }


def date_in_words(day: date) -> str:
    """Return the day without its weekday: ``2 December 2019``."""
    return formatted(day, pgettext("date format", "j F Y"))


def _all_day(first: date, last: date) -> str:
    if first == last:
        return gettext("%(date)s, all day") % {"date": _long_date(first)}
    if (first.year, first.month) == (last.year, last.month):
        days = gettext("%(first)s–%(last)s, all day")
        first_format = pgettext("date format: first day of a range within a month", "j")
        last_format = pgettext("date format: last day of a range within a month", "j F Y")
    else:
        days = gettext("%(first)s – %(last)s, all day")
        first_format = last_format = pgettext("date format", "j F Y")
    return days % {"first": formatted(first, first_format), "last": formatted(last, last_format)}


def _long_date(day: date) -> str:
    return _long_date_in(get_language(), day)


@lru_cache(maxsize=1024)
def _long_date_in(_language: str | None, day: date) -> str:
    """Kept, because one mail names the same day several times, and many mails do."""
    return formatted(day, pgettext("date format with weekday", "l, j F Y"))


def _clock(time: datetime) -> str:
    return f"{time:%H:%M:%S}" if time.second else f"{time:%H:%M}"


def _zone(event: Event) -> str:
    if event.tzid == UTC_NAME:
        return UTC_NAME
    offsets = dict.fromkeys(_offset(event.tzid, time) for time in (event.start, event.end))
    return pgettext("zone and its offset", "%(zone)s, %(offset)s") % {
        "zone": event.tzid,
        "offset": " → ".join(offsets),
    }


def _offset(tzid: str, wall_clock: datetime) -> str:
    # What isoformat() writes behind the seconds. %z has no colon before Python 3.12.
    return "UTC" + wall_clock.replace(tzinfo=ZoneInfo(tzid), microsecond=0).isoformat()[19:]
