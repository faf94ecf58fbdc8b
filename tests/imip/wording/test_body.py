"""What a mail says to people whose mail program shows no calendar (interop M8)."""

from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.imip.wording.body import Bodies, bodies
from meetings.itip.event import Attendee, Role
from meetings.itip.message import Message
from tests.support.cast import BOB, CAROL, MONDAYS, ROOM, cancel, meeting, request, uninvite, update


def say(message: Message, language: str = "en") -> Bodies:
    with translation.override(language):
        return bodies(message, language=language)


def line(message: Message, label: str) -> str:
    """The text behind ``label``."""
    [found] = [row for row in say(message).text.splitlines() if row.startswith(f"{label}: ")]
    return found.removeprefix(f"{label}: ")


class Reader(HTMLParser):
    """What a mail program makes of the HTML: its elements, its attributes, its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        self.text += "\n" if tag in {"br", "tr", "p", "h1"} else ""

    def handle_data(self, data: str) -> None:
        self.text += data


def test_invitation_in_english_as_plain_text() -> None:
    assert say(request(rule=MONDAYS, attendees=(BOB, CAROL, ROOM))).text == (
        "Weekly review\n"
        "\n"
        "You are invited to this meeting.\n"
        "\n"
        "When: Monday, 1 March 2027, 10:00–11:00 (Asia/Shanghai, UTC+08:00)\n"
        "Repeats: every Monday, 3 times\n"
        "Where: Room 7\n"
        "Organizer: Alice <alice@example.com>\n"
        "Required: Bob <bob@example.org>\n"
        "Optional: Carol <carol@example.net>\n"
        "Rooms: Room 7 <room7@example.com>\n"
        "\n"
        "Bring numbers.\n"
    )


def test_cancellation_in_chinese_as_plain_text() -> None:
    assert say(cancel(meeting(rule=MONDAYS), comment="国定假日"), "zh-hans").text == (
        "Weekly review\n"
        "\n"
        "此会议已取消。\n"
        "原因：国定假日\n"
        "\n"
        "时间：2027年3月1日 星期一 10:00–11:00（Asia/Shanghai，UTC+08:00）\n"
        "重复：每周一，共 3 次\n"
        "地点：Room 7\n"
        "组织者：Alice <alice@example.com>\n"
        "\n"
        "Bring numbers.\n"
    )


def test_missing_details_leave_no_gap() -> None:
    assert say(request(location="", description="", attendees=(replace(BOB, name=""),))).text == (
        "Weekly review\n"
        "\n"
        "You are invited to this meeting.\n"
        "\n"
        "When: Monday, 1 March 2027, 10:00–11:00 (Asia/Shanghai, UTC+08:00)\n"
        "Organizer: Alice <alice@example.com>\n"
        "Required: bob@example.org\n"
    )


def test_update_in_english_tells_old_and_new() -> None:
    dave = Attendee(address="dave@example.org", name="Dave")
    [*_, message] = update(
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


def test_update_names_only_what_changed() -> None:
    [message] = update(meeting(), location="Room 8")
    assert [row for row in say(message).text.splitlines() if row.startswith("*")] == [
        "* Where: Room 7 → Room 8"
    ]


def test_other_name_of_an_attendee_is_no_change() -> None:
    stored = meeting(attendees=(replace(BOB, name="Robert"), CAROL))
    [message] = update(stored, attendees=(BOB, CAROL))
    assert "*" not in say(message).text


def test_update_in_chinese_tells_old_and_new() -> None:
    told = say(update(meeting(), location="8号会议室")[0], "zh-hans").text
    assert "此会议有更改。\n\n* 地点：Room 7 → 8号会议室\n\n时间：" in told


def test_uninvited_attendee_reads_that_it_takes_place() -> None:
    assert (
        "You have been removed from this meeting. It takes place without you."
        in say(uninvite()).text
    )
    assert "cancelled" not in say(uninvite()).text
    assert "您已不在此会议的参加人之列，会议照常举行。" in say(uninvite(), "zh-hans").text


OF_ONE_OCCURRENCE = {
    "request": (request(), "You are invited to this one meeting of a series."),
    "update": (
        update(meeting(), location="Room 8")[0],
        "This one meeting of a series has changed.",
    ),
    "cancel": (cancel(), "This one meeting of a series has been cancelled."),
    "uninvite": (uninvite(), "You have been removed from this one meeting of a series. It takes"),
}


@pytest.mark.parametrize(("message", "status"), OF_ONE_OCCURRENCE.values(), ids=OF_ONE_OCCURRENCE)
def test_mail_about_one_occurrence_says_so(message: Message, status: str) -> None:
    occurrence = replace(message.event, recurrence_id=message.event.start)
    assert f"\n\n{status}" in say(replace(message, event=occurrence)).text


@pytest.mark.parametrize("message", [cancel(), uninvite()])
def test_cancel_does_not_tell_who_else_was_invited(message: Message) -> None:
    told = say(message)
    for other in (BOB, CAROL):
        assert other.address not in told.text + told.html


def test_long_list_of_people_is_cut_short() -> None:
    crowd = tuple(Attendee(address=f"p{number}@example.org") for number in range(100))
    assert line(request(attendees=crowd), "Required").endswith("; p19@example.org; and 80 more")
    assert line(request(attendees=crowd[:20]), "Required").endswith("; p19@example.org")


MARKUP = '<script>alert("1")</script> & <b>bold</b>'


def test_markup_of_an_invitation_stays_text() -> None:
    message = request(
        summary=MARKUP, description=MARKUP, location=MARKUP, attendees=(replace(BOB, name=MARKUP),)
    )
    told = say(message)
    assert told.text.count(MARKUP) == 4
    reader = Reader(told.html)
    assert "script" not in reader.elements
    assert "b" not in reader.elements
    assert reader.text.count(MARKUP) == 5  # <title> has it too


def test_markup_of_reason_and_changes_stays_text() -> None:
    assert Reader(say(cancel(comment=MARKUP)).html).text.count(MARKUP) == 1
    changed = Reader(say(update(meeting(summary=MARKUP), summary="Another")[0]).html)
    assert changed.text.count(MARKUP) == 1
    assert "script" not in changed.elements


def test_line_breaks_are_kept_in_html() -> None:
    assert "one<br>two<br><br>three" in say(request(description="one\r\ntwo\n\nthree")).html
    assert "one<br>two" in say(cancel(comment="one\ntwo")).html


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_html_says_all_that_the_text_says(language: str) -> None:
    message = request(rule=MONDAYS, attendees=(BOB, CAROL, ROOM))
    told = say(message, language)
    html = Reader(told.html).text
    for row in filter(None, told.text.splitlines()):
        for piece in row.replace("：", ": ").split(": ", 1):
            assert piece in html


def test_html_names_its_language_and_suits_dark_mode() -> None:
    reader = Reader(say(request(), "zh-hans").html)
    assert ("lang", "zh-hans") in reader.attributes
    assert ("content", "light dark") in reader.attributes
    assert not any(
        "color:" in (value or "").replace("border-color:", "") for _, value in reader.attributes
    )


@pytest.mark.parametrize(
    "message", [request(), cancel(comment="x"), update(meeting(), location="Room 8")[0]]
)
def test_html_loads_nothing_from_elsewhere(message: Message) -> None:
    reader = Reader(say(message).html)
    assert not {"src", "href", "background", "action"} & {name for name, _ in reader.attributes}
    assert not {"img", "link", "script", "style", "iframe"} & set(reader.elements)
    assert "url(" not in say(message).html


@settings(deadline=None)
@given(text=st.text(max_size=80).map(lambda value: f"<i>{value}'\"</title></td><img src=x>{value}"))
def test_text_of_a_caller_adds_no_element(text: str) -> None:
    given_text = request(summary=text, location=text, attendees=(replace(BOB, name=text),))
    plain = request(attendees=(BOB,))
    assert Reader(say(given_text).html).elements == Reader(say(plain).html).elements
