"""Kill -9 of who mails, and of PostgreSQL, at each mark of the sending path, and what goes out.

The marks are made from outside: by the mail server at a command, and by locks in PostgreSQL.
"""

import pytest

from tests.crash.conftest import BOB, CAROL, LOOK, STORE, Scene
from tests.support.waiting import wait_until

# At the banner the mail is stored and nothing is said yet. At the dot the mail server has it.
BEFORE_THE_DOT = ("banner", "data")


def told_once(scene: Scene) -> bool:
    """Whether Bob and Carol have one mail each, once."""
    return sorted((who, n) for (who, _), n in scene.copies().items()) == [(BOB, 1), (CAROL, 1)]


def told_twice(scene: Scene) -> bool:
    """Whether Bob and Carol have the same octets twice."""
    return sorted((who, n) for (who, _), n in scene.copies().items()) == [(BOB, 2), (CAROL, 2)]


def test_killed_before_the_store_sends_nothing(scene: Scene) -> None:
    with scene.held_at(LOOK) as response:
        scene.kill()
    assert scene.states() == set()
    assert not scene.copies()
    if scene.who == "web":
        assert response.result().status == 0
        scene.site.wait_for_web()
        assert scene.call().result().status == 200
    else:
        scene.recover()
    assert told_once(scene)


def test_store_for_a_dead_process_goes_out_once(scene: Scene) -> None:
    # PostgreSQL finishes the statement, although nobody waits for it any more.
    with scene.held_at(STORE):
        scene.kill()
    wait_until(lambda: scene.states() == {"sending"}, "the store")
    scene.recover()
    assert told_once(scene)


@pytest.mark.parametrize("mark", BEFORE_THE_DOT)
def test_killed_before_the_dot_goes_out_once(scene: Scene, mark: str) -> None:
    killed = scene.at(mark, scene.kill)
    scene.call()
    wait_until(killed.is_set, "the mark")
    assert scene.states() == {"sending"}
    scene.recover()
    assert told_once(scene)


def test_killed_before_the_record_goes_out_twice(scene: Scene) -> None:
    killed = scene.at("dot", scene.kill)
    scene.call()
    wait_until(killed.is_set, "the mark")
    scene.recover()
    assert told_twice(scene)


def test_killed_after_a_record_repeats_only_the_rest(scene: Scene) -> None:
    scene.call().result()
    wait_until(scene.is_done, "the invitation")
    # Bob's REQUEST is recorded when Carol's CANCEL begins.
    killed = scene.at("mail", scene.kill, after=1)
    scene.call("update", (BOB,))
    wait_until(killed.is_set, "the mark")
    scene.recover()
    assert sorted((who, n) for (who, _), n in scene.copies().items()) == [
        (BOB, 1),
        (BOB, 1),
        (CAROL, 1),
        (CAROL, 1),
    ]


@pytest.mark.parametrize("table", [LOOK, STORE], ids=["look", "store"])
def test_postgresql_stopped_before_the_store_sends_nothing(scene: Scene, table: str) -> None:
    with scene.held_at(table) as response:
        scene.site.stop_postgres()
    assert not scene.copies()
    if scene.who == "web":
        assert response.result().status == 503
        assert scene.states() == set()
        assert scene.call().result().status == 200
    else:
        scene.recover()
    assert told_once(scene)


@pytest.mark.parametrize("mark", [*BEFORE_THE_DOT, "dot"])
def test_postgresql_stopped_before_the_record_repeats_nothing(scene: Scene, mark: str) -> None:
    stopped = scene.at(mark, scene.site.stop_postgres)
    scene.call()
    wait_until(stopped.is_set, "the mark")
    wait_until(scene.is_done, "the outcome")
    assert told_once(scene)


def test_postgresql_stopped_after_a_record_repeats_nothing(scene: Scene) -> None:
    scene.call().result()
    wait_until(scene.is_done, "the invitation")
    stopped = scene.at("mail", scene.site.stop_postgres, after=1)
    scene.call("update", (BOB,))
    wait_until(stopped.is_set, "the mark")
    wait_until(scene.is_done, "the outcome")
    assert set(scene.copies().values()) == {1}
