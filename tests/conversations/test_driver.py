"""The driver finds what is wrong, and says in which line: each kind of expectation, broken once."""

import re
from pathlib import Path

import pytest

from tests.conversations.driver import Conversation, play
from tests.conversations.script import ConversationError, read_script
from tests.conversations.service import Service
from tests.support.readers.calendar_client import CalendarClient
from tests.support.readers.itip_reader import read_calendar
from tests.support.readers.itip_writer import calendar
from tests.support.servers.smtp_conversation import Transaction
from tests.support.servers.smtp_server import ScriptedSMTP

CONVERSATION = """\
# Bob and Carol are invited, Carol leaves.

> refuse carol@example.net 450 4.2.0 later

> put by CRM
{"operation": "send", "uid": "m", "subj": "Talk", "location": "Hall",
 "start": "2032-03-01 10:00", "end": "2032-03-01 11:00", "timezone": "Asia/Shanghai",
 "repeat": {"FREQ": "DAILY", "COUNT": 2},
 "sender": "alice@example.com", "receiver": {"required": ["bob@example.org", "carol@example.net"]}}

> expect 200
{"result": 1, "uid": "$uid",
 "recipients": {"bob@example.org": "sent", "carol@example.net": "queued"}}

> mail to bob@example.org
METHOD:REQUEST
SEQUENCE:0
RRULE:FREQ=DAILY;COUNT=2
ATTENDEE;ROLE=REQ-PARTICIPANT:mailto:bob@example.org
ATTENDEE:mailto:carol@example.net

> refuse nobody

> later

> mail to carol@example.net
METHOD:REQUEST
SEQUENCE:0
RRULE:FREQ=DAILY;COUNT=2
no COMMENT

> run resend m --to bob@example.org

> mail to bob@example.org
METHOD:REQUEST
SEQUENCE:0
RRULE:FREQ=DAILY;COUNT=2

> put by CRM
{"operation": "update", "uid": "$uid", "receiver": {"required": ["bob@example.org"]}}

> expect 200

> mail to carol@example.net
METHOD:CANCEL
SEQUENCE:1

> mail to bob@example.org
METHOD:REQUEST
SEQUENCE:1
RRULE:FREQ=DAILY;COUNT=2

> get bob@example.org
Mon 2032-03-01 10:00-11:00 | Talk | Hall
Tue 2032-03-02 10:00-11:00 | Talk | Hall

> get carol@example.net
nothing

> put by CRM
{"operation": "cancel", "uid": "$uid"}

> expect 200
{"sequence": 2}

> mail to bob@example.org
METHOD:CANCEL
SEQUENCE:2
STATUS:CANCELLED
"""
CAROL_LEAVES = "> mail to carol@example.net\nMETHOD:CANCEL\nSEQUENCE:1\n"
BOB_AGAIN = (
    "> mail to bob@example.org\nMETHOD:REQUEST\nSEQUENCE:0\nRRULE:FREQ=DAILY;COUNT=2\n\n> put"
)
MONDAY = "Mon 2032-03-01 10:00-11:00 | Talk | Hall\n"
TUESDAY = "Tue 2032-03-02 10:00-11:00 | Talk | Hall\n"

