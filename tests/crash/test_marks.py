"""Kill -9 of the web server's worker and of the mail loop at each of six marks, and what goes out.

The marks are made from outside: by the mail server at a command, and by locks in PostgreSQL.
"""

import pytest

from tests.crash.conftest import BOTH, Scene
from tests.support.waiting import wait_until

ONCE = dict.fromkeys(BOTH, 1)
TWICE = dict.fromkeys(BOTH, 2)
# At the banner the mail is claimed and nothing is said yet. At the dot the server has it.
BEFORE_THE_DOT = ("banner", "data")


def connect_anew(scene: Scene) -> None:
    """So that the next conversation begins with the banner."""
    scene.smtp.drop_connections()


def test_web_killed_before_commit_stores_nothing(scene: Scene) -> None:
    with scene.site.database() as cursor:
        cursor.execute("BEGIN; LOCK TABLE meetings_delivery IN EXCLUSIVE MODE")
        response = scene.call()
        scene.wait_for_lock('INSERT INTO "meetings_delivery"%')
        scene.kill_web()
        cursor.execute("ROLLBACK")
    assert response.result().status == 0
    wait_until(
        lambda: (
            not scene.site.query(
                "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'INSERT%%' AND state = 'active'"
            )
        ),
        "the end of its session",
    )
    assert scene.states() == set()
    assert not scene.got()


@pytest.mark.parametrize("mark", BEFORE_THE_DOT)
def test_claim_of_killed_web_goes_out_once(scene: Scene, mark: str) -> None:
    connect_anew(scene)
    scene.at(mark, scene.kill_web)
    assert scene.call().result().status == 0
    assert scene.states() == {"sending"}
    scene.recover()
    assert scene.got() == ONCE


def test_web_killed_behind_an_older_mail_loses_nothing(
    scene: Scene,
) -> None:
    gate = scene.smtp.hold("mail")
    scene.queue()
    wait_until(lambda: scene.states() == {"sending"}, "the mail loop's claim")
    response = scene.call("update")
    wait_until(lambda: "queued" in scene.states(), "the newer version")
    scene.kill_web()
    assert response.result().status == 0
    scene.site.wait_for_web()
    scene.kill_mail()
    gate.open()
    scene.recover()
    assert scene.states() == {"superseded", "sent"}
    assert scene.got() == ONCE


def test_mail_goes_again_if_web_dies_before_recording(scene: Scene) -> None:
    scene.at("dot", scene.kill_web)
    assert scene.call().result().status == 0
    scene.recover()
    assert scene.got() == TWICE


def test_web_killed_after_recording_sends_no_more(scene: Scene) -> None:
    with scene.call_after_record() as response:
        scene.kill_web()
    assert response.result().status == 0
    assert scene.states() == {"sent"}
    scene.recover()
    assert scene.got() == ONCE


def test_loop_killed_during_a_call_loses_nothing(scene: Scene) -> None:
    with scene.site.database() as cursor:
        cursor.execute("BEGIN; LOCK TABLE meetings_delivery IN EXCLUSIVE MODE")
        response = scene.call(Prefer="respond-async")
        scene.wait_for_lock('INSERT INTO "meetings_delivery"%')
        scene.kill_mail()
        cursor.execute("ROLLBACK")
    assert response.result().status == 202
    scene.recover()
    assert scene.got() == ONCE


def test_claim_committed_for_a_dead_loop_expires(
    scene: Scene,
) -> None:
    scene.kill_mail()
    scene.queue()
    with scene.site.database() as cursor:
        # Reading goes on, claiming waits; the server finishes the statement although nobody waits
        # for it any more.
        cursor.execute("BEGIN; LOCK TABLE meetings_delivery IN SHARE MODE")
        scene.site.start("mail")
        scene.wait_for_lock("%WITH next AS%")
        scene.kill_mail()
        cursor.execute("ROLLBACK")
    wait_until(lambda: scene.states() == {"sending"}, "the claim")
    scene.recover()
    assert scene.got() == ONCE


@pytest.mark.parametrize("mark", BEFORE_THE_DOT)
def test_claim_of_killed_loop_goes_out_once(scene: Scene, mark: str) -> None:
    connect_anew(scene)
    killed = scene.at(mark, scene.kill_mail)
    scene.queue()
    wait_until(killed.is_set, "the mark")
    assert scene.states() == {"sending"}
    scene.recover()
    assert scene.got() == ONCE


def test_mail_goes_again_if_loop_dies_before_recording(scene: Scene) -> None:
    killed = scene.at("dot", scene.kill_mail)
    scene.queue()
    wait_until(killed.is_set, "the mark")
    scene.recover()
    assert scene.got() == TWICE


def test_loop_killed_after_recording_sends_no_more(
    scene: Scene,
) -> None:
    scene.queue()
    wait_until(lambda: scene.states() == {"sent"}, "the outcome")
    scene.kill_mail()
    scene.recover()
    assert scene.got() == ONCE


def test_postgresql_stopped_before_commit_stores_nothing(
    scene: Scene,
) -> None:
    with scene.site.database() as cursor:
        cursor.execute("BEGIN; LOCK TABLE meetings_delivery IN EXCLUSIVE MODE")
        response = scene.call()
        scene.wait_for_lock('INSERT INTO "meetings_delivery"%')
        scene.site.stop_postgres()
    assert response.result().status == 503
    assert scene.states() == set()
    assert scene.call().result().status == 200
    assert scene.got() == ONCE


def test_postgresql_stopped_after_record_sends_no_more(
    scene: Scene,
) -> None:
    with scene.call_after_record() as response:
        scene.site.stop_postgres()
    assert response.result().status == 503
    assert scene.states() == {"sent"}
    assert scene.call().result().status == 200
    assert scene.got() == ONCE


@pytest.mark.parametrize("mark", ["banner", "mail", "data", "dot"])
@pytest.mark.parametrize("who", ["web", "mail loop"])
def test_postgresql_stopped_between_claim_and_record(scene: Scene, mark: str, who: str) -> None:
    connect_anew(scene)
    stopped = scene.at(mark, scene.site.stop_postgres)
    response = scene.call(**({} if who == "web" else {"Prefer": "respond-async"}))
    wait_until(stopped.is_set, "the mark")
    response.result()
    wait_until(lambda: scene.states() == {"sent"}, "the outcome")
    assert scene.got() == ONCE
