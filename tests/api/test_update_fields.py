"""An update changes only what it names, and a cancel ignores what it does not need."""

from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import ANY

import pytest

from tests.api.conftest import Do, Last, Mails
from tests.api.responses import body_of
from tests.conftest import Call
from tests.support.cast import BOB, CAROL
from tests.support.readers.mail import Invitation

pytestmark = pytest.mark.django_db
SERIES = {"FREQ": "WEEKLY", "COUNT": 3, "BYDAY": "MO"}
UNNEEDED = (
    "start", "end", "timezone", "receiver", "required", "optional", "subj", "location",
)  # fmt: skip
PLAIN = ("summary", "description", "location", "dtstart", "dtend", "rrule")


@pytest.fixture
def series_uid(send: Do) -> str:
    """The uid of a stored series with everything that a meeting can have."""
    return str(send(repeat=SERIES, reminder=15)["uid"])


@pytest.fixture
def stored(request: pytest.FixtureRequest, send: Do) -> str:
    """The uid of a stored meeting with the test's changes."""
    return str(send(**request.param)["uid"])


def properties(invitation: Invitation) -> dict[str, Any]:
    """The properties of the event, its reminder included."""
    vevent = invitation.vevent
    texts = {name: vevent.contents[name][0].value for name in PLAIN if name in vevent.contents}
    people = tuple(
        (person.value, person.role_param, person.params.get("CN"))
        for person in vevent.attendee_list
    )
    reminder = vevent.valarm.trigger.value if "valarm" in vevent.contents else None
    return texts | {"attendee": people, "valarm": reminder}


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({}, set()),
        ({"subj": "New title"}, {"summary"}),
        ({"description": "New text"}, {"description"}),
        ({"description": ""}, {"description"}),
        ({"location": "Room 8"}, {"location"}),
        ({"location": ""}, {"location"}),
        ({"start": "2032-03-01 09:30"}, {"dtstart"}),
        ({"end": "2032-03-01 12:00"}, {"dtend"}),
        ({"timezone": "Europe/Berlin"}, {"dtstart", "dtend"}),
        ({"receiver": {"required": ["dora@example.org"]}}, {"attendee"}),
        ({"required": ["bob@example.org"]}, {"attendee"}),
        ({"repeat": {"FREQ": "WEEKLY", "COUNT": 4, "BYDAY": "MO"}}, {"rrule"}),
        ({"repeat": None}, {"rrule"}),
        ({"repeat": {}}, {"rrule"}),
        ({"reminder": 30}, {"valarm"}),
        ({"reminder": None}, {"valarm"}),
        ({"sender": "Somebody Else <ALICE@example.com>"}, set()),
        (
            {"subj": None, "start": None, "receiver": None, "timezone": None, "location": None},
            set(),
        ),
    ],
)
def test_update_changes_only_given_fields(
    update: Do, mails: Mails, series_uid: str, given: dict[str, Any], changed: set[str]
) -> None:
    before = properties(mails()[-1])
    body = update(series_uid, **given)
    # Whom an update removes is named in a warning.
    assert (body["uid"], body["sequence"]) == (series_uid, 1)
    assert ("warnings" in body) is ("attendee" in changed)
    request = next(mail for mail in mails()[1:] if mail.method == "REQUEST")
    after = properties(request)
    assert {name for name in before | after if before.get(name) != after.get(name)} == changed
    assert request.sequence == 1
    assert request.vevent.organizer.value == "mailto:alice@example.com"


def test_new_list_cancels_for_removed_people(update: Do, series_uid: str, mails: Mails) -> None:
    required = {"required": ["Dora <dora@example.org>"]}
    body = update(series_uid, receiver=required, optional=[BOB.address])
    # Carol's CANCEL is of this version too.
    addresses = (CAROL.address, "dora@example.org", BOB.address)
    assert body["recipients"] == dict.fromkeys(addresses, "sent")
    cancel, *requests = sorted(mails()[1:], key=lambda mail: mail.method)
    assert (cancel.method, cancel.people) == ("CANCEL", [CAROL.address])
    assert [request.method for request in requests] == ["REQUEST", "REQUEST"]
    request = requests[0]
    assert [(person.value, person.role_param) for person in request.vevent.attendee_list] == [
        ("mailto:dora@example.org", "REQ-PARTICIPANT"),
        (f"mailto:{BOB.address}", "OPT-PARTICIPANT"),
    ]


def test_update_names_whom_it_removes(update: Do, series_uid: str) -> None:
    body = update(series_uid, receiver={"required": [BOB.address]})
    assert body["warnings"] == [f"receiver: this removes {CAROL.address}."]


