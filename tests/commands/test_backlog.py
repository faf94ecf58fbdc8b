"""``manage.py backlog``."""

import json
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.core.management.base import CommandError
from django.db.models.functions import Now

from meetings.models import Meeting, Sender
from meetings.operations.steps.sending.sender import end_lease
from tests.commands.conftest import Run
from tests.support.cast import BOB, CAROL
from tests.support.other_process import OtherProcess
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import sent
from tests.support.stories import queue

NOTHING = {
    "waiting": 0,
    "due": 0,
    "overdue": None,
    "sending": 0,
    "in_back_off": 0,
    "outstanding": 0,
    "senders": 0,
    "is_paused": False,
    "connections": 0,
    "server_paused_until": None,
    "server_hangs": 0,
}


def printed(run: Run) -> dict[str, object]:
    [line] = run("backlog")
    found: dict[str, object] = json.loads(line)
    return found


def test_nothing_waits_when_all_are_told(run: Run, mail_server: ScriptedSMTP) -> None:
    sent()
    end_lease()
    assert printed(run) == NOTHING


def test_due_meetings_and_the_oldest_are_counted(run: Run, mail_server: ScriptedSMTP) -> None:
    queue("old")
    Meeting.objects.update(due_at=Now() - timedelta(seconds=100))
    queue("new")
    found = printed(run)
    assert found["due"] == 2
    assert isinstance(found["overdue"], float)
    assert found["overdue"] >= 100


def test_people_who_wait_and_who_were_given_up_are_counted(
    run: Run, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "451 4.3.0 later"}
    sent(uid="one")
    mail_server.scripts["rcpt"] = {CAROL.address: "550 5.1.1 no such user"}
    sent(uid="two")
    end_lease()
    assert printed(run) == NOTHING | {"waiting": 1, "in_back_off": 1, "outstanding": 1}


def test_mails_under_way_and_senders_are_counted(run: Run, mail_server: ScriptedSMTP) -> None:
    queue()
    OtherProcess().stores()
    assert printed(run) == NOTHING | {"sending": 2, "senders": 1}


def test_process_counts_as_a_sender_from_its_first_mail_on(
    run: Run, mail_server: ScriptedSMTP
) -> None:
    assert printed(run) == NOTHING
    sent()
    assert printed(run) == NOTHING | {"senders": 1}


def test_pause_is_shown(run: Run) -> None:
    run("pause")
    assert printed(run) == NOTHING | {"is_paused": True}


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("command", [("resend", "meeting-1"), ("cancel", "meeting-1")])
@pytest.mark.parametrize("reply", ["250 ok", "550 5.1.1 no such user"])
def test_command_that_has_ended_is_no_sender(
    run: Run, mail_server: ScriptedSMTP, command: tuple[str, ...], reply: str
) -> None:
    sent()
    end_lease()
    mail_server.scripts["rcpt"] = reply
    with nullcontext() if reply.startswith("250") else pytest.raises(CommandError):
        run(*command)
    assert Sender.objects.count() == 2
    assert printed(run)["senders"] == 0


@pytest.mark.usefixtures("transactional_db", "own_signals")
def test_background_that_ran_once_is_no_sender(run: Run, mail_server: ScriptedSMTP) -> None:
    queue()
    run("deliver_mail", "--once")
    assert len(mail_server.accepted) == 1
    assert Sender.objects.count() == 1
    assert printed(run)["senders"] == 0
