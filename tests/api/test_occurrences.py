"""A call changes or cancels one occurrence or all future ones, and returns what is left."""

from typing import Any

import pytest

from meetings.models import Meeting
from tests.api.conftest import Do, Mails
from tests.conftest import Call

pytestmark = pytest.mark.usefixtures("mails")
SECOND = {"occurrence": "2032-03-08 10:00"}
FUTURE = {"occurrence": "2032-03-15", "scope": "future"}


@pytest.fixture
def series(meeting: dict[str, Any]) -> dict[str, Any]:
    """The body of a send: the meeting on four Mondays."""
    return meeting | {"uid": "series", "repeat": {"FREQ": "WEEKLY", "COUNT": 4, "BYDAY": "MO"}}


@pytest.fixture
def sent_series(call: Call, mails: Mails, series: dict[str, Any]) -> None:
    """The series is stored and mailed."""
    assert occurrences_in(call(series)) == (4, "2032-03-01 10:00", "2032-03-22 10:00")


def occurrences_in(response: Any) -> tuple[int, str, str]:
    """How many occurrences the series has, and its first and last start."""
    summary = response.json()["occurrences"]
    assert summary.keys() == {"count", "first", "last"}
    return summary["count"], summary["first"], summary["last"]


def test_single_meeting_has_one_occurrence(call: Call, meeting: dict[str, Any]) -> None:
    assert occurrences_in(call(meeting)) == (1, "2032-03-01 10:00", "2032-03-01 10:00")


def test_all_day_series_is_summarized_in_days(
    call: Call, mails: Mails, series: dict[str, Any]
) -> None:
    response = call(series | {"start": "2032-03-01", "end": "2032-03-02"})
    assert occurrences_in(response) == (4, "2032-03-01", "2032-03-22")
    vevent = mails()[0].vevent
    assert vevent.dtstart.value.isoformat() == "2032-03-01"
    assert vevent.dtend.value.isoformat() == "2032-03-03"


@pytest.mark.usefixtures("sent_series")
@pytest.mark.parametrize("when", ["2032-03-08 10:00", "2032-03-08T02:00:00Z", "2032-03-08"])
def test_cancel_of_one_occurrence_leaves_the_rest(
    cancel: Do, update: Do, mails: Mails, when: str
) -> None:
    assert cancel("series", occurrence=when, description="holiday")["sequence"] == 1
    assert {mail.method for mail in mails()[1:]} == {"CANCEL"}
    assert "2032-03-08" in str(mails()[1].vevent.recurrence_id.value)
    assert update("series", subj="New")["occurrences"]["count"] == 3


@pytest.mark.usefixtures("sent_series")
def test_full_update_keeps_occurrence_cancelled(
    call: Call, cancel: Do, series: dict[str, Any]
) -> None:
    # A client of the old service repeats all fields in each update.
    cancel("series", **SECOND)
    response = call(series | {"operation": "update", "subj": "New"})
    assert response.json()["occurrences"]["count"] == 3


@pytest.mark.usefixtures("sent_series")
def test_one_occurrence_moves_and_gains_a_guest(update: Do, mails: Mails) -> None:
    body = update(
        "series",
        **SECOND,
        start="2032-03-09 14:00",
        end="2032-03-09 15:00",
        receiver={"required": ["bob@example.org", "dan@example.org"]},
    )
    assert body["occurrences"]["count"] == 4
    assert body["recipients"] == dict.fromkeys(
        ("carol@example.net", "bob@example.org", "dan@example.org"), "sent"
    )
    vevent = mails()[-1].vevent
    assert f"{vevent.recurrence_id.value:%Y-%m-%d %H:%M}" == "2032-03-08 10:00"
    assert f"{vevent.dtstart.value:%Y-%m-%d %H:%M}" == "2032-03-09 14:00"


@pytest.mark.usefixtures("sent_series")
def test_new_time_warns_of_dropped_changes(update: Do) -> None:
    update("series", **SECOND, location="Room 9")
    warnings = update("series", start="2032-03-01 09:00")["warnings"]
    assert warnings[0].startswith("The time or the rule is new, so changes and cancellations of")


@pytest.mark.usefixtures("sent_series")
def test_exdate_on_a_changed_occurrence_warns_of_that_alone(
    update: Do, cancel: Do, series: dict[str, Any]
) -> None:
    update("series", **SECOND, location="Room 9")
    cancel("series", occurrence="2032-03-15")
    repeat = series["repeat"] | {"EXDATE": ["2032-03-08", "2032-03-15"]}
    assert update("series", repeat=repeat)["warnings"] == [
        "repeat.EXDATE: these occurrences were changed alone. They are left out now, and their"
        " changes are dropped: 2032-03-08."
    ]


def test_past_occurrence_is_not_called_a_meeting(
    call: Call, update: Do, series: dict[str, Any]
) -> None:
    many = {"FREQ": "YEARLY", "COUNT": 50}
    begun = {"start": "2024-01-01 10:00", "end": "2024-01-01 11:00", "repeat": many}
    assert "warnings" not in call(series | begun).json()
    assert update("series", occurrence="2025-01-01", location="Room 9")["warnings"][0] == (
        "This occurrence is in the past."
    )