def test_null_repeat_leaves_only_the_first_meeting(update: Do, series_uid: str, last: Last) -> None:
    update(series_uid, repeat=None)
    assert "rrule" not in last().vevent.contents
    assert last().vevent.dtstart.value == datetime(2032, 3, 1, 2, tzinfo=UTC)


def test_moved_series_keeps_rule_and_starts_at_match(
    update: Do, series_uid: str, last: Last
) -> None:
    update(series_uid, start="2032-03-03 14:00", end="2032-03-03 15:00")
    assert last().vevent.rrule.value == "FREQ=WEEKLY;COUNT=3;BYDAY=MO"
    assert last().vevent.dtstart.value == datetime(2032, 3, 8, 6, tzinfo=UTC)
    assert last().vevent.dtend.value == datetime(2032, 3, 8, 7, tzinfo=UTC)


def test_meeting_can_become_all_day_and_timed_again(send: Do, update: Do, last: Last) -> None:
    uid = send()["uid"]
    update(uid, start="2032-03-01", end="2032-03-01")
    assert last().vevent.dtstart.value == date(2032, 3, 1)
    assert last().vevent.dtend.value == date(2032, 3, 2)
    update(uid, start="2032-03-01 09:00", end="2032-03-01 10:00")
    assert last().vevent.dtstart.value == datetime(2032, 3, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stored", "given", "field"),
    [
        ({}, {"start": "2032-03-01"}, "end"),
        ({}, {"end": "2032-03-01"}, "end"),
        ({"start": "2032-03-01", "end": "2032-03-01"}, {"start": "2032-03-01 09:00"}, "end"),
        ({"start": "2032-03-01", "end": "2032-03-01"}, {"end": "2032-03-01 11:00"}, "end"),
        ({}, {"start": "2032-03-01 12:00"}, "end"),
        ({}, {"end": "2032-03-01 09:00"}, "end"),
        (
            {},
            {"timezone": "Europe/Berlin", "start": "2032-03-28 02:30", "end": "2032-03-28 04:00"},
            "start",
        ),
    ],
    indirect=["stored"],
)
def test_update_that_does_not_fit_is_refused(
    call: Call, last: Last, stored: str, given: dict[str, Any], field: str
) -> None:
    response = call({"operation": "update", "uid": stored, **given})
    assert response.status_code == 400
    assert body_of(response) == {"error": "Invalid parameters", "fields": {field: [ANY]}}
    assert last().sequence == 0


@pytest.mark.parametrize("operation", ["update", "cancel"])
def test_sender_must_match_in_any_letter_case(send: Do, call: Call, operation: str) -> None:
    uid = send()["uid"]
    body = {"operation": operation, "uid": uid}
    assert call(body | {"sender": "bob@example.com"}).status_code == 409
    assert call(body | {"sender": "Alice@EXAMPLE.com"}).status_code == 200


def test_cancel_ignores_wrong_unneeded_fields(send: Do, cancel: Do, last: Last) -> None:
    uid = send()["uid"]
    wrong = {name: ["wrong"] for name in UNNEEDED}
    body = cancel(uid, **wrong, repeat=7, reminder="x")
    assert body["sequence"] == 1
    assert body["recipients"] == {BOB.address: "sent", CAROL.address: "sent"}
    assert "warnings" not in body
    assert (last().method, last().sequence) == ("CANCEL", 1)
    assert last().vevent.status.value == "CANCELLED"
    assert last().vevent.summary.value == "会议测试 weekly review"
    assert last().vevent.dtstart.value == datetime(2032, 3, 1, 2, tzinfo=UTC)


def test_reason_of_cancel_is_shown(send: Do, cancel: Do, last: Last) -> None:
    cancel(send()["uid"], description="Bob is ill & at home")
    assert last().vevent.comment.value == "Bob is ill & at home"
    body = last().mail.get_body(("plain",))
    assert body is not None
    assert "Bob is ill & at home" in body.get_content()


def test_update_and_cancel_warn_of_unknown_fields(send: Do, update: Do, cancel: Do) -> None:
    uid = send()["uid"]
    assert update(uid, subject="typo")["warnings"] == ["subject: unknown, ignored."]
    assert update(uid, subj="x" * 256)["warnings"] == [
        "subj: Outlook shows the first 255 characters only."
    ]
    past = update(uid, start="2019-11-30 10:00", end="2019-11-30 11:00")
    assert "This meeting is in the past." in past["warnings"]
    assert cancel(uid, reason="typo")["warnings"] == ["reason: unknown, ignored."]
