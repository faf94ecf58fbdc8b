"""Message → text/calendar bytes (RFC 5545 §3), in the form that Outlook, Gmail, Apple and Nextcloud
accept.

The only user of icalendar's components. The VTIMEZONE is ours (interop Z1 says why it cannot be
icalendar's own): it is written once per zone and pair of rules, and kept.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from icalendar import (
    Alarm,
    Calendar,
    Component,
    TimezoneDaylight,
    TimezoneStandard,
    vCalAddress,
    vRecur,
    vUTCOffset,
)
from icalendar import Event as VEvent
from icalendar import Timezone as VTimezone

from meetings.itip.event import Attendee, Event, Organizer, PartStat, Role
from meetings.itip.message import Message, Method
from meetings.itip.recurrence.expansion import occurrences
from meetings.itip.recurrence.rule import Rule
from meetings.itip.zones.vtimezone import Observance, observances

PRODID = "-//Meeting Server//Meeting Server 1.0//EN"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UTC_ZONES = {"UTC", "Etc/UTC"}  # written as ...Z and never as a TZID (interop Z6)


def to_ical(message: Message, *, prodid: str = PRODID) -> bytes:
    """The iCalendar object of ``message``: UTF-8, CRLF, folded (RFC 5545 §3.1; interop P1, P2).

    Exactly one VEVENT, and the VTIMEZONE that is right for each of its times, in a CANCEL too
    (interop Z5). Raises ZoneNotExpressible when no such VTIMEZONE exists.
    """
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", prodid)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", message.method.value)
    head, tail = calendar.to_ical().split(b"END:VCALENDAR", 1)
    return b"".join(
        (head, _vtimezone(message.event), _vevent(message).to_ical(), b"END:VCALENDAR", tail)
    )


def _vevent(message: Message) -> VEvent:
    event = message.event
    vevent = VEvent()
    vevent.add("uid", event.uid)
    vevent.add("dtstamp", message.dtstamp)
    vevent.add("sequence", event.sequence)
    vevent.add("summary", _text(event.summary))
    _add_times(vevent, event)
    vevent.add("organizer", _cal_address(event.organizer), encode=False)
    vevent.add("class", "PUBLIC")
    vevent.add("priority", 5)
    if event.description:
        vevent.add("description", _text(event.description))
    if event.location:
        vevent.add("location", _text(event.location))
    if message.method is Method.REQUEST:
        _add_request(vevent, event)
    else:
        _add_cancel(vevent, message)
    return vevent


def _add_times(vevent: VEvent, event: Event) -> None:
    for name, value in (
        ("dtstart", event.start),
        ("dtend", event.end),
        ("recurrence-id", event.recurrence_id),
    ):
        if value is not None:
            _add_time(vevent, name, value, event)


def _add_time(vevent: VEvent, name: str, value: datetime, event: Event) -> None:
    if event.all_day:
        vevent.add(name, value.date(), parameters={"VALUE": "DATE"})
    elif event.tzid in _UTC_ZONES:
        vevent.add(name, value.replace(tzinfo=UTC))
    else:
        vevent.add(name, value, parameters={"TZID": event.tzid})


def _add_request(vevent: VEvent, event: Event) -> None:
    """The rows of RFC 5546 §3.2.2 and Outlook's own block (interop P7, P9, P12; no APPT-SEQUENCE:
    P13).
    """
    for attendee in event.attendees:
        vevent.add("attendee", _requested(attendee), encode=False)
    if event.rule is not None:
        vevent.add("rrule", vRecur.from_ical(_rrule(event, event.rule)))
        for left_out in event.left_out:
            _add_time(vevent, "exdate", left_out, event)
    vevent.add("status", "CONFIRMED")
    vevent.add("transp", "OPAQUE")
    vevent.add("x-microsoft-cdo-alldayevent", str(event.all_day).upper())
    vevent.add("x-microsoft-cdo-busystatus", "TENTATIVE")
    vevent.add("x-microsoft-cdo-importance", "1")
    vevent.add("x-microsoft-cdo-insttype", _insttype(event))
    vevent.add("x-microsoft-cdo-intendedstatus", "BUSY")
    vevent.add("x-microsoft-disallow-counter", "TRUE")
    if event.reminder is not None:
        vevent.add_component(_valarm(event.reminder))


def _insttype(event: Event) -> str:
    """Single, series, or an exception of a series (interop P12)."""
    if event.recurrence_id is not None:
        return "3"
    return "0" if event.rule is None else "1"


def _add_cancel(vevent: VEvent, message: Message) -> None:
    """The rows of RFC 5546 §3.2.5: no STATUS when only uninviting somebody (interop P8), never a
    VALARM.
    """
    for attendee in message.recipients:
        vevent.add("attendee", _cal_address(attendee, ROLE=attendee.role.value), encode=False)
    if message.comment:
        vevent.add("comment", _text(message.comment))
    if not message.uninvites:
        vevent.add("status", "CANCELLED")
    vevent.add("transp", "TRANSPARENT")
    vevent.add("x-microsoft-cdo-busystatus", "FREE")
    vevent.add("x-microsoft-cdo-intendedstatus", "FREE")


def _requested(attendee: Attendee) -> vCalAddress:
    """ATTENDEE of a REQUEST (interop P15, A4): whoever has answered is not asked again."""
    is_resource = attendee.role is Role.NON_PARTICIPANT
    return _cal_address(
        attendee,
        CUTYPE="RESOURCE" if is_resource else "INDIVIDUAL",
        PARTSTAT=attendee.partstat.value,
        ROLE=attendee.role.value,
        RSVP=str(attendee.partstat is PartStat.NEEDS_ACTION).upper(),
    )


def _cal_address(person: Attendee | Organizer, **parameters: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{person.address}")
    name = _parameter_text(person.name)
    if name:
        address.params["CN"] = name
    address.params.update(parameters)
    return address


def _text(text: str) -> str:
    """``text`` without what RFC 5545 §3.1 forbids and what some readers take for the end of a line
    (interop P11).
    """
    return _CONTROL.sub("", text)


def _parameter_text(text: str) -> str:
    """``text`` without what old clients show as RFC 6868 escapes (interop P17)."""
    return "".join(
        character
        for character in text.replace('"', "'").replace("^", "")
        if character.isprintable()
    )


def _rrule(event: Event, rule: Rule) -> str:
    """The rule as it is sent: UNTIL in UTC, or a DATE when DTSTART is one (RFC 5545 §3.3.10,
    interop R6).
    """
    if rule.until is None:
        return str(rule)
    last = occurrences(rule, event.start)[-1]
    until = f"{last:%Y%m%d}" if event.all_day else f"{event.instant(last):%Y%m%dT%H%M%SZ}"
    return f"{replace(rule, until=None)};UNTIL={until}"


def _valarm(minutes: int) -> Alarm:
    """The reminder as Exchange writes it (interop P19)."""
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", "REMINDER")
    alarm.add("trigger", timedelta(minutes=-minutes), parameters={"RELATED": "START"})
    return alarm


def _vtimezone(event: Event) -> bytes:
    if event.all_day or event.tzid in _UTC_ZONES:
        return b""
    # An occurrence has the VTIMEZONE of its series: a TZID means one thing in all messages of a
    # UID.
    whole = event.part_of or event
    starts = (whole.start,) if whole.rule is None else occurrences(whole.rule, whole.start)
    moved = () if event.start in starts else (event.start,)
    return _vtimezone_bytes(
        event.tzid, observances(event.tzid, (*starts, *moved), duration=whole.end - whole.start)
    )


@lru_cache(maxsize=1024)
def _vtimezone_bytes(tzid: str, parts: tuple[Observance, ...]) -> bytes:
    zone = VTimezone()
    zone.add("tzid", tzid)
    for part in parts:
        zone.add_component(_observance(part))
    return bytes(zone.to_ical())


def _observance(part: Observance) -> Component:
    component = TimezoneDaylight() if part.kind == "DAYLIGHT" else TimezoneStandard()
    component.add("dtstart", part.onset)
    component.add("tzoffsetfrom", vUTCOffset(part.offset_from))
    component.add("tzoffsetto", vUTCOffset(part.offset_to))
    component.add("tzname", part.name)
    if part.rule is not None:
        component.add("rrule", vRecur.from_ical(part.rule))
    return component
