"""What a calendar program takes from a mail: one iTIP message, or the reason why there is none.

Written from RFC 5545, RFC 5546, RFC 6047 and docs/interop.md. It imports nothing of the project,
so that it can judge what the project writes. ``NotAnInvitation`` means that some program that
people use would show no invitation here, or a wrong one.
"""

import email
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email import policy
from email.message import MIMEPart
from email.utils import parseaddr
from io import StringIO
from typing import NamedTuple

from vobject.base import getLogicalLines, parseLine
from vobject.icalendar import stringToTextValues

from tests.support.readers.vtimezone_reader import ReadPart, offset_read, parts_of

# An instant in UTC, or a day of an all-day meeting.
Moment = datetime | date


class NotAnInvitation(Exception):
    """The mail is not what calendar programs take for an invitation or a cancellation."""


class Version(NamedTuple):
    """What decides which of two messages is the newer one (RFC 5546 §2.1.5)."""

    sequence: int
    dtstamp: Moment


@dataclass(frozen=True, slots=True)
class Property:
    """One content line (RFC 5545 §3.1). ``value`` is as it stands there, still escaped."""

    name: str
    params: Mapping[str, str]
    value: str

    @property
    def text(self) -> str:
        """The value of a TEXT property, without its escapes (RFC 5545 §3.3.11)."""
        return ",".join(stringToTextValues(self.value))

    @property
    def address(self) -> str:
        """The mail address of a CAL-ADDRESS, in lower case (RFC 5545 §3.3.3)."""
        return self.value.lower().removeprefix("mailto:")

    @property
    def is_day(self) -> bool:
        """Whether the value is a DATE."""
        return self.params.get("VALUE") == "DATE"


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """METHOD, the properties of the VEVENT, and the zones that the message brings along."""

    method: str
    properties: Sequence[Property]
    zones: Mapping[str, Sequence[ReadPart]]

    def all(self, name: str) -> list[Property]:
        """Every line of the property ``name``."""
        return [each for each in self.properties if each.name == name]

    def find(self, name: str) -> Property | None:
        """The line of a property that may occur once."""
        found = self.all(name)
        if len(found) > 1:
            raise NotAnInvitation(f"{name} occurs {len(found)} times")
        return found[0] if found else None

    def one(self, name: str) -> Property:
        """The line of a property that must be there."""
        found = self.find(name)
        if found is None:
            raise NotAnInvitation(f"{name} is missing")
        return found

    def text(self, name: str) -> str:
        """The text of a property, empty where it is missing."""
        found = self.find(name)
        return found.text if found else ""

    def moment(self, name: str) -> Moment:
        """When a property that must be there says."""
        return self.moment_of(self.one(name))

    def moment_of(self, line: Property) -> Moment:
        """The day of a DATE, else the instant. The VTIMEZONE of the message reads a local time."""
        value = local_time(line.value.removesuffix("Z"))
        if line.is_day:
            return value.date()
        if line.value.endswith("Z"):
            return value.replace(tzinfo=UTC)
        return (value - offset_read(self.zones[line.params["TZID"]], value)).replace(tzinfo=UTC)

    @property
    def version(self) -> Version:
        """SEQUENCE, then DTSTAMP."""
        return Version(int(self.one("SEQUENCE").value), self.moment("DTSTAMP"))


def local_time(text: str) -> datetime:
    """A DATE or a DATE-TIME without its zone."""
    return datetime.strptime(text, "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d")  # noqa: DTZ007


def content_line(line: str) -> Property:
    """Read one unfolded content line."""
    name, params, value, _ = parseLine(line)
    return Property(name.upper(), {key.upper(): ",".join(of) for key, *of in params}, value)


