"""``manage.py pause`` and ``manage.py resume``."""

from typing import Any

from meetings.models import Pause
from tests.api.responses import body_of
from tests.commands.conftest import Run
from tests.conftest import Call
from tests.support.background import deliver
from tests.support.cast import BOB, CAROL
from tests.support.servers.smtp_server import ScriptedSMTP


def test_paused_server_answers_202_and_mails_after_resume(
    run: Run, call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    [line] = run("pause", "--reason", "The mail server moves.")
    assert line.startswith("Mail is paused since ")
    assert line.endswith("The mail server moves.")
    response = call(meeting)
    assert response.status_code == 202
    body = body_of(response)
    assert body["recipients"] == {BOB.address: "queued", CAROL.address: "queued"}
    assert any("paused" in warning for warning in body["warnings"])
    deliver()
    assert mail_server.connections == 0
    assert run("resume") == ["Mail goes on."]
    deliver()
    assert len(mail_server.accepted) == 1


def test_second_pause_keeps_the_first(run: Run) -> None:
    run("pause", "--reason", "one")
    [line] = run("pause", "--reason", "two")
    assert line.endswith("one")
    assert Pause.objects.get().reason == "one"


def test_resume_without_a_pause_says_so(run: Run) -> None:
    assert run("resume") == ["Mail was not paused."]


def test_command_says_that_mail_is_paused(
    run: Run, call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    call(meeting | {"uid": "m"})
    run("pause")
    assert run("cancel", "m") == [
        "Mail is paused, so nothing leaves before: manage.py resume.",
        f"queued      {BOB.address}",
        f"queued      {CAROL.address}",
    ]
    assert len(mail_server.accepted) == 1
