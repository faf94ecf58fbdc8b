"""From a case to the calendar that the service mails, and to a copy with an unknown zone name."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from meetings.itip.errors import InvalidRule, ZoneNotExpressible
from meetings.itip.event import Attendee, Event, Organizer
from meetings.itip.ical.writer import to_ical
from meetings.itip.ical.zone import require_expressible
from meetings.itip.message import Message, Method
from meetings.itip.recurrence.expansion import first_match, occurrences
from meetings.itip.recurrence.limits import check_series
from meetings.itip.recurrence.rule import Rule
from tests.interop.cases import Case
from tests.interop.expected import Expected, expected_of

_ALICE: Final = Organizer(address="alice@example.com")
_BOB: Final = Attendee(address="bob@example.org")
_DTSTAMP: Final = datetime(2019, 1, 1, tzinfo=UTC)
_ZONE: Final = re.compile(r"BEGIN:VTIMEZONE.*END:VTIMEZONE", re.DOTALL)
_REFUSED: Final = re.compile(r"change in (\d{4}) .* End the series before (\S+) ")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A series that no pair of annual rules describes, and the year for which it was refused.

    ``complaint`` says what is wrong with the refusal itself. It is empty if the advice helps.
    """

    case: Case
    year: int
    complaint: str


@dataclass(frozen=True, slots=True)
class Emitted:
    """A meeting's calendar, as mailed and with its zone renamed, and when the meeting is."""

    case: Case
    expected: Expected
    calendar: str
    renamed: str


def emit(case: Case) -> tuple[Emitted | None, Refusal | None]:
    """Return the calendar of ``case``.

    If the service refuses the series, return the refusal, and the calendar of the shorter series
    that the refusal proposes.
    """
    expected = expected_of(case)
    if expected is None:
        return None, None
    event = _event(case, expected)
    _check_clock(case, expected, event)
    try:
        return _emitted(case, expected, event), None
    except ZoneNotExpressible as refused:
        return _shortened(case, refused)


def _shortened(case: Case, refused: ZoneNotExpressible) -> tuple[Emitted | None, Refusal]:
    named = _REFUSED.search(refused.message)
    if not named or case.rule is None:
        return None, Refusal(case, 0, f"names no day to end before: {refused.message}")
    year, end = int(named[1]), date.fromisoformat(named[2])
    shorter = _ended_before(end, case, case.rule)
    expected = expected_of(shorter)
    if expected is None:
        return None, Refusal(case, end.year, "nothing is left of the series")
    try:
        emitted = _emitted(shorter, expected, _event(shorter, expected))
    except ZoneNotExpressible as again:
        complaint = f"the shortened series is refused too: {again.message}"
        return None, Refusal(case, end.year, complaint)
    return emitted, Refusal(case, end.year, _complaint(case, year, end))


def _ended_before(end: date, case: Case, rule: str) -> Case:
    until = f"{end - timedelta(days=1):%Y%m%dT235959}"
    return replace(case, rule=re.sub(r"(COUNT|UNTIL)=\w+", f"UNTIL={until}", rule))


def _complaint(case: Case, year: int, end: date) -> str:
    # The occurrence that begins on the named day may end in the next year.
    latest = end + timedelta(days=case.duration.days + 1)
    return "" if end.year <= year <= latest.year else "names a year, and a day of another one"


def _event(case: Case, expected: Expected) -> Event:
    rule = Rule.from_text(case.rule) if case.rule else None
    start = first_match(rule, case.start) if rule else case.start
    return Event(
        uid="interop",
        summary="Review",
        start=start,
        end=start + case.duration,
        tzid=case.tzid,
        organizer=_ALICE,
        attendees=(_BOB,),
        all_day=case.all_day,
        rule=rule,
        exdates=expected.left_out,
    )


def _check_clock(case: Case, expected: Expected, event: Event) -> None:
    """Check that the service refuses times that do not exist, and no others (interop R16)."""
    check_series(event.occurrences, duration=case.duration, tzid=case.tzid, all_day=case.all_day)
    if expected.left_out and not case.left_out and event.rule:
        try:
            series = occurrences(event.rule, event.start)
            check_series(series, duration=case.duration, tzid=case.tzid, all_day=case.all_day)
        except InvalidRule:
            return
        raise AssertionError(f"{case}: a time that does not exist was accepted")


def _emitted(case: Case, expected: Expected, event: Event) -> Emitted:
    require_expressible(event)
    message = Message(
        method=Method.REQUEST, event=event, recipients=event.attendees, dtstamp=_DTSTAMP
    )
    calendar = to_ical(message).decode()
    return Emitted(case, expected, calendar, _renamed(calendar, case.tzid))


def _renamed(calendar: str, tzid: str) -> str:
    """Give each different VTIMEZONE a TZID of its own, because readers remember zones by name."""
    zone = _ZONE.search(calendar)
    if not zone:
        return calendar
    rules = re.sub(r"TZ(ID|NAME):[^\r]*\r\n", "", zone[0])
    unknown = f"X-{hashlib.sha256(rules.encode()).hexdigest()[:12]}"
    calendar = re.sub(r"TZNAME:[^\r]*", "TZNAME:X", calendar)
    calendar = calendar.replace(f"TZID:{tzid}\r\n", f"TZID:{unknown}\r\n")
    return calendar.replace(f"TZID={tzid}:", f"TZID={unknown}:")
