"""How an event repeats, as a sentence in the language that is active in Django's translation.

Each phrase is translated as a whole, so that every language can put its words in its own order.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.utils.dateformat import format as formatted
from django.utils.dates import WEEKDAYS as WEEKDAY_NAMES
from django.utils.translation import gettext, ngettext, pgettext

from meetings.imip.wording.when import date_in_words
from meetings.itip.event import Event
from meetings.itip.recurrence.rule import WEEKDAYS, Frequency, Rule

_WORKDAYS, _WEEKEND = WEEKDAYS[:5], WEEKDAYS[5:]
_DAYS_SHOWN = 20  # the calendar part has all of them


def recurrence_in_words(event: Event) -> str:
    """Return how the event repeats, how often or until when, and the days that are left out.

    The text is empty for a single event.
    """
    rule = event.rule
    if rule is None:
        return ""
    parts = (_pattern(rule), _limit(rule, event.start), _left_out(event.left_out))
    return pgettext("between the parts of a recurrence", ", ").join(part for part in parts if part)


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
    a_day = date(2000, rule.by_month or 1, 1)  # a leap year, which has a 29 February
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
    a_day = date(2000, 1, number)  # a month of 31 days
    return formatted(a_day, pgettext("date format: day of the month", r"\t\h\e jS"))


def _number_of_day(rule: Rule) -> int:
    """The day of the month, counted from its end if negative.

    A rule of all seven weekdays names a day too: their nth in a month is the nth day.
    """
    return rule.by_set_pos or rule.by_month_day or 1


def _nth_day(rule: Rule) -> str:
    """``second Wednesday``, ``last workday``. Empty for a rule that names a day by its number."""
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
    # An UNTIL that is earlier in the day than the meeting excludes the meeting of that day.
    last = rule.until if rule.until.time() >= start.time() else rule.until - timedelta(days=1)
    return gettext("until %(date)s") % {"date": date_in_words(last)}


def _left_out(exdates: Sequence[datetime]) -> str:
    return gettext("except %(days)s") % {"days": days_in_words(exdates)} if exdates else ""


def days_in_words(times: Sequence[datetime]) -> str:
    """Return the days of ``times`` (at least one). A long list ends with the number of the rest."""
    days = [date_in_words(day) for day in times[:_DAYS_SHOWN]]
    if len(times) > _DAYS_SHOWN:
        more = len(times) - _DAYS_SHOWN
        days.append(ngettext("%(count)s more day", "%(count)s more days", more) % {"count": more})
    return _listed(days)


def _listed(items: Sequence[str]) -> str:
    *firsts, last = items
    if not firsts:
        return last
    return pgettext("list", ", ").join(firsts) + pgettext("list, before the last", " and ") + last
