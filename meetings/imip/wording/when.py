"""An event's time and recurrence as a sentence, in the language that is active in Django's
translation.

For the readers whose mail program shows no calendar (interop M8). Each phrase is translated whole,
so that every language can put its words in its own order.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as formatted
from django.utils.dates import WEEKDAYS as WEEKDAY_NAMES
from django.utils.translation import gettext, ngettext, pgettext

from meetings.itip.event import Event
from meetings.itip.recurrence.rule import WEEKDAYS, Frequency, Rule
from meetings.itip.zones.names import UTC_NAME

_WORKDAYS, _WEEKEND = WEEKDAYS[:5], WEEKDAYS[5:]
_SHOWN = 20  # of a long list; the calendar has the rest


def when_in_words(event: Event) -> str:
    """Date and time of the (first) meeting in the event's own zone, with the zone's name and UTC
    offset.

    ``Monday, 2 December 2019, 10:00–11:00 (Asia/Shanghai, UTC+08:00)``. When the clocks change
    during the meeting both offsets are named. All-day events have dates only: they are a day,
    wherever it is lived.
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
        "date": _long_date(event.start),
        "start": _clock(event.start),
        "end_date": _long_date(event.end),
        "end": _clock(event.end),
        "zone": _zone(event),
    }


def recurrence_in_words(event: Event) -> str:
    """How the event repeats, how often or until when, and the days left out; empty for a single
    event.
    """
    rule = event.rule
    if rule is None:
        return ""
    parts = (_pattern(rule), _limit(rule, event.start), _left_out(event.left_out))
    return pgettext("between the parts of a recurrence", ", ").join(part for part in parts if part)


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
    return formatted(day, pgettext("date format with weekday", "l, j F Y"))


def _date(day: date) -> str:
    return formatted(day, pgettext("date format", "j F Y"))


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
    return "UTC" + wall_clock.replace(tzinfo=ZoneInfo(tzid), microsecond=0).isoformat()[19:]


def _pattern(rule: Rule) -> str:
    patterns = {
        Frequency.DAILY: _daily,
        Frequency.WEEKLY: _weekly,
        Frequency.MONTHLY: _monthly,
        Frequency.YEARLY: _yearly,
    }
    return patterns[rule.freq](rule)


def _daily(rule: Rule) -> str:
    interval = rule.interval
    if interval == 1:
        return gettext("every day")
    return ngettext("every %(interval)s day", "every %(interval)s days", interval) % {
        "interval": interval
    }


def _weekly(rule: Rule) -> str:
    if rule.interval > 1:
        pattern = ngettext(
            "every %(interval)s week on %(days)s",
            "every %(interval)s weeks on %(days)s",
            rule.interval,
        )
        return pattern % {"interval": rule.interval, "days": _weekly_days(rule.by_day)}
    if len(rule.by_day) == len(WEEKDAYS):
        return gettext("every day")
    if rule.by_day == _WORKDAYS:
        return gettext("every workday")
    return gettext("every %(days)s") % {"days": _weekly_days(rule.by_day)}


def _weekly_days(days: tuple[str, ...]) -> str:
    names = {
        "MO": pgettext("every week on", "Monday"),
        "TU": pgettext("every week on", "Tuesday"),
        "WE": pgettext("every week on", "Wednesday"),
        "TH": pgettext("every week on", "Thursday"),
        "FR": pgettext("every week on", "Friday"),
        "SA": pgettext("every week on", "Saturday"),
        "SU": pgettext("every week on", "Sunday"),
    }
    return _listed([names[day] for day in days])


def _monthly(rule: Rule) -> str:
    nth = _nth_day(rule)
    if rule.interval > 1:
        day = gettext("the %(nth_day)s") % {"nth_day": nth} if nth else _day_of_month(rule)
        pattern = ngettext(
            "every %(interval)s month on %(day)s",
            "every %(interval)s months on %(day)s",
            rule.interval,
        )
        return pattern % {"interval": rule.interval, "day": day}
    if nth:
        return gettext("every %(nth_day)s of the month") % {"nth_day": nth}
    return gettext("on %(day)s of every month") % {"day": _day_of_month(rule)}


def _yearly(rule: Rule) -> str:
    day = _day_of_year(rule)
    if rule.interval == 1:
        return gettext("every year on %(day)s") % {"day": day}
    pattern = ngettext(
        "every %(interval)s year on %(day)s", "every %(interval)s years on %(day)s", rule.interval
    )
    return pattern % {"interval": rule.interval, "day": day}


def _day_of_year(rule: Rule) -> str:
    a_day = date(2000, rule.by_month or 1, 1)  # of a leap year, so that 29 February has a name
    month = formatted(a_day, pgettext("date format: month", "F"))
    nth, number = _nth_day(rule), _number_of_day(rule)
    if nth:
        return gettext("the %(nth_day)s of %(month)s") % {"nth_day": nth, "month": month}
    if number < 0:
        return gettext("the last day of %(month)s") % {"month": month}
    return formatted(a_day.replace(day=number), pgettext("date format: day of the year", "j F"))


def _day_of_month(rule: Rule) -> str:
    number = _number_of_day(rule)
    if number < 0:
        return gettext("the last day")
    a_day = date(2000, 1, number)  # of a month that has every day there is
    return formatted(a_day, pgettext("date format: day of the month", r"\t\h\e jS"))


def _number_of_day(rule: Rule) -> int:
    """The day of the month, from its end when negative; of all seven weekdays the nth is the nth
    day.
    """
    return rule.by_set_pos or rule.by_month_day or 1


def _nth_day(rule: Rule) -> str:
    """``second Wednesday``, ``last workday``; empty for a rule that names a day by its number."""
    if rule.by_set_pos is None or len(rule.by_day) == len(WEEKDAYS):
        return ""
    ordinals = {
        1: gettext("first %(day)s"),
        2: gettext("second %(day)s"),
        3: gettext("third %(day)s"),
        4: gettext("fourth %(day)s"),
        -1: gettext("last %(day)s"),
    }
    return ordinals[rule.by_set_pos] % {"day": _kind_of_day(rule.by_day)}


def _kind_of_day(days: tuple[str, ...]) -> str:
    if days == _WORKDAYS:
        return gettext("workday")
    if days == _WEEKEND:
        return gettext("Saturday or Sunday")
    return str(WEEKDAY_NAMES[WEEKDAYS.index(days[0])])


def _limit(rule: Rule, start: datetime) -> str:
    if rule.count == 1:
        return gettext("once")
    if rule.count is not None:
        return ngettext("%(count)s time", "%(count)s times", rule.count) % {"count": rule.count}
    if rule.until is None:
        return ""
    # A limit earlier in the day than the meeting leaves that day out.
    last = rule.until if rule.until.time() >= start.time() else rule.until - timedelta(days=1)
    return gettext("until %(date)s") % {"date": _date(last)}


def _left_out(exdates: Sequence[datetime]) -> str:
    if not exdates:
        return ""
    days = [_date(day) for day in exdates[:_SHOWN]]
    if len(exdates) > _SHOWN:
        more = len(exdates) - _SHOWN
        days.append(ngettext("%(count)s more day", "%(count)s more days", more) % {"count": more})
    return gettext("except %(days)s") % {"days": _listed(days)}


def _listed(items: Sequence[str]) -> str:
    *firsts, last = items
    if not firsts:
        return last
    return pgettext("list", ", ").join(firsts) + pgettext("list, before the last", " and ") + last
