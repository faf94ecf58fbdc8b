"""What a mail says to people whose mail program shows no calendar (interop M8)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.itip.event import Attendee
from meetings.itip.message import Message
from tests.imip.wording.reading import Reader, line, say
from tests.support.cast import BOB, CAROL, MONDAYS, ROOM, cancel, meeting, request, uninvite, update


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
