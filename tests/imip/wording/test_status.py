"""Why a mail comes: the sentence at its top, and the organizer's reason."""

from dataclasses import replace
from datetime import datetime

import pytest

from meetings.itip import organizer
from meetings.itip.message import Message
from tests.imip.wording.reading import Reader, say
from tests.support.cast import (
    BOB,
    CAROL,
    DAN,
    MONDAYS,
    cancel,
    meeting,
    messages,
    request,
    uninvite,
    update,
)


def test_newcomer_to_a_changed_meeting_reads_an_invitation() -> None:
    stored = meeting(attendees=(BOB, CAROL))
    cancelled, newcomer, update_ = update(stored, summary="Tea", attendees=(BOB, DAN))
    assert cancelled.recipients == (CAROL,)
    assert newcomer.recipients == (DAN,)
    told = say(newcomer)
    assert told.text.startswith("Tea\n\nYou are invited to this meeting.\n\nWhen: ")
    assert not any(old in told.text + told.html for old in ("Weekly review", CAROL.address))
    assert "\n* Removed: Carol" in say(update_).text


WITHOUT_CHANGES = {
    "known before": (
        replace(request(), again=True),
        "Here is this meeting as it is now.",
        "以下是此会议的最新安排。",
    ),
    "nothing changed": (
        update(meeting())[0],
        "Here is this meeting again; nothing has changed.",
        "再次发送此会议，内容没有变化。",
    ),
    "nothing to be seen": (
        update(meeting(), reminder=30)[0],
        "Here is this meeting as it is now.",
        "以下是此会议的最新安排。",
    ),
}


@pytest.mark.parametrize(
    ("message", "english", "chinese"), WITHOUT_CHANGES.values(), ids=WITHOUT_CHANGES
)
def test_mail_that_lists_no_change_says_why_it_comes(
    message: Message, english: str, chinese: str
) -> None:
    for language, status in (("en", english), ("zh-hans", chinese)):
        told = say(message, language)
        assert told.text.startswith(f"Weekly review\n\n{status}\n\n")
        assert status in told.html
        assert "*" not in told.text


def test_reason_of_an_early_end_is_told() -> None:
    stored = meeting(rule=MONDAYS)
    ended = organizer.cut(stored, datetime(2027, 3, 15, 10), comment="Alice is ill.").ended
    [message] = messages(ended, stored)
    assert (
        "This meeting has changed.\n"
        "Reason: Alice is ill.\n"
        "\n"
        "* Repeats: every Monday, 3 times → every Monday, until 8 March 2027\n"
    ) in say(message).text
    assert "\n原因：Alice is ill.\n" in say(message, "zh-hans").text
    assert "Reason: Alice is ill." in Reader(say(message).html).text


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
    "nothing changed": (
        update(meeting())[0],
        "Here is this one meeting of a series again; nothing has changed.",
    ),
    "known before": (
        replace(request(), again=True),
        "Here is this one meeting of a series as it is now.",
    ),
    "cancel": (cancel(), "This one meeting of a series has been cancelled."),
    "uninvite": (uninvite(), "You have been removed from this one meeting of a series. It takes"),
}


@pytest.mark.parametrize(("message", "status"), OF_ONE_OCCURRENCE.values(), ids=OF_ONE_OCCURRENCE)
def test_mail_about_one_occurrence_says_so(message: Message, status: str) -> None:
    occurrence = replace(message.event, recurrence_id=message.event.start)
    assert f"\n\n{status}" in say(replace(message, event=occurrence)).text
