"""A process that is told to end gives its lease back, unless it still has a mail in hand."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.crash.conftest import Scene
from tests.support.servers.processes import lives
from tests.support.servers.site import Site, open_folder
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.waiting import wait_until

LIVING = "SELECT kind FROM meetings_sender WHERE alive_until > now()"


@pytest.fixture
def lone_web() -> Iterator[Scene]:
    """A web server whose worker ends after twenty requests, and that says more than usual."""
    arguments = "--max-requests 20"
    with (
        open_folder() as var,
        ScriptedSMTP() as smtp,
        Site(var, smtp.url, WEB_CONCURRENCY="1", LOG_LEVEL="INFO") as site,
    ):
        site.start("web", GUNICORN_CMD_ARGS=arguments)
        site.wait_for_web()
        yield Scene(site, smtp, "orderly")


def test_stopped_process_gives_its_lease_back(scene: Scene) -> None:
    scene.call().result()
    wait_until(scene.is_done, "the invitation")
    assert scene.site.query(LIVING)
    scene.site.stop(scene.who)
    assert scene.site.query(LIVING) == []


def test_web_worker_that_is_replaced_gives_its_lease_back(lone_web: Scene) -> None:
    [worker] = lone_web.site.web_workers()
    while lives(worker):  # the call again mails nobody, so the next worker takes no lease
        lone_web.call().result()
    wait_until(lambda: lone_web.site.query(LIVING) == [], "the end of its lease")


def test_quick_end_cuts_a_mail_and_gives_the_lease_back(lone_web: Scene) -> None:
    gate = lone_web.smtp.hold("data")
    response = lone_web.call()
    gate.wait_for_client()
    [worker] = lone_web.site.web_workers()
    os.kill(worker, signal.SIGQUIT)  # it does not wait for open requests
    wait_until(lambda: not lives(worker), "its end")
    assert lone_web.site.query(LIVING) == []
    gate.open()
    response.exception()
    lone_web.site.start("mail")
    wait_until(lone_web.is_done, "the mail")
    assert set(lone_web.copies().values()) == {1}


def test_database_that_does_not_respond_delays_no_end(lone_web: Scene) -> None:
    lone_web.call().result()
    [worker] = lone_web.site.web_workers()
    postgres = lone_web.site.postgres()
    os.kill(postgres, signal.SIGSTOP)
    try:
        os.kill(worker, signal.SIGTERM)
        wait_until(lambda: not lives(worker), "its end")
    finally:
        os.kill(postgres, signal.SIGCONT)
    assert "WORKER TIMEOUT" not in lone_web.site.said()
    assert lone_web.site.query(LIVING)
