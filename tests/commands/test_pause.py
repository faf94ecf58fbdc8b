"""``manage.py pause`` and ``manage.py resume``."""

from typing import Any

from meetings.management.account import account
from meetings.models import Pause
from meetings.operations.pause import pause
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


def test_reason_of_a_second_pause_takes_the_place_of_the_first(run: Run) -> None:
    first = pause("olga", "one")
    before, now = run("pause", "--reason", "two")
    assert (
        before
        == f"Mail was paused already, since {first.switch.since:%Y-%m-%d %H:%M:%S} UTC: olga: one"
    )
    assert now == f"The reason is now: {account()}: two"
    stored = Pause.objects.get()
    assert (stored.since, stored.by, stored.reason) == (first.switch.since, account(), "two")


def test_second_pause_without_a_reason_changes_nothing(run: Run) -> None:
    pause("olga", "one")
    before, now = run("pause")
    assert before.startswith("Mail was paused already, since 20")
    assert now == "This stays so: olga: one"
    assert str(Pause.objects.get()) == "olga: one"


def test_who_has_nobody_to_tell_is_not_told_of_a_pause(
    run: Run, call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["mail"] = "550 5.7.1 no"
    call(meeting | {"uid": "m"})
    run("pause")
    response = call({"operation": "cancel", "uid": "m"})
    assert response.status_code == 200
    assert body_of(response)["warnings"] == ["Nobody has to be told of this, so no mail was sent."]
    assert run("cancel", "m") == ["Nobody has to be told anything, so no mail was sent."]


def test_resume_without_a_pause_says_so(run: Run) -> None:
    assert run("resume") == [
        "Mail was not paused. What waits for the mail server is tried at once."
    ]


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
