"""Whole calendars, byte for byte as in tests/golden."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meetings.itip import organizer
from meetings.itip.event import Attendee, Event, Organizer, Role
from meetings.itip.ical.writer import PRODID, to_ical
from tests.support.cast import MONDAYS, messages

GOLDEN = Path(__file__).parents[2] / "golden"
# The golden files name another product than ours. All else in them must be the same.
GOLDEN_PRODID = b"-//Example//Meeting Mailer 1.0//EN"
LI_SI = Attendee(address="li.si@example.org", name="李四")
WANG_WU = Attendee(address="wang.wu@example.net", name="王五", role=Role.OPTIONAL)
SEED = Event(
    uid="fd973b4c-111c-11ea-9671-005056c00008",
    summary="会议测试邮件,修复了组织者,可以进行应答",
    start=datetime(2019, 11, 30, 10),
    end=datetime(2019, 11, 30, 11),
    tzid="Asia/Shanghai",
    organizer=Organizer(address="zhang.san@example.com", name="张三"),
    attendees=(LI_SI, WANG_WU),
    description="欢迎参加会议！",
    location="7F会议室",
)
SENT = datetime(2019, 11, 28, 1, tzinfo=UTC)
SERIES = replace(SEED, start=datetime(2019, 12, 2, 10), end=datetime(2019, 12, 2, 11), rule=MONDAYS)
FEWER = replace(SEED, attendees=(LI_SI,))

NEXT_DAY = datetime(2019, 11, 29, 1, tzinfo=UTC)
CANCELLED_ONE = organizer.cancel_occurrence(SERIES, datetime(2019, 12, 9, 10))
ONE_LEFT = replace(FEWER, sequence=1)

MESSAGES = {
    "golden_request": messages(organizer.invite(SEED, now=SENT), now=SENT),
    "golden_series": messages(organizer.invite(SERIES, now=SENT), now=SENT),
    "golden_removed": messages(organizer.update(SEED, FEWER, now=NEXT_DAY), SEED, now=NEXT_DAY),
    "golden_cancel": messages(
        organizer.cancel(ONE_LEFT), ONE_LEFT, now=NEXT_DAY + timedelta(hours=1)
    ),
    "golden_cancel_one": messages(CANCELLED_ONE, SERIES, now=NEXT_DAY),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message_equals_its_golden_file(name: str) -> None:
    golden = (GOLDEN / f"{name}.ics").read_bytes()
    assert to_ical(MESSAGES[name][0]) == golden.replace(GOLDEN_PRODID, PRODID.encode())
