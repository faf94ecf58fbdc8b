"""From a Message to text/calendar bytes that Outlook, Gmail, Apple and Nextcloud accept.

The properties are those of RFC 5546 §3.2, written as RFC 5545 §3 says. The components come from
icalendar, but the content of the VTIMEZONE does not: Outlook ignores half of what icalendar would
put there (interop Z1).
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

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
from icalendar.parser import Contentline

from meetings.itip.event import Attendee, Event, Organizer, PartStat, Role
from meetings.itip.ical.zone import has_tzid, zone_parts
from meetings.itip.message import Message, Method
from meetings.itip.recurrence.expansion import occurrences
from meetings.itip.recurrence.rule import Rule
from meetings.itip.zones.vtimezone import Kind, Observance

_BEGIN: Final = b"BEGIN:VEVENT\r\n"
_END: Final = b"END:VEVENT\r\n"
_WIDTH: Final = 74  # octets, and the space that a continued line begins with

PRODID: Final = "-//Meeting Server//Meeting Server 1.0//EN"

# RFC 5545 §3.1 forbids these in a text, or some readers take them for the end of a line. TAB, LF
# and CR are not among them: icalendar escapes line breaks.
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def to_ical(message: Message) -> bytes:
    """Return ``message`` as an iCalendar object: UTF-8, CRLF, folded lines (interop P1, P2).

    It has exactly one VEVENT. It also has the VTIMEZONE that its times need, even if the method is
    CANCEL (interop Z5).
    """
    # The VTIMEZONE is kept as bytes, so the parts are joined as bytes too.
    head, tail = _vcalendar(message.method)
    return b"".join((head, _vtimezone(message), _vevent(message), tail))


@lru_cache
def _vcalendar(method: Method) -> tuple[bytes, bytes]:
    """What comes before the components, and what comes after them."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODID)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method.value)
    head, end, tail = calendar.to_ical().partition(b"END:VCALENDAR")
    return head, end + tail


def content_lines(component: Component) -> bytes:
    """Return what ``component.to_ical()`` returns, sooner.

    icalendar folds character by character. For 1,000 ATTENDEEs that is a third of the time that
    it takes to make their mail.
    """
    lines = filter(None, component.content_lines())
    return b"".join(_folded(line) + b"\r\n" for line in lines)


def _folded(line: Contentline) -> bytes:
    """RFC 5545 §3.1: 75 octets at most. As icalendar does, an escape is not cut in two."""
    if not line.isascii():
        return bytes(line.to_ical())  # type: ignore[no-untyped-call]
    parts, begin = [], 0
    while len(line) - begin > _WIDTH:
        end = begin + _WIDTH
        end -= line[end - 1] in r"\^"
        parts.append(line[begin:end])
        begin = end
    return "\r\n ".join((*parts, line[begin:])).encode()


def _vevent(message: Message) -> bytes:
    event = message.event
    vevent = VEvent()
    vevent.add("uid", event.uid)
    vevent.add("dtstamp", message.dtstamp)
    vevent.add("sequence", event.sequence)
    vevent.add("summary", _text(event.summary))
    _add_times(vevent, event)
    vevent.add("organizer", _cal_address(event.organizer), encode=False)
    vevent.add("class", "PUBLIC")
    if event.description:
        vevent.add("description", _text(event.description))
    if event.location:
        vevent.add("location", _text(event.location))
    if message.comment:
        vevent.add("comment", _text(message.comment))
    if message.method is Method.REQUEST:
        _add_request(vevent, event)
        fixed, alarm = _fixed_of_request(event.all_day, _insttype(event)), _valarm(event.reminder)
    else:
        _add_cancel(vevent, message)
        fixed, alarm = _fixed_of_cancel(message.uninvites), b""
    return b"".join((_BEGIN, _properties(vevent), fixed, alarm, _END))


def _properties(vevent: VEvent) -> bytes:
    return content_lines(vevent).removeprefix(_BEGIN).removesuffix(_END)


def _add_times(vevent: VEvent, event: Event) -> None:
    _add_time(vevent, "dtstart", event.start, event)
    _add_time(vevent, "dtend", event.end, event)
    if event.recurrence_id is not None:
        _add_time(vevent, "recurrence-id", event.recurrence_id, event)


def _add_time(vevent: VEvent, name: str, value: datetime, event: Event) -> None:
    if event.all_day:
        vevent.add(name, value.date(), parameters={"VALUE": "DATE"})
    elif has_tzid(event):
        vevent.add(name, value, parameters={"TZID": event.tzid})
    else:
        vevent.add(name, value.replace(tzinfo=UTC))


def _add_request(vevent: VEvent, event: Event) -> None:
    """What only a REQUEST has (RFC 5546 §3.2.2)."""
    for attendee in event.attendees:
        vevent.add("attendee", _invited(attendee), encode=False)
    if event.rule is not None:
        vevent.add("rrule", vRecur.from_ical(_rrule(event, event.rule)))
        for left_out in event.left_out:
            _add_time(vevent, "exdate", left_out, event)