# What is replaced, by what, how the line begins that is to blame, and what is said of it.
BROKEN = {
    "status": ("> expect 200\n\n", "> expect 409\n\n", "> expect 409", "the response is 200 {"),
    "response": ('"result": 1', '"result": 0', "> expect", '"result" of the response is 1'),
    "response below": ('"queued"', '"sent"', "> expect", '"recipients" of the response is {'),
    "response to no call": ("later\n\n> mail", "later\n> expect 200\n> mail", "> expect 200", ""),
    "call without response": ("> expect 200\n\n", "", "> put by CRM", "what is the response?"),
    "method": (
        "METHOD:CANCEL\nSEQUENCE:1",
        "METHOD:ADD",
        "METHOD:ADD",
        "the message has METHOD:CANCEL",
    ),
    "sequence": ("CANCEL\nSEQUENCE:1", "CANCEL\nSEQUENCE:7", "SEQUENCE:7", "the message has SEQ"),
    "parameter": ("=REQ-", "=OPT-", "ATTENDEE;ROLE=OPT", "the message has ATTENDEE;CUTYPE"),
    "absent property": ("no COMMENT", "COMMENT:Hi", "COMMENT:Hi", "the message has no COMMENT"),
    "present property": ("no COMMENT", "no SUMMARY", "no SUMMARY", "the message has SUMMARY:Talk"),
    "no property": ("no COMMENT", "COMMENT", "COMMENT", "this is no content line"),
    "RRULE not listed": (
        "RRULE:FREQ=DAILY;COUNT=2\nno COMMENT\n",
        "",
        "> mail to carol",
        "the message has also RRULE:FREQ=DAILY;COUNT=2",
    ),
    "ATTENDEE not listed": (
        "ATTENDEE:mailto:carol@example.net\n",
        "",
        "> mail to bob",
        "the message has also ATTENDEE",
    ),
    "STATUS not listed": (
        "STATUS:CANCELLED\n",
        "",
        "> mail to bob",
        "the message has also STATUS:CANCELLED",
    ),
    "mail not listed": (
        CAROL_LEAVES,
        "",
        "> put by CRM",
        "carol@example.net gets a mail that is not listed: METHOD:CANCEL UID:m SEQUENCE:1",
    ),
    "mail of a command not listed": (
        BOB_AGAIN,
        "> put",
        "> run",
        "bob@example.org gets a mail that is not listed",
    ),
    "mail not sent": (
        "> mail to carol@example.net\nMETHOD:CANCEL",
        "> mail to carol@example.net, dave@example.org\nMETHOD:CANCEL",
        "> mail to carol@example.net, dave",
        "dave@example.org gets no such mail",
    ),
    "nobody": (CAROL_LEAVES, "> mail to nobody\n", "> mail to nobody", "the step lists mails"),
    "entry": (MONDAY, "Monday\n", "Monday", "the calendar of bob@example.org shows: Mon 2032"),
    "entry not listed": (TUESDAY, "", "> get bob", "the calendar of bob@example.org shows also"),
    "entry not shown": (TUESDAY, TUESDAY + "Wed\n", "Wed", "the calendar of bob@example.org does"),
    "zone": ("> get bob@example.org", "> get bob@example.org in Europe/Paris", "Mon", "the calend"),
    "nothing": ("nothing\n", "Wed\n", "Wed", "the calendar of carol@example.net shows: nothing"),
    "command": ("--to bob", "--to dave", "> run", "the command fails: "),
    "reply": ("450 4.2.0 later", "", "> refuse carol", "with which reply?"),
    "block": ("> later", "> latter", "> latter", "no such block"),
    "JSON": ('"update",', "update,", "> put by CRM", "this is not JSON"),
    "name": ('"$uid", "rec', '"$uit", "rec', '{"operation": "update"', "$uit stands for nothing"),
    "line in no block": ("\n> refuse carol", "\nHi\n> refuse carol", "Hi", "this line is in no"),
    "comment": ("# Bob and Carol are invited, Carol leaves.", "", "", "a comment must say what"),
    "check before all": (
        "\n> refuse carol",
        "\n> get x\n> refuse carol",
        "#",
        "a conversation must",
    ),
}


@pytest.mark.django_db(transaction=True)
def test_right_conversation_passes(tmp_path: Path, mail_server: ScriptedSMTP) -> None:
    play(_file(tmp_path, CONVERSATION), mail_server)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_found_with_its_line(
    tmp_path: Path, mail_server: ScriptedSMTP, broken: tuple[str, str, str, str]
) -> None:
    right, wrong, blamed, sentence = broken
    assert CONVERSATION.count(right) == 1
    text = CONVERSATION.replace(right, wrong)
    with pytest.raises(ConversationError) as error:
        play(_file(tmp_path, text), mail_server)
    file, number, said = str(error.value).split(":", 2)
    assert file == "broken.txt"
    assert text.splitlines()[int(number) - 1].startswith(blamed)
    assert said.startswith(f" {sentence}")


@pytest.mark.django_db(transaction=True)
def test_mails_in_another_order_are_found(tmp_path: Path, mail_server: ScriptedSMTP) -> None:
    text = (Path(__file__).parent / "4.4.5-change-all-future.txt").read_text()
    _, ended, rest, *_ = re.findall(r"> mail to.*?\n\n", text, re.DOTALL)
    with pytest.raises(ConversationError, match="the message has UID:weekly"):
        play(_file(tmp_path, text.replace(ended + rest, rest + ended)), mail_server)


@pytest.mark.django_db(transaction=True)
def test_mail_that_a_calendar_ignores_is_found(tmp_path: Path, mail_server: ScriptedSMTP) -> None:
    calendar_of_bob = CalendarClient("bob@example.org")
    calendar_of_bob.apply(read_calendar(calendar(UID=":m", SEQUENCE=":9")))
    conversation = Conversation(Service(mail_server), {"bob@example.org": calendar_of_bob})
    refuse, send, *_ = read_script(_file(tmp_path, CONVERSATION))
    conversation.play(refuse)
    with pytest.raises(ConversationError, match=r"bob@example\.org ignores this mail: it is not"):
        conversation.play(send)


@pytest.mark.django_db(transaction=True)
def test_mail_without_an_invitation_is_found(tmp_path: Path, mail_server: ScriptedSMTP) -> None:
    hello = Transaction(1, "", ("bob@example.org",), b"Subject: Hi\r\n\r\nHi", "250 ok", (), False)
    mail_server.record(hello)
    with pytest.raises(ConversationError, match=r"^broken.txt:3: the mail to bob.* no invitation"):
        play(_file(tmp_path, CONVERSATION), mail_server)


def _file(folder: Path, text: str) -> Path:
    file = folder / "broken.txt"
    file.write_text(text)
    return file
