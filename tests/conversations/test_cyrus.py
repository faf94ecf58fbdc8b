"""The conversations end right in Cyrus IMAP, too, which is a calendar server of others.

After each action Cyrus shows every person what the conversation says, and what the calendar client
shows that is written from the RFCs. There is no list of exceptions: Cyrus has faults of its own,
but what is mailed, and in which order, keeps them from showing. The last test is about those.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conversations.cyrus import CyrusCalendar
from tests.conversations.driver import Conversation
from tests.conversations.script import ConversationError, Step, read_script
from tests.conversations.service import Service
from tests.conversations.shown import Calendar, shown
from tests.support.readers.calendar_client import Entry
from tests.support.readers.itip_reader import read_mail
from tests.support.servers.cyrus import ABSENT, Cyrus, is_installed, running_cyrus
from tests.support.servers.smtp_server import ScriptedSMTP

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.txt"))

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not is_installed(), reason=ABSENT),
]


@pytest.fixture
def cyrus() -> Iterator[Cyrus]:
    """A new one for each test, because people and UIDs are the same in many conversations."""
    with running_cyrus() as server:
        yield server


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_conversation_ends_right_in_cyrus(
    file: Path, mail_server: ScriptedSMTP, cyrus: Cyrus
) -> None:
    try:
        _play(file, mail_server, lambda owner: CyrusCalendar(owner, cyrus))
    except ConversationError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _play(file: Path, mail_server: ScriptedSMTP, new: Callable[[str], CyrusCalendar]) -> None:
    conversation = Conversation(Service(mail_server), new_calendar=new)
    for step in read_script(file):
        conversation.play(step)
        for calendar in conversation.calendars.values():
            assert isinstance(calendar, CyrusCalendar)
            _compare(calendar, step)


def _compare(calendar: CyrusCalendar, step: Step) -> None:
    if _visible(calendar) != _visible(calendar.client):
        step.action.fail(
            f"Cyrus shows {calendar.client.owner}: {shown(calendar)}, and not: "
            f"{shown(calendar.client)}; or other texts or people"
        )


def _visible(calendar: Calendar) -> list[Entry]:
    """What people see. A meeting that was a series may go on as an occurrence of nothing."""
    return [replace(entry, recurrence_id=None) for entry in calendar.entries()]


class WithoutSingleDaysBeforeTheWhole(CyrusCalendar):
    """Gets no mail about one occurrence that comes right before one about the whole."""

    _single_days: tuple[bytes, ...] = ()

    def receive(self, mail: bytes) -> str:
        if read_mail(mail).all("RECURRENCE-ID"):
            self._single_days = (*self._single_days, mail)
            return ""
        self._single_days = ()
        return super().receive(mail)

    def entries(self) -> list[Entry]:
        for mail in self._single_days:
            super().receive(mail)
        self._single_days = ()
        return super().entries()


# Cyrus 3.6 keeps what it was last sent of one occurrence through every REQUEST of the whole.
FAULTS = {
    "4.4.2-then-the-series-moves.txt": r"shows: Tue 2032-03-09 15:00-16:00 \| Weekly",
    "4.4.3-cancelled-occurrence-comes-back.txt": r"shows: Mon 2032-03-15 10:00-11:00 \| Weekly",
    "4.4.5-change-all-future-after-one.txt": r"shows: Tue 2032-03-16 15:00-16:00 \| .* \| Room 7",
}


@pytest.mark.parametrize(("name", "sentence"), FAULTS.items(), ids=FAULTS)
def test_cyrus_needs_the_mails_before_the_whole(
    name: str, sentence: str, mail_server: ScriptedSMTP, cyrus: Cyrus
) -> None:
    with pytest.raises(ConversationError, match=sentence):
        _play(
            FOLDER / name,
            mail_server,
            lambda owner: WithoutSingleDaysBeforeTheWhole(owner, cyrus),
        )
