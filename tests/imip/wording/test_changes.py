"""What an update says of the differences from what its readers know."""

from dataclasses import replace
from datetime import datetime

from meetings.itip.event import Attendee, Override, Role
from tests.imip.wording.reading import changes, line, say
from tests.support.cast import BOB, CAROL, MONDAYS, meeting, update


def test_update_in_english_tells_old_and_new() -> None:
    dave = Attendee(address="dave@example.org", name="Dave")
    _, _, message = update(
        meeting(),
        summary="Monthly review",
        start=datetime(2027, 3, 2, 15),
        end=datetime(2027, 3, 2, 16),
        location="",
        rule=replace(MONDAYS, by_day=("TU",)),
        description="Bring cake.",
        attendees=(replace(CAROL, role=Role.REQUIRED), dave),
    )
    told = say(message).text
    assert told[: told.index("\n\nWhen: ")] == (
        "Monthly review\n"
        "\n"
        "This meeting has changed.\n"
        "\n"
        "* Title: Weekly review → Monthly review\n"
        "* When: Monday, 1 March 2027, 10:00–11:00 (Asia/Shanghai, UTC+08:00)"
        " → Tuesday, 2 March 2027, 15:00–16:00 (Asia/Shanghai, UTC+08:00)\n"
        "* Repeats: – → every Tuesday, 3 times\n"
        "* Where: Room 7 → –\n"
        "* Description: changed\n"
        "* Added: Dave <dave@example.org>\n"
        "* Removed: Bob <bob@example.org>\n"
        "* Required: Carol <carol@example.net>"
    )


def test_update_in_chinese_tells_old_and_new() -> None:
    told = say(update(meeting(), location="8号会议室")[0], "zh-hans").text
    assert "此会议有更改。\n\n* 地点：Room 7 → 8号会议室\n\n时间：" in told


def test_update_names_only_what_changed() -> None:
    [message] = update(meeting(), location="Room 8")
    assert changes(message) == ["* Where: Room 7 → Room 8"]


def test_other_name_of_an_attendee_is_no_change() -> None:
    stored = meeting(attendees=(replace(BOB, name="Robert"), CAROL))
    [message] = update(stored, attendees=(BOB, CAROL))
    assert "*" not in say(message).text


DAYS = tuple(datetime(2027, 3, day, 10) for day in (1, 8, 15, 22))
SERIES = meeting(rule=replace(MONDAYS, count=10), exdates=(DAYS[1], DAYS[2]))
CANCELLED = Override(recurrence_id=datetime(2027, 4, 5, 10), is_cancelled=True)


def test_days_left_out_and_given_back_are_told_apart() -> None:
    [message] = update(replace(SERIES, overrides=(CANCELLED,)), exdates=(DAYS[2], DAYS[3]))
    assert changes(message) == ["* Left out: 22 March 2027", "* Takes place again: 8 March 2027"]
    assert changes(message, "zh-hans") == [
        "* 不再举行的日期：2027年3月22日",
        "* 恢复举行的日期：2027年3月8日",
    ]
    assert line(message, "Repeats").endswith("except 15 March 2027, 22 March 2027 and 5 April 2027")


def test_day_left_out_is_told_beside_another_end() -> None:
    [message] = update(SERIES, exdates=DAYS[1:], end=datetime(2027, 3, 1, 12))
    assert [change.partition(":")[0] for change in changes(message)] == ["* When", "* Left out"]


def test_many_days_left_out_are_cut_short() -> None:
    stored = meeting(rule=replace(MONDAYS, count=60))
    [message] = update(stored, exdates=stored.occurrences[1:40])
    [change] = changes(message)
    assert change.startswith("* Left out: 8 March 2027, 15 March 2027, ")
    assert change.endswith(" and 19 more days")


def test_another_rule_is_told_with_the_days_it_leaves_out() -> None:
    [message] = update(SERIES, rule=MONDAYS, exdates=(DAYS[1],))
    assert changes(message) == [
        "* Repeats: every Monday, 10 times, except 8 March 2027 and 15 March 2027"
        " → every Monday, 3 times, except 8 March 2027"
    ]