@lru_cache
def _fixed_of_request(all_day: bool, insttype: str) -> bytes:
    """The last properties: the same in all meetings of a kind, so they are made once.

    They are Outlook's, too (interop P7, P9, P12). Outlook would read X-MICROSOFT-CDO-APPT-SEQUENCE
    instead of SEQUENCE (P13), so it is left out.
    """
    vevent = VEvent()
    vevent.add("priority", 5)
    vevent.add("status", "CONFIRMED")
    vevent.add("transp", "OPAQUE")
    vevent.add("x-microsoft-cdo-alldayevent", str(all_day).upper())
    vevent.add("x-microsoft-cdo-busystatus", "TENTATIVE")
    vevent.add("x-microsoft-cdo-importance", "1")
    vevent.add("x-microsoft-cdo-insttype", insttype)
    vevent.add("x-microsoft-cdo-intendedstatus", "BUSY")
    vevent.add("x-microsoft-disallow-counter", "TRUE")
    return _properties(vevent)


def _insttype(event: Event) -> str:
    """X-MICROSOFT-CDO-INSTTYPE: 0 for a single meeting, 1 series, 3 exception (interop P12)."""
    if event.recurrence_id is not None:
        return "3"
    return "0" if event.rule is None else "1"


def _add_cancel(vevent: VEvent, message: Message) -> None:
    """What only a CANCEL has (RFC 5546 §3.2.5)."""
    for attendee in message.recipients:
        vevent.add("attendee", _cal_address(attendee, ROLE=attendee.role.value), encode=False)


@lru_cache
def _fixed_of_cancel(uninvites: bool) -> bytes:
    """The last properties.

    STATUS would say that the whole meeting is cancelled. A CANCEL that only uninvites its
    recipients must not have it (interop P8).
    """
    vevent = VEvent()
    vevent.add("priority", 5)
    if not uninvites:
        vevent.add("status", "CANCELLED")
    vevent.add("transp", "TRANSPARENT")
    vevent.add("x-microsoft-cdo-busystatus", "FREE")
    vevent.add("x-microsoft-cdo-intendedstatus", "FREE")
    return _properties(vevent)


@lru_cache(maxsize=4096)
def _invited(attendee: Attendee) -> vCalAddress:
    """ATTENDEE of a REQUEST (interop P15). RSVP asks only those who have not replied (A4).

    Kept, because a large meeting has the same people in many mails.
    """
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
    """``text`` without control characters (interop P11)."""
    return _FORBIDDEN.sub("", text)


def _parameter_text(text: str) -> str:
    """``text`` without characters that icalendar would escape as in RFC 6868 (interop P17).

    Old clients show those escapes to the reader.
    """
    plain = text.replace('"', "'").replace("^", "")
    return "".join(character for character in plain if character.isprintable())


def _rrule(event: Event, rule: Rule) -> str:
    """The RRULE; its UNTIL is in UTC, or a DATE if DTSTART is (RFC 5545 §3.3.10, interop R6)."""
    if rule.until is None:
        return str(rule)
    last = occurrences(rule, event.start)[-1]
    until = f"{last:%Y%m%d}" if event.all_day else f"{event.instant(last):%Y%m%dT%H%M%SZ}"
    return f"{replace(rule, until=None)};UNTIL={until}"


@lru_cache
def _valarm(minutes: int | None) -> bytes:
    """A reminder before the start, as Exchange writes it (interop P19); nothing without one."""
    if minutes is None:
        return b""
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", "REMINDER")
    alarm.add("trigger", timedelta(minutes=-minutes), parameters={"RELATED": "START"})
    return content_lines(alarm)


def _vtimezone(message: Message) -> bytes:
    event = message.event
    return _vtimezone_bytes(event.tzid, zone_parts(message)) if has_tzid(event) else b""


@lru_cache(maxsize=1024)
def _vtimezone_bytes(tzid: str, parts: tuple[Observance, ...]) -> bytes:
    """Many meetings share their zone and its rules, so the bytes are kept."""
    zone = VTimezone()
    zone.add("tzid", tzid)
    for part in parts:
        zone.add_component(_observance(part))
    return bytes(zone.to_ical())


def _observance(part: Observance) -> Component:
    component = TimezoneDaylight() if part.kind is Kind.DAYLIGHT else TimezoneStandard()
    component.add("dtstart", part.onset)
    component.add("tzoffsetfrom", vUTCOffset(part.offset_from))
    component.add("tzoffsetto", vUTCOffset(part.offset_to))
    component.add("tzname", part.name)
    if part.rule is not None:
        component.add("rrule", vRecur.from_ical(part.rule))
    return component