def read_mail(mail: bytes) -> ReceivedMessage:
    """The iTIP message in ``mail``. Raises NotAnInvitation."""
    parsed = email.message_from_bytes(mail, policy=policy.default)
    part = _calendar_part(parsed)
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    message = read_calendar(content.decode())
    # Outlook reads METHOD, other programs the parameter: they must agree.
    if str(part.get_param("method", "")).upper() != message.method:
        raise NotAnInvitation("METHOD and the method parameter of Content-Type differ")
    sender = parseaddr(str(parsed["From"]))[1].lower()
    if sender != message.one("ORGANIZER").address:
        raise NotAnInvitation(f"From is {sender}, which is not the ORGANIZER")
    return message


def _calendar_part(mail: MIMEPart) -> MIMEPart:
    # Outlook looks into the first multipart/alternative, and nowhere else (interop M1).
    root = mail
    if root.get_content_type() == "multipart/mixed":
        root = next(root.iter_parts())
    if root.get_content_type() != "multipart/alternative":
        raise NotAnInvitation("the mail does not begin with multipart/alternative")
    found = [part for part in root.iter_parts() if part.get_content_type() == "text/calendar"]
    if len(found) != 1:
        raise NotAnInvitation(f"there are {len(found)} text/calendar parts")
    if found[0].get_content_disposition() == "attachment":
        raise NotAnInvitation("the calendar is an attachment")
    return found[0]


def read_calendar(text: str) -> ReceivedMessage:
    """The iTIP message in the ``text`` of a calendar. Raises NotAnInvitation."""
    lines = [line for line, _ in getLogicalLines(StringIO(text, newline=""), allowQP=False)]
    events = list(_components(lines, "VEVENT"))
    # Outlook reads the first VEVENT only (interop R13).
    if len(events) != 1:
        raise NotAnInvitation(f"there are {len(events)} VEVENTs")
    method = ",".join(line.partition(":")[2] for line in lines if line.startswith("METHOD:"))
    if method not in ("REQUEST", "CANCEL"):
        raise NotAnInvitation(f"METHOD is {method!r}")
    zones = dict(_zone(component) for component in _components(lines, "VTIMEZONE"))
    message = ReceivedMessage(method, [content_line(line) for line in events[0]], zones)
    _require_properties(message)
    _require_zones(message)
    return message


def _components(lines: Sequence[str], kind: str) -> Iterator[list[str]]:
    for number, line in enumerate(lines):
        if line == f"BEGIN:{kind}":
            component = lines[number + 1 : lines.index(f"END:{kind}", number)]
            yield list(_without_alarm(component))


def _without_alarm(lines: Sequence[str]) -> Iterator[str]:
    in_alarm = False
    for line in lines:
        in_alarm = in_alarm or line == "BEGIN:VALARM"
        if not in_alarm:
            yield line
        in_alarm = in_alarm and line != "END:VALARM"


def _zone(lines: list[str]) -> tuple[str, Sequence[ReadPart]]:
    tzid = next(line.partition(":")[2] for line in lines if line.startswith("TZID:"))
    return tzid, parts_of(lines)


def _require_properties(message: ReceivedMessage) -> None:
    # Without DTSTART Nextcloud leaves a CANCEL out (interop P4).
    for name in ("UID", "DTSTAMP", "SEQUENCE", "ORGANIZER", "ATTENDEE", "DTSTART", "DTEND"):
        if not message.all(name):
            raise NotAnInvitation(f"{name} is missing")
    if message.all("RECURRENCE-ID") and message.all("RRULE"):
        raise NotAnInvitation("RRULE is in a message about one occurrence")
    if any("RANGE" in line.params for line in message.properties):
        raise NotAnInvitation("RANGE is read by hardly any program (interop R14)")


def _require_zones(message: ReceivedMessage) -> None:
    """Neither a floating time nor a TZID without its VTIMEZONE (RFC 5546 §3.2.2, interop Z6)."""
    for line in message.properties:
        if line.name not in ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE"):
            continue
        if line.is_day or line.value.endswith("Z") or line.params.get("TZID") in message.zones:
            continue
        raise NotAnInvitation(f"{line.name} is in no zone that the message defines")
