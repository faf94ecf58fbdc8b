"""Checked parameters → the Event that they mean, whole for a send, on top of the held one for an
update.

All that concerns more than one parameter is decided here: zone, order of the times, recurrence.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings

from meetings.api.reading.exdates import read_exdates
from meetings.api.reading.fields import Mailbox, Moment
from meetings.api.reading.repeat import read_rule, rule_part
from meetings.itip.errors import InvalidProperty
from meetings.itip.event import Attendee, Event, Organizer, Role
from meetings.itip.occurrence import carried_over
from meetings.itip.organizer import require_organizer
from meetings.itip.recurrence.rule import (
    FIRST_YEAR,
    HORIZON,
    Rule,
    check_series,
    check_wall_clock,
    first_match,
)

_ROLES = {"required": Role.REQUIRED, "optional": Role.OPTIONAL, "resource": Role.NON_PARTICIPANT}
_ANY_TIME = datetime(1970, 1, 1)


def new_event(values: dict[str, Any], warnings: list[str]) -> Event:
    """The Event of a send; its uid is a new UUID4 when none was given. Adds to ``warnings``. Raises
    InvalidProperty.
    """
    sender: Mailbox = values["sender"]
    blank = Event(
        uid=values.get("uid") or str(uuid4()),
        summary=values["subj"],
        start=_ANY_TIME,
        end=_ANY_TIME,
        tzid=settings.MEETINGS_TIME_ZONE,
        organizer=Organizer(address=sender.address, name=sender.name),
        attendees=(),
    )
    return changed_event(blank, values, warnings)


def changed_event(held: Event, values: dict[str, Any], warnings: list[str]) -> Event:
    """``held`` with what was given; what is absent keeps its value. Adds to ``warnings``.

    Raises InvalidProperty for what no calendar can hold, OrganizerMismatch for another sender.
    """
    if "sender" in values:
        require_organizer(held, values["sender"].address)
    plain = {
        "summary": "subj",
        "description": "description",
        "location": "location",
        "reminder": "reminder",
    }
    given = {name: values[parameter] for name, parameter in plain.items() if parameter in values}
    if "receiver" in values:
        given["attendees"] = _attendees(values["receiver"])
    wanted = _timed(replace(held, **given), values, warnings)
    kept = carried_over(held, wanted)
    if (held.cancelled or held.overrides) and not (kept.cancelled or kept.overrides):
        warnings.append(
            "The time or rule is new: occurrences that were changed or cancelled alone are as all others."
        )
    return wanted


def located(moment: Moment) -> Callable[[Event], datetime]:
    """What finds, in a held event, the wall-clock start that ``moment`` means; a date means that
    day's occurrence.
    """

    def locate(held: Event) -> datetime:
        if not moment.is_date:
            return _wall_clock("occurrence", moment, held.tzid)
        of_that_day = (
            start
            for start in (*held.occurrences, *held.left_out)
            if start.date() == moment.value.date()
        )
        return next(of_that_day, moment.value)

    return locate


def past_warnings(event: Event, now: datetime) -> list[str]:
    """A warning when the meeting's last occurrence has ended before ``now`` (aware)."""
    over = event.instant(event.occurrences[-1] + (event.end - event.start)) < now
    return ["This meeting is in the past."] if over else []


def _attendees(receiver: dict[str, list[Mailbox]]) -> tuple[Attendee, ...]:
    return tuple(
        Attendee(address=mailbox.address, name=mailbox.name, role=role)
        for name, role in _ROLES.items()
        for mailbox in receiver[name]
    )


def _timed(event: Event, values: dict[str, Any], warnings: list[str]) -> Event:
    if not values.keys() & {"start", "end", "timezone", "repeat"}:
        return event
    tzid = values.get("timezone", event.tzid)
    start, end, all_day = _times(event, values, tzid)
    if end <= start:
        raise InvalidProperty("end", f"Must be after the start, {start:%Y-%m-%d %H:%M}.")
    event = replace(event, start=start, end=end, tzid=tzid, all_day=all_day)
    return _repeated(event, values, warnings) if "repeat" in values or event.rule else _once(event)


def _times(event: Event, values: dict[str, Any], tzid: str) -> tuple[datetime, datetime, bool]:
    """Start and exclusive end, wall-clock in ``tzid``, and whether they are whole days."""
    start: Moment | None = values.get("start")
    end: Moment | None = values.get("end")
    all_day, ends_all_day = (moment.is_date if moment else event.all_day for moment in (start, end))
    if all_day is not ends_all_day:
        raise InvalidProperty("end", "start and end must both be times, or both be dates.")
    return (
        event.start if start is None else _wall_clock("start", start, tzid),
        event.end if end is None else _wall_clock("end", end, tzid) + timedelta(days=all_day),
        all_day,
    )


def _wall_clock(name: str, moment: Moment, tzid: str) -> datetime:
    """``moment`` on the clocks of ``tzid``; a time with an offset is an instant, and must still be
    one afterwards.
    """
    if moment.value.tzinfo is None:
        return moment.value
    local = moment.value.astimezone(ZoneInfo(tzid)).replace(tzinfo=None, fold=0)
    if not FIRST_YEAR <= local.year <= HORIZON.year:
        raise InvalidProperty(
            name, f"Must lie between the years {FIRST_YEAR} and {HORIZON.year} in {tzid}."
        )
    if local.replace(tzinfo=ZoneInfo(tzid)).astimezone(UTC) != moment.value.astimezone(UTC):
        raise InvalidProperty(
            name, f"{local:%Y-%m-%d %H:%M} happens twice in {tzid}, and this is the second time."
        )
    return local


def _once(event: Event) -> Event:
    if not event.all_day:
        check_wall_clock("start", event.start, event.tzid)
        check_wall_clock("end", event.end, event.tzid)
    return event


def _repeated(event: Event, values: dict[str, Any], warnings: list[str]) -> Event:
    """The series, its start moved to the first match with the end beside it (interop R1)."""
    rule, left_out = event.rule, values.get("repeat")
    if "repeat" in values:
        rule, cautions = read_rule(
            left_out, start=event.start, tzid=event.tzid, all_day=event.all_day
        )
        warnings.extend(cautions)
    if rule is None:
        return _once(replace(event, rule=None, exdates=()))
    exdates = _exdates(event, rule, values, warnings)
    start = first_match(rule, event.start)
    if start != event.start and "repeat" not in values:
        warnings.append(
            f"repeat: the rule is as before, so the series starts at {start:%Y-%m-%d %H:%M}: {rule}."
        )
    series = replace(
        event, rule=rule, start=start, end=event.end + (start - event.start), exdates=exdates
    )
    check_series(
        series.occurrences,
        duration=series.end - series.start,
        tzid=series.tzid,
        all_day=series.all_day,
    )
    return series


def _exdates(
    event: Event, rule: Rule, values: dict[str, Any], warnings: list[str]
) -> tuple[datetime, ...]:
    """The days left out: those given; with a new time or zone alone none, which the answer says
    (interop R15).
    """
    if "repeat" in values:
        excluded = rule_part(values["repeat"], "EXDATE")
        return read_exdates(
            excluded, rule=rule, start=event.start, tzid=event.tzid, all_day=event.all_day
        )
    if event.exdates and "start" in values:
        warnings.append("repeat.EXDATE: the series was moved, and no day is left out any more.")
        return ()
    return event.exdates
