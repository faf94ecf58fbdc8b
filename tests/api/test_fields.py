"""Each field of a send does what the contract says, as the mail shows."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from meetings.models import Meeting
from tests.api.conftest import Do, Last, Refused
from tests.api.responses import contract_keys
from tests.conftest import Call
from tests.support.readers.mail import Invitation

pytestmark = pytest.mark.django_db


def roles(invitation: Invitation) -> dict[str, str]:
    """ROLE by address."""
    return {
        attendee.value.removeprefix("mailto:"): attendee.role_param
        for attendee in invitation.vevent.contents.get("attendee", [])
    }


def test_every_field_of_send_reaches_the_mail(send: Do, last: Last) -> None:
    uid = send(reminder=15)["uid"]
    assert UUID(uid).version == 4
    mail, vevent = last().mail, last().vevent
    assert mail["From"] == "Alice <alice@example.com>"
    assert mail["To"] == "Bob <bob@example.org>"
    assert mail["Cc"] == "carol@example.net"
    assert mail["Subject"] == vevent.summary.value == "会议测试 weekly review"
    assert vevent.uid.value == uid
    assert vevent.organizer.value == "mailto:alice@example.com"
    assert vevent.organizer.params["CN"] == ["Alice"]
    assert vevent.location.value == "7F会议室"
    assert vevent.description.value == "欢迎参加会议！"
    assert vevent.dtstart.value == datetime(2032, 3, 1, 2, tzinfo=UTC)
    assert vevent.dtend.value == datetime(2032, 3, 1, 3, tzinfo=UTC)
    assert vevent.valarm.trigger.value == -timedelta(minutes=15)


def test_absent_optional_fields_leave_no_trace(
    call: Call, meeting: dict[str, Any], last: Last
) -> None:
    for name in ("description", "location"):
        del meeting[name]
    assert contract_keys(call(meeting)).keys() == {"result", "uid", "sequence", "recipients"}
    assert not last().vevent.contents.keys() & {"description", "location", "rrule", "valarm"}


@pytest.mark.parametrize(
    "uid", ["x", "u" * 255, 'a/b;c,d:e\\f "g" <h>@i', "{fd973b4c-111c-11ea-9671-005056c00008}"]
)
def test_given_uid_is_stored_and_mailed(send: Do, last: Last, uid: str) -> None:
    assert send(uid=uid)["uid"] == uid
    assert last().vevent.uid.value == uid


@pytest.mark.parametrize("uid", [None, ""])
def test_empty_uid_is_replaced_by_a_new_one(send: Do, uid: str | None) -> None:
    assert UUID(send(uid=uid)["uid"]).version == 4


@pytest.mark.parametrize(
    ("start", "utc"),
    [
        ("2032-03-01 10:00", "02:00"),
        ("2032-03-01 10:00:30", "02:00:30"),
        ("2032-03-01T10:00", "02:00"),
        ("2032-03-01T10:00:00", "02:00"),
        ("2032-03-01T02:00:00Z", "02:00"),
        ("2032-03-01T10:00:00+08:00", "02:00"),
        ("2032-03-01 03:00+0100", "02:00"),
        ("2032-02-29T18:00-08:00", "02:00"),
    ],
)
def test_time_is_read_in_every_form(send: Do, last: Last, start: str, utc: str) -> None:
    send(start=start)
    assert last().vevent.dtstart.value == datetime.fromisoformat(f"2032-03-01T{utc}+00:00")


def test_dates_are_first_and_last_whole_day(send: Do, last: Last) -> None:
    send(start="2032-03-01", end="2032-03-02")
    assert last().vevent.dtstart.value == date(2032, 3, 1)
    assert last().vevent.dtend.value == date(2032, 3, 3)
    send(start="2032-03-01", end="2032-03-01")
    assert last().vevent.dtend.value == date(2032, 3, 2)


@pytest.mark.parametrize(
    ("zone", "tzid", "utc_hour"),
    [
        ("Europe/Berlin", "Europe/Berlin", 9),
        ("europe/berlin", "Europe/Berlin", 9),
        ("W. Europe Standard Time", "Europe/Berlin", 9),
        ("China Standard Time", "Asia/Shanghai", 2),
        ("Pacific Standard Time", "America/Los_Angeles", 18),
        ("UTC", None, 10),
        (None, "Asia/Shanghai", 2),
        ("", "Asia/Shanghai", 2),
    ],
)
def test_zone_may_have_iana_or_windows_name(
    send: Do, last: Last, zone: str | None, tzid: str | None, utc_hour: int
) -> None:
    send(timezone=zone)
    assert last().vevent.dtstart.value.astimezone(UTC).hour == utc_hour
    assert Meeting.objects.get().tzid == (tzid or "UTC")


def test_default_zone_comes_from_settings(send: Do, last: Last, settings: Settings) -> None:
    settings.MEETINGS_TIME_ZONE = "America/New_York"
    send()
    assert last().vevent.dtstart.value == datetime(2032, 3, 1, 15, tzinfo=UTC)


def test_all_lists_merge_and_name_each_person_once(send: Do, last: Last) -> None:
    send(
        receiver={
            "required": ["bob@example.org"],
            "resource": ["Room 7 <room7@example.com>"],
            "optional": None,
        },
        required=["Dora <dora@example.org>", "BOB@example.org", "alice@example.com"],
        optional=["eve@example.org", "dora@example.org"],
    )
    assert roles(last()) == {
        "bob@example.org": "REQ-PARTICIPANT",
        "dora@example.org": "REQ-PARTICIPANT",
        "eve@example.org": "OPT-PARTICIPANT",
        "room7@example.com": "NON-PARTICIPANT",
    }
    assert Counter(last().people).most_common(1)[0][1] == 1
    room = last().vevent.attendee_list[-1]
    assert (room.cutype_param, room.params["CN"]) == ("RESOURCE", ["Room 7"])


def test_top_level_lists_suffice_without_receiver(send: Do, last: Last) -> None:
    send(receiver=None, required=["bob@example.org"], optional=["carol@example.net"])
    assert roles(last()) == {
        "bob@example.org": "REQ-PARTICIPANT",
        "carol@example.net": "OPT-PARTICIPANT",
    }


@pytest.mark.parametrize(
    ("written", "address", "name"),
    [
        ("bob@example.org", "bob@example.org", ""),
        ("  bob@EXAMPLE.org ", "bob@example.org", ""),
        ("<bob@example.org>", "bob@example.org", ""),
        ("Bob <bob@example.org>", "bob@example.org", "Bob"),
        ('"Smith, Bob" <bob@example.org>', "bob@example.org", "Smith, Bob"),
        ("王小明<bob@example.org>", "bob@example.org", "王小明"),
        ("bob@bücher.example", "bob@xn--bcher-kva.example", ""),
    ],
)
def test_mailbox_is_read_in_every_form(
    send: Do, last: Last, written: str, address: str, name: str
) -> None:
    assert send(receiver={"required": [written]})["recipients"] == {address: "sent"}
    [attendee] = last().vevent.attendee_list
    assert (attendee.value, attendee.params.get("CN", [""])[0]) == (f"mailto:{address}", name)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("end", {"end": "2032-03-01 10:00"}),
    ("end", {"end": "2027-02-28"}),
    ("end", {"start": "2032-03-02", "end": "2032-03-01"}),
    ("start", {"start": "2032-03-01 24:01"}),
    ("start", {"start": "2032-03-01 10:60"}),
    ("start", {"start": "2027-02-29 10:00"}),
    ("start", {"start": "tomorrow"}),
    ("start", {"start": "1969-12-31 10:00"}),
    ("start", {"start": "1970-01-01T00:00+14:00", "timezone": "UTC"}),
    ("end", {"end": "2099-12-31T23:00Z"}),
    (
        "start",
        {"timezone": "Europe/Berlin", "start": "2032-03-28 02:30", "end": "2032-03-28 04:00"},
    ),
    (
        "start",
        {"timezone": "Europe/Berlin", "start": "2032-10-31T01:30Z", "end": "2032-10-31 04:00"},
    ),
    ("timezone", {"timezone": "Mars/Olympus"}),
    ("timezone", {"timezone": "../../etc/passwd"}),
    ("sender", {"sender": "Alice"}),
    ("sender", {"sender": "a@example.com, b@example.com"}),
    ("sender", {"sender": "\u212aate@example.com"}),  # a Kelvin sign compares as "k"
    ("sender", {"sender": "a@b\uff20example.com"}),  # IDNA makes this an "@"
    ("sender", {"sender": f"{'a' * 243}@example.com"}),
    ("receiver", {"receiver": ["bob@example.org"]}),
    ("receiver.required", {"receiver": {"required": "bob@example.org"}}),
    ("receiver.resource", {"receiver": {"required": ["bob@example.org"], "resource": ["room"]}}),
    ("required", {"required": ["x"]}),
    ("subj", {"subj": ""}),
    ("subj", {"subj": "x" * 1001}),
    ("location", {"location": "x" * 1001}),
    ("description", {"description": "é" * 32769}),
    ("uid", {"uid": "u" * 256}),
    ("uid", {"uid": "会议"}),
    ("reminder", {"reminder": -1}),
    ("reminder", {"reminder": 1.5}),
    ("repeat", {"repeat": "WEEKLY"}),
    ("repeat.COUNT", {"repeat": {"FREQ": "DAILY"}}),
]


@pytest.mark.parametrize(
    ("field", "changes"), WRONG, ids=[f"{field}-{n}" for n, (field, _) in enumerate(WRONG)]
)
def test_wrong_value_is_refused_and_its_field_named(
    call: Call, meeting: dict[str, Any], refused: Refused, field: str, changes: dict[str, Any]
) -> None:
    response = call(meeting | changes)
    body = refused(response)
    refusal = (response.status_code, body["error"], list(body["fields"]))
    assert refusal == (400, "Invalid parameters", [field]), body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subj", "x" * 1000),
        ("location", "x" * 1000),
        ("description", "é" * 32768),
        ("reminder", 0),
        ("location", ""),
    ],
)
def test_largest_and_smallest_values_are_allowed(send: Do, field: str, value: Any) -> None:
    send(**{field: value})


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"subject": "a typo"}, "subject: unknown, ignored."),
        (
            {"receiver": {"required": ["bob@example.org"], "bcc": []}},
            "receiver.bcc: unknown, ignored.",
        ),
        ({"subj": "x" * 256}, "subj: Outlook shows the first 255 characters only."),
        ({"start": "2019-11-30 10:00", "end": "2019-11-30 11:00"}, "This meeting is in the past."),
        (
            {"repeat": {"FREQ": "MONTHLY", "BYMONTHDAY": 31, "COUNT": 2}},
            "repeat.BYMONTHDAY: a month without a day 31",
        ),
    ],
)
def test_doubtful_value_is_sent_with_a_warning(
    send: Do, changes: dict[str, Any], warning: str
) -> None:
    [given] = send(**changes)["warnings"]
    assert given.startswith(warning)


def test_subject_that_outlook_shows_has_no_warning(send: Do) -> None:
    assert "warnings" not in send(subj="x" * 255)
