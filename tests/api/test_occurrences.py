"""One occurrence, this and future, excluded days, and the summary of occurrences, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from meetings.models import ApiKey, Meeting
from tests.conftest import Call
from tests.support.mail import Invitation

Mails = Callable[[], list[Invitation]]


@pytest.fixture
def series(meeting: dict[str, Any]) -> dict[str, Any]:
    return meeting | {"uid": "series", "repeat": {"FREQ": "WEEKLY", "COUNT": 4, "BYDAY": "MO"}}


@pytest.fixture
def sent(call: Call, mails: Mails, series: dict[str, Any]) -> None:
    assert call(series).json()["occurrences"] == {
        "count": 4,
        "first": "2027-03-01 10:00",
        "last": "2027-03-22 10:00",
    }


def test_single_meeting_has_one_occurrence(
    call: Call, mails: Mails, meeting: dict[str, Any]
) -> None:
    assert call(meeting).json()["occurrences"] == {
        "count": 1,
        "first": "2027-03-01 10:00",
        "last": "2027-03-01 10:00",
    }


def test_all_day_series_is_summarized_in_days(
    call: Call, mails: Mails, series: dict[str, Any]
) -> None:
    answer = call(series | {"start": "2027-03-01", "end": "2027-03-02"}).json()
    assert answer["occurrences"] == {"count": 4, "first": "2027-03-01", "last": "2027-03-22"}
    assert [
        mails()[0].vevent.dtstart.value.isoformat(),
        mails()[0].vevent.dtend.value.isoformat(),
    ] == [
        "2027-03-01",
        "2027-03-03",
    ]


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize("when", ["2027-03-08 10:00", "2027-03-08T02:00:00Z", "2027-03-08"])
def test_cancel_of_one_occurrence_leaves_the_rest(call: Call, mails: Mails, when: str) -> None:
    answer = call(
        {"operation": "cancel", "uid": "series", "occurrence": when, "description": "holiday"}
    )
    assert (answer.status_code, answer.json()["sequence"]) == (200, 1)
    assert {mail.method for mail in mails()[1:]} == {"CANCEL"}
    assert "2027-03-08" in str(mails()[1].vevent.recurrence_id.value)
    assert (
        call({"operation": "update", "uid": "series", "subj": "New"}).json()["occurrences"]["count"]
        == 3
    )


@pytest.mark.usefixtures("sent")
def test_full_update_keeps_occurrence_cancelled(call: Call, series: dict[str, Any]) -> None:
    call({"operation": "cancel", "uid": "series", "occurrence": "2027-03-08 10:00"})
    assert call(series | {"operation": "update", "subj": "New"}).json()["occurrences"]["count"] == 3


@pytest.mark.usefixtures("sent")
def test_one_occurrence_moves_and_gains_a_guest(call: Call, mails: Mails) -> None:
    change = {
        "operation": "update",
        "uid": "series",
        "occurrence": "2027-03-08 10:00",
        "start": "2027-03-09 14:00",
        "end": "2027-03-09 15:00",
        "receiver": {"required": ["bob@example.org", "dan@example.org"]},
    }
    answer = call(change).json()
    assert (answer["result"], answer["occurrences"]["count"]) == (1, 4)
    assert answer["recipients"] == dict.fromkeys(
        ("carol@example.net", "bob@example.org", "dan@example.org"), "sent"
    )
    request = mails()[-1].vevent
    assert (str(request.recurrence_id.value)[:16], str(request.dtstart.value)[:16]) == (
        "2027-03-08 10:00",
        "2027-03-09 14:00",
    )


@pytest.mark.usefixtures("sent")
def test_new_time_warns_of_dropped_changes(call: Call) -> None:
    call(
        {
            "operation": "update",
            "uid": "series",
            "occurrence": "2027-03-08 10:00",
            "location": "Room 9",
        }
    )
    answer = call({"operation": "update", "uid": "series", "start": "2027-03-01 09:00"}).json()
    assert any("occurrences that were changed" in warning for warning in answer["warnings"])


@pytest.mark.usefixtures("sent")
def test_update_of_future_returns_the_new_uid(call: Call, mails: Mails) -> None:
    body = {
        "operation": "update",
        "uid": "series",
        "occurrence": "2027-03-15",
        "scope": "future",
        "location": "Room 9",
    }
    answer = call(body).json()
    assert Meeting.objects.get(uid=answer["new_uid"]).continues == Meeting.objects.get(uid="series")
    assert answer["occurrences"] == {
        "count": 2,
        "first": "2027-03-01 10:00",
        "last": "2027-03-08 10:00",
    }
    assert [mail.vevent.uid.value for mail in mails()] == ["series", "series", answer["new_uid"]]
    assert call({"operation": "cancel", "uid": answer["new_uid"]}).status_code == 200


@pytest.mark.usefixtures("sent")
def test_cancel_of_future_ends_the_series(call: Call, mails: Mails) -> None:
    answer = call(
        {"operation": "cancel", "uid": "series", "occurrence": "2027-03-15", "scope": "future"}
    )
    assert (answer.status_code, "new_uid" in answer.json()) == (200, False)
    assert mails()[-1].vevent.rrule.value == "FREQ=WEEKLY;UNTIL=20270308T020000Z;BYDAY=MO"


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"operation": "cancel", "occurrence": "2027-03-09 10:00"}, 400, "occurrence"),
        ({"operation": "cancel", "occurrence": "2027-03-08 11:00"}, 400, "occurrence"),
        ({"operation": "cancel", "occurrence": "soon"}, 400, "occurrence"),
        ({"operation": "cancel", "scope": "future"}, 400, "scope"),
        ({"operation": "update", "scope": "past", "occurrence": "2027-03-08"}, 400, "scope"),
        ({"operation": "cancel", "scope": "future", "occurrence": "2027-03-01"}, 400, "occurrence"),
        ({"operation": "update", "occurrence": "2027-03-08", "repeat": None}, 400, "repeat"),
        (
            {"operation": "update", "occurrence": "2027-03-08", "timezone": "Europe/Berlin"},
            400,
            "timezone",
        ),
        (
            {
                "operation": "update",
                "occurrence": "2027-03-08",
                "start": "2027-03-15 10:00",
                "end": "2027-03-15 11:00",
            },
            400,
            "occurrence",
        ),
        (
            {
                "operation": "update",
                "repeat": {"FREQ": "DAILY", "COUNT": 3, "EXDATE": ["2027-04-01"]},
            },
            400,
            "repeat.EXDATE",
        ),
    ],
    ids=str,
)
def test_wrong_occurrence_is_refused_and_not_mailed(
    call: Call, mails: Mails, body: dict[str, Any], status: int, field: str
) -> None:
    answer = call(body | {"uid": "series"})
    assert (answer.status_code, list(answer.json()["fields"])) == (status, [field])
    assert (len(mails()), Meeting.objects.get().sequence) == (1, 0)


@pytest.mark.usefixtures("sent")
def test_cancelled_occurrence_is_a_conflict(call: Call, mails: Mails) -> None:
    body = {"operation": "cancel", "uid": "series", "occurrence": "2027-03-08 10:00"}
    call(body)
    answer = call(body)
    assert (answer.status_code, list(answer.json()["fields"])) == (409, ["occurrence"])


def test_occurrence_without_series_is_refused(
    call: Call, mails: Mails, meeting: dict[str, Any]
) -> None:
    assert list(call(meeting | {"occurrence": "2027-03-01"}).json()["fields"]) == ["occurrence"]
    call(meeting | {"uid": "single"})
    answer = call({"operation": "cancel", "uid": "single", "occurrence": "2027-03-01 10:00"})
    assert list(answer.json()["fields"]) == ["occurrence"]


def test_excluded_days_stay_excluded_after_update(
    call: Call, mails: Mails, series: dict[str, Any]
) -> None:
    series["repeat"]["EXDATE"] = ["2027-03-08", "2027-03-22 10:00"]
    assert call(series).json()["occurrences"] == {
        "count": 2,
        "first": "2027-03-01 10:00",
        "last": "2027-03-15 10:00",
    }
    assert [str(each.value[0])[:16] for each in mails()[0].vevent.exdate_list] == [
        "2027-03-08 10:00",
        "2027-03-22 10:00",
    ]
    assert (
        call({"operation": "update", "uid": "series", "subj": "New"}).json()["occurrences"]["count"]
        == 2
    )
    assert call(series).status_code == 409


def test_prefer_header_may_list_respond_async(
    call: Call, mails: Mails, meeting: dict[str, Any]
) -> None:
    answer = call(meeting, Prefer="wait=5, respond-async")
    assert (answer.status_code, answer.json()["result"]) == (202, 1)
    assert set(answer.json()["recipients"].values()) == {"queued"}
    assert mails() == []


def test_key_may_always_respond_async(call: Call, mails: Mails, meeting: dict[str, Any]) -> None:
    ApiKey.objects.update(respond_async=True)
    assert call(meeting).status_code == 202
    assert mails() == []
