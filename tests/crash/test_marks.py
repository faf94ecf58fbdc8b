"""kill -9 of the web server's worker and of the mail loop at each of six marks, and what goes out
nevertheless.

The marks are made from outside: by what the mail server does at a command, and by locks in
PostgreSQL.
"""

import threading

import pytest

from tests.crash.conftest import BOTH, Scene
from tests.support.site import wait_until

ONCE = dict.fromkeys(BOTH, 1)
TWICE = dict.fromkeys(BOTH, 2)
# banner: claimed, and nothing said yet; data: before the dot; dot: the server has the mail, and
# answers nobody.
BEFORE_THE_DOT = ("banner", "data")


def connect_anew(scene: Scene) -> None:
    """So that the next conversation begins with the banner."""
    scene.smtp.drop_connections()


def test_web_killed_before_the_commit_has_stored_and_sent_nothing(scene: Scene) -> None:
    with scene.site.database() as cursor:
        cursor.execute("BEGIN; LOCK TABLE meetings_delivery IN EXCLUSIVE MODE")
        answer = scene.call()
        scene.wait_for_lock('INSERT INTO "meetings_delivery"%')
        scene.kill_web()
        cursor.execute("ROLLBACK")
    assert answer.result()[1] == 0
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
def test_what_web_had_claimed_and_not_sent_goes_out_once(scene: Scene, mark: str) -> None:
    connect_anew(scene)
    scene.at(mark, scene.kill_web)
    assert scene.call().result()[1] == 0
    assert scene.states() == {"sending"}
    scene.recover()
    assert scene.got() == ONCE


def test_web_killed_while_it_waits_to_claim_what_stands_behind_an_older_mail_loses_nothing(
    scene: Scene,
) -> None:
    go_on = threading.Event()
    held = scene.at("mail", lambda: go_on.wait(60))
    scene.queue()
    wait_until(lambda: scene.states() == {"sending"}, "the mail loop's claim")
    answer = scene.call("update")
    wait_until(lambda: "queued" in scene.states(), "the newer version")
    scene.kill_web()
    assert answer.result()[1] == 0
    scene.site.wait_for_web()
    scene.kill_mail()
    go_on.set()
    assert held.wait(60)
    scene.recover()
    assert scene.states() == {"superseded", "sent"}
    assert scene.got() == ONCE


def test_what_web_was_killed_after_goes_out_again_the_same(scene: Scene) -> None:
    scene.at("dot", scene.kill_web)
    assert scene.call().result()[1] == 0
    scene.recover()
    assert scene.got() == TWICE


def test_web_killed_after_it_has_recorded_the_outcome_sends_nothing_again(scene: Scene) -> None:
    with scene.site.database() as cursor:
        held = scene.at(
            "dot",
            lambda: cursor.execute("BEGIN; LOCK TABLE meetings_version IN ACCESS EXCLUSIVE MODE"),
        )
        answer = scene.call()
        assert held.wait(30)
        scene.wait_for_lock('%"meetings_version"%')
        scene.kill_web()
        cursor.execute("ROLLBACK")
    assert answer.result()[1] == 0
    assert scene.states() == {"sent"}
    scene.recover()
    assert scene.got() == ONCE


def test_the_mail_loop_killed_while_a_call_is_stored_keeps_nothing_back(scene: Scene) -> None:
    with scene.site.database() as cursor:
        cursor.execute("BEGIN; LOCK TABLE meetings_delivery IN EXCLUSIVE MODE")
        answer = scene.call(Prefer="respond-async")
        scene.wait_for_lock('INSERT INTO "meetings_delivery"%')
        scene.kill_mail()
        cursor.execute("ROLLBACK")
    assert answer.result()[1] == 202
    scene.recover()
    assert scene.got() == ONCE


def test_a_claim_that_is_committed_for_a_mail_loop_that_is_dead_ends_with_its_lease(
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
def test_what_the_mail_loop_had_claimed_and_not_sent_goes_out_once(scene: Scene, mark: str) -> None:
    connect_anew(scene)
    killed = scene.at(mark, scene.kill_mail)
    scene.queue()
    assert killed.wait(60)
    assert scene.states() == {"sending"}
    scene.recover()
    assert scene.got() == ONCE


def test_what_the_mail_loop_was_killed_after_goes_out_again_the_same(scene: Scene) -> None:
    killed = scene.at("dot", scene.kill_mail)
    scene.queue()
    assert killed.wait(60)
    scene.recover()
    assert scene.got() == TWICE


def test_a_mail_loop_killed_after_it_has_recorded_the_outcome_sends_nothing_again(
    scene: Scene,
) -> None:
    scene.queue()
    wait_until(lambda: scene.states() == {"sent"}, "the outcome")
    scene.kill_mail()
    scene.recover()
    assert scene.got() == ONCE


def test_postgresql_stopped_short_before_the_commit_has_stored_nothing_and_says_so(
    scene: Scene,
) -> None:
    with scene.site.database() as cursor:
        cursor.execute("BEGIN; LOCK TABLE meetings_delivery IN EXCLUSIVE MODE")
        answer = scene.call()
        scene.wait_for_lock('INSERT INTO "meetings_delivery"%')
        scene.site.stop_postgres()
    assert answer.result()[1] == 503
    assert scene.states() == set()
    assert scene.call().result()[1] == 200
    assert scene.got() == ONCE


def test_postgresql_stopped_short_after_the_outcome_is_recorded_sends_nothing_again(
    scene: Scene,
) -> None:
    with scene.site.database() as cursor:
        held = scene.at(
            "dot",
            lambda: cursor.execute("BEGIN; LOCK TABLE meetings_version IN ACCESS EXCLUSIVE MODE"),
        )
        answer = scene.call()
        assert held.wait(30)
        scene.wait_for_lock('%"meetings_version"%')
        scene.site.stop_postgres()
    assert answer.result()[1] == 503
    assert scene.states() == {"sent"}
    assert scene.call().result()[1] == 200
    assert scene.got() == ONCE


@pytest.mark.parametrize("mark", ["banner", "mail", "data", "dot"])
@pytest.mark.parametrize("who", ["web", "mail loop"])
def test_postgresql_stopped_short_between_claim_and_finish_changes_nothing(
    scene: Scene, mark: str, who: str
) -> None:
    connect_anew(scene)
    stopped = scene.at(mark, scene.site.stop_postgres)
    answer = scene.call(**({} if who == "web" else {"Prefer": "respond-async"}))
    assert stopped.wait(60)
    answer.result()
    wait_until(lambda: scene.states() == {"sent"}, "the outcome")
    assert scene.got() == ONCE
