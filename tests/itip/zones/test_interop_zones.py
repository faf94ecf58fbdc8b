"""The rules of docs/interop.md about time zones, by their numbers."""

import re
import zoneinfo
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from meetings.itip.ical.writer import to_ical
from meetings.itip.message import Message
from meetings.itip.zones.names import zone_name
from tests.interop.cases import ZONES
from tests.itip.test_interop_rules import HOUR, ROOT, messages, zone_of
from tests.support.cast import MONDAYS, meeting, request, update
from tests.support.readers.content_lines import values
from tests.support.readers.vtimezone_reader import offset_read, parts_of

ALLOWED = {"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME", "RRULE", "BEGIN", "END", "TZID"}
YEARLY = (
    r"FREQ=YEARLY;(BYDAY=([1-4]|-1)(MO|TU|WE|TH|FR|SA|SU);BYMONTH=\d+|BYMONTHDAY=\d+;BYMONTH=\d+)"
)


def test_z1_vtimezone_is_not_made_by_icalendar() -> None:
    made_by_icalendar = re.compile(r"\.(add_missing_timezones|from_tzid|from_tzinfo)\(")
    for path in (ROOT / "meetings").rglob("*.py"):
        assert not made_by_icalendar.search(path.read_text()), path


@pytest.mark.parametrize(
    "start", [datetime(2019, 3, 4, 10), datetime(2026, 6, 1, 10), datetime(2037, 1, 5, 10)]
)
def test_z2_z3_every_vtimezone_is_small_and_exact(start: datetime) -> None:
    starts = [start + timedelta(weeks=number) for number in range(30)]
    times = [*starts, *(start + HOUR for start in starts)]
    rule = replace(MONDAYS, count=30)
    for tzid in (name for name in ZONES if name != "UTC"):
        zone = zone_of(request(tzid=tzid, start=start, end=start + HOUR, rule=rule))
        parts = parts_of(zone)
        assert [part.kind for part in parts] in (["STANDARD"], ["STANDARD", "DAYLIGHT"])
        assert all(part.rule is None or re.fullmatch(YEARLY, part.rule) for part in parts), zone
        assert {line.partition(":")[0] for line in zone} <= ALLOWED
        assert len("\r\n".join(zone)) < 400
        for moment in times:
            expected = moment.replace(tzinfo=ZoneInfo(tzid)).utcoffset()
            assert offset_read(parts, moment) == expected, (tzid, moment)


def test_z4_single_meeting_has_local_time_and_zone() -> None:
    message = request(tzid="America/New_York")
    assert values(message, "DTSTART") == [";TZID=America/New_York:20270301T100000"]
    assert "TZID:America/New_York" in zone_of(message)


@pytest.mark.parametrize("message", list(messages()), ids=lambda message: f"{message.method}")
def test_z5_z6_message_declares_the_tzid_it_uses(message: Message) -> None:
    text = to_ical(message).decode().replace("\r\n ", "")
    assert set(re.findall(r";TZID=([^:;]+)", text)) == {"America/New_York"}
    assert re.findall(r"\r\nTZID:([^\r]+)", text) == ["America/New_York"]


@pytest.mark.parametrize("written", ["UTC", "Etc/UTC", "zulu"])
def test_z6_utc_has_z_and_no_tzid(written: str) -> None:
    text = to_ical(request(tzid=zone_name(written), rule=MONDAYS)).decode()
    assert "DTSTART:20270301T100000Z" in text
    assert "TZID" not in text


def test_z6_zone_without_dst_has_no_daylight() -> None:
    assert [part.kind for part in parts_of(zone_of(request(rule=MONDAYS)))] == ["STANDARD"]


def test_z6_windows_name_is_sent_as_iana_name() -> None:
    assert "TZID:Europe/Berlin" in zone_of(request(tzid=zone_name("W. Europe Standard Time")))


def test_z7_event_keeps_local_time_and_zone() -> None:
    event = meeting(tzid="America/New_York")
    assert event.start.tzinfo is None
    # The clocks go forward during the series, so the hour in UTC changes.
    starts = replace(event, rule=MONDAYS).occurrences
    assert [event.instant(start).hour for start in starts] == [15, 15, 14]


def test_z8_tzdata_is_pinned() -> None:
    # zoneinfo reads the package tzdata, not the database of the operating system.
    assert zoneinfo.TZPATH == ()
    assert re.search(r"^tzdata==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


def test_z8_update_writes_the_zone_anew() -> None:
    [later] = update(meeting(tzid="America/New_York"), tzid="Europe/Paris")
    assert "TZID:Europe/Paris" in zone_of(later)


@pytest.mark.parametrize("message", list(messages()), ids=lambda message: f"{message.method}")
def test_z9_no_zone_property_is_outside_the_standard(message: Message) -> None:
    assert not re.search(rb"X-WR-|X-LIC-LOCATION|TZURL", to_ical(message))
