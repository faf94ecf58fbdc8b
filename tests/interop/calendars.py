"""From a case to the calendar that the service mails, and to the copy whose zone no reader can know
by name.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from meetings.itip.errors import InvalidRule, ZoneNotExpressible
from meetings.itip.event import Attendee, Event, Organizer
from meetings.itip.ical.writer import to_ical
from meetings.itip.message import Message, Method
from meetings.itip.recurrence.expansion import first_match, occurrences
from meetings.itip.recurrence.limits import check_series
from meetings.itip.recurrence.rule import Rule
from tests.interop.cases import Case
from tests.interop.truth import Truth, truth_of

_ALICE: Final = Organizer(address="alice@example.com")
_BOB: Final = Attendee(address="bob@example.org")
_STAMP: Final = datetime(2019, 1, 1, tzinfo=UTC)
_ZONE: Final = re.compile(r"BEGIN:VTIMEZONE.*END:VTIMEZONE", re.DOTALL)
_REFUSED: Final = re.compile(r"change in (\d{4}) .* End the series before (\S+) ")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A zone that no pair of annual rules describes; ``complaint`` says what is wrong with the
    refusal itself.
    """

    case: Case
    year: int
    complaint: str


@dataclass(frozen=True, slots=True)
class Emitted:
    """One meeting: its calendar, as mailed and with its zone renamed, and what it must mean."""

    case: Case
    truth: Truth
    calendar: str
    renamed: str


def emit(case: Case) -> tuple[Emitted | None, Refusal | None]:
    """Return the calendar of ``case``, or of the shortened series that the refusal of ``case``
    proposes.
    """
    truth = truth_of(case)
    if truth is None:
        return None, None
    event = _event(case, truth)
    _check_clock(case, truth, event)
    try:
        return _emitted(case, truth, event), None
    except ZoneNotExpressible as refused:
        return _shortened(case, refused)


def _shortened(case: Case, refused: ZoneNotExpressible) -> tuple[Emitted | None, Refusal]:
    named = _REFUSED.search(refused.message)
    if not named or case.rule is None:
        return None, Refusal(case, 0, f"names no day to end before: {refused.message}")
    end = date.fromisoformat(named[2])
    latest = end + timedelta(
        days=case.duration.days + 1
    )  # an occurrence may end in the year that cannot be held
    complaint = (
        "" if end.year <= int(named[1]) <= latest.year else "names a year, and a day of another one"
    )
    until = f"{end - timedelta(days=1):%Y%m%dT235959}"
    rule = re.sub(r"(COUNT|UNTIL)=\w+", f"UNTIL={until}", case.rule)
    shorter = replace(case, rule=rule)
    truth = truth_of(shorter)
    if truth is None:
        return None, Refusal(case, end.year, "nothing is left of the series")
    try:
        return _emitted(shorter, truth, _event(shorter, truth)), Refusal(case, end.year, complaint)
    except ZoneNotExpressible as again:
        return None, Refusal(
            case, end.year, f"the shortened series is refused too: {again.message}"
        )


def _event(case: Case, truth: Truth) -> Event:
    rule = Rule.from_text(case.rule) if case.rule else None
    start = first_match(rule, case.start) if rule else case.start
    return Event(
        uid="interop", summary="Review", start=start, end=start + case.duration, tzid=case.tzid, organizer=_ALICE,
        attendees=(_BOB,), all_day=case.all_day, rule=rule, exdates=truth.left_out,
    )  # fmt: skip


def _check_clock(case: Case, truth: Truth, event: Event) -> None:
    """The service must refuse what zoneinfo says does not exist, and nothing else (interop R16)."""
    check_series(event.occurrences, duration=case.duration, tzid=case.tzid, all_day=case.all_day)
    if truth.left_out and not case.left_out and event.rule:
        try:
            series = occurrences(event.rule, event.start)
            check_series(series, duration=case.duration, tzid=case.tzid, all_day=case.all_day)
        except InvalidRule:
            return
        raise AssertionError(f"{case}: a time that does not exist was accepted")


def _emitted(case: Case, truth: Truth, event: Event) -> Emitted:
    message = Message(
        method=Method.REQUEST, event=event, recipients=event.attendees, dtstamp=_STAMP
    )
    calendar = to_ical(message).decode()
    return Emitted(case, truth, calendar, _renamed(calendar, case.tzid))


def _renamed(calendar: str, tzid: str) -> str:
    """``calendar`` with a TZID of its own for each different VTIMEZONE: readers remember zones by
    their name.
    """
    zone = _ZONE.search(calendar)
    if not zone:
        return calendar
    rules = re.sub(r"TZ(ID|NAME):[^\r]*\r\n", "", zone[0])
    unknown = f"X-{hashlib.sha256(rules.encode()).hexdigest()[:12]}"
    calendar = re.sub(r"TZNAME:[^\r]*", "TZNAME:X", calendar)
    return calendar.replace(f"TZID:{tzid}\r\n", f"TZID:{unknown}\r\n").replace(
        f"TZID={tzid}:", f"TZID={unknown}:"
    )
