"""A day that is sent in its series' own values before the whole, which then does not arrive."""

from datetime import timedelta
from typing import Any

import pytest

from meetings.itip.moment import Moment
from meetings.itip.recurrence.parts import RuleParts
from meetings.itip.recurrence.rule import Frequency
from meetings.models import ToldOccurrence
from tests.support.background import deliver_later
from tests.support.cast import BOB, MONDAYS
from tests.support.other_process import OtherProcess
from tests.support.readers.mail import Mails
from tests.support.servers.smtp_server import DROP, ScriptedSMTP
from tests.support.stories import MONDAY, SECOND, send, update

LONGER: dict[str, Any] = {"end": Moment(MONDAY + timedelta(hours=2))}
PARTS = RuleParts(freq=Frequency.WEEKLY, count=3)


@pytest.fixture
def changed(db: None, mail_server: ScriptedSMTP) -> None:
    """Bob was told of three Mondays, and of another room on the second."""
    send(rule=MONDAYS, attendees=(BOB,))
    update(occurrence=SECOND, location="Room 9")


@pytest.fixture
def hidden(changed: None) -> None:
    """Then the second Monday was left out."""
    update(recurrence=RuleParts(freq=Frequency.WEEKLY, count=3, exdates=(Moment(SECOND),)))


def told() -> tuple[str, int, bool]:
    """What Bob was told of the second Monday: METHOD, SEQUENCE, and whether it is only possible."""
    row = ToldOccurrence.objects.get()
    return row.method, row.sequence, row.possible


def newest(mails: Mails) -> list[bool]:
    """Of each mail about the newest version that was accepted: whether it is of one day."""
    every = mails()
    return [each.is_of_one for each in every if each.sequence == every[-1].sequence]


@pytest.mark.usefixtures("changed")
def test_day_is_not_sent_again_before_a_whole_that_was_refused(
    mail_server: ScriptedSMTP, mails: Mails
) -> None:
    mail_server.scripts["mail"] = ["250 ok", "550 5.7.1 no", "250 ok"]
    update(**LONGER)
    assert (newest(mails), told()) == ([True], ("REQUEST", 2, False))
    update(**LONGER)  # the same call again
    assert newest(mails) == [True, False]


@pytest.mark.usefixtures("hidden")
def test_hidden_day_is_not_sent_again_before_a_whole_that_was_refused(
    mail_server: ScriptedSMTP, mails: Mails
) -> None:
    mail_server.scripts["mail"] = ["250 ok", "550 5.7.1 no", "250 ok"]
    update(recurrence=PARTS)
    assert (newest(mails), told()) == ([True], ("CANCEL", 3, True))
    update(recurrence=PARTS)
    assert newest(mails) == [True, False]
    assert told() == ("REQUEST", 3, True)


@pytest.mark.usefixtures("hidden")
def test_hidden_day_that_may_have_arrived_is_sent_again(
    mail_server: ScriptedSMTP, mails: Mails
) -> None:
    mail_server.scripts["dot"] = DROP
    update(recurrence=PARTS)
    assert told() == ("CANCEL", 2, True)
    mail_server.scripts["dot"] = "250 ok"
    deliver_later()
    assert newest(mails) == [True, False]


@pytest.mark.usefixtures("hidden")
def test_hidden_day_in_the_hands_of_a_dead_process_is_sent_again(mails: Mails) -> None:
    update(recurrence=PARTS, budget=0)
    process = OtherProcess()
    process.stores()
    process.dies()
    second = OtherProcess()
    second.stores()
    assert told() == ("CANCEL", 2, True)
    second.sends()
    assert newest(mails) == [True, False]