@pytest.mark.usefixtures("sent_series")
def test_update_of_future_returns_the_new_uid(update: Do, cancel: Do, mails: Mails) -> None:
    body = update("series", **FUTURE, location="Room 9")
    new = body["new_uid"]
    assert Meeting.objects.get(uid=new).continues == Meeting.objects.get(uid="series")
    assert body["occurrences"] == {
        "count": 2,
        "first": "2032-03-01 10:00",
        "last": "2032-03-08 10:00",
    }
    assert [mail.vevent.uid.value for mail in mails()] == ["series", "series", new]
    cancel(new)


@pytest.mark.usefixtures("sent_series")
def test_cancel_of_future_ends_the_series(cancel: Do, mails: Mails) -> None:
    assert "new_uid" not in cancel("series", **FUTURE)
    assert mails()[-1].vevent.rrule.value == "FREQ=WEEKLY;UNTIL=20320308T020000Z;BYDAY=MO"


@pytest.mark.usefixtures("sent_series")
@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"operation": "cancel", "occurrence": "2032-03-09 10:00"}, 400, "occurrence"),
        ({"operation": "cancel", "occurrence": "2032-03-08 11:00"}, 400, "occurrence"),
        ({"operation": "cancel", "occurrence": "soon"}, 400, "occurrence"),
        ({"operation": "cancel", "scope": "future"}, 400, "scope"),
        ({"operation": "update", "scope": "past", "occurrence": "2032-03-08"}, 400, "scope"),
        ({"operation": "cancel", "scope": "future", "occurrence": "2032-03-01"}, 400, "occurrence"),
        ({"operation": "update", "occurrence": "2032-03-08", "repeat": None}, 400, "repeat"),
        (
            {"operation": "update", "occurrence": "2032-03-08", "timezone": "Europe/Berlin"},
            400,
            "timezone",
        ),
        (
            {
                "operation": "update",
                "occurrence": "2032-03-08",
                "start": "2032-03-15 10:00",
                "end": "2032-03-15 11:00",
            },
            400,
            "occurrence",
        ),
        (
            {
                "operation": "update",
                "repeat": {"FREQ": "DAILY", "COUNT": 3, "EXDATE": ["2032-04-01"]},
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
    assert refusal(call(body | {"uid": "series"})) == (status, [field])
    assert (len(mails()), Meeting.objects.get().sequence) == (1, 0)


def refusal(response: Any) -> tuple[int, list[str]]:
    """The status, and the fields that are named."""
    return response.status_code, list(response.json()["fields"])


@pytest.mark.usefixtures("sent_series")
def test_update_of_cancelled_occurrence_is_a_conflict(call: Call, cancel: Do) -> None:
    cancel("series", **SECOND)
    response = call({"operation": "update", "uid": "series", "subj": "New", **SECOND})
    assert refusal(response) == (409, ["occurrence"])


@pytest.mark.usefixtures("sent_series")
def test_second_cancel_of_occurrence_is_the_same_call(cancel: Do, mails: Mails) -> None:
    assert cancel("series", **SECOND) == cancel("series", **SECOND)
    assert len(mails()) == 3


@pytest.mark.usefixtures("sent_series")
@pytest.mark.parametrize(
    "times", [{"start": "2032-03-08"}, {"start": "2032-03-08", "end": "2032-03-08"}]
)
def test_occurrence_of_timed_series_stays_timed(call: Call, times: dict[str, str]) -> None:
    response = call({"operation": "update", "uid": "series", **SECOND, **times})
    assert refusal(response) == (400, ["start"])


def test_occurrence_of_series_of_days_stays_a_day(call: Call, series: dict[str, Any]) -> None:
    call(series | {"start": "2032-03-01", "end": "2032-03-01"})
    times = {"start": "2032-03-08 10:00", "end": "2032-03-08 11:00"}
    response = call({"operation": "update", "uid": "series", "occurrence": "2032-03-08", **times})
    assert refusal(response) == (400, ["start"])


def test_occurrence_without_series_is_refused(call: Call, meeting: dict[str, Any]) -> None:
    assert refusal(call(meeting | {"occurrence": "2032-03-01"})) == (400, ["occurrence"])
    call(meeting | {"uid": "single"})
    response = call({"operation": "cancel", "uid": "single", "occurrence": "2032-03-01 10:00"})
    assert refusal(response) == (400, ["occurrence"])


def test_excluded_days_stay_excluded_after_update(
    call: Call, update: Do, mails: Mails, series: dict[str, Any]
) -> None:
    series["repeat"]["EXDATE"] = ["2032-03-08", "2032-03-22 10:00"]
    assert occurrences_in(call(series)) == (2, "2032-03-01 10:00", "2032-03-15 10:00")
    excluded = [each.value[0] for each in mails()[0].vevent.exdate_list]
    assert [f"{start:%m-%d %H:%M}" for start in excluded] == ["03-08 10:00", "03-22 10:00"]
    assert update("series", subj="New")["occurrences"]["count"] == 2
    assert call(series).status_code == 409
