"""A process that stands still longer than its lease, as a paused machine does, and then goes on.

Its mails were taken over. It sends no final dot any more, and records nothing.
"""

import signal
from collections.abc import Iterator

import pytest

from tests.crash.conftest import Scene
from tests.support.servers.site import Site, open_folder
from tests.support.servers.smtp_server import DEFAULTS, ScriptedSMTP
from tests.support.waiting import wait_until

HAS_ENDED = "SELECT FROM meetings_sender WHERE kind = 'deliver_mail' AND alive_until < now()"
ATTEMPTS = "SELECT DISTINCT attempt, state FROM meetings_delivery"


@pytest.fixture
def mail_loop() -> Iterator[Scene]:
    """A mail loop whose lease is as short as a lease may be."""
    with (
        open_folder() as var,
        ScriptedSMTP() as smtp,
        Site(var, smtp.url, WEB_CONCURRENCY="1", MEETINGS_LEASE="5") as site,
    ):
        site.start("web")
        site.start("mail")
        site.wait_for_web()
        yield Scene(site, smtp, "stopped", who="mail")


def stand_still_at(scene: Scene, moment: str) -> None:
    """Stop the mail loop at this moment until another one has told everybody. Then let it go on."""
    gate = scene.smtp.hold(moment)
    assert scene.call().result().status == 202
    gate.wait_for_client()
    loop = scene.site.running["mail"]
    loop.signal(signal.SIGSTOP)
    scene.smtp.scripts[moment] = DEFAULTS[moment]
    wait_until(lambda: scene.site.query(HAS_ENDED), "the end of its lease")
    scene.site.start("mail2")
    wait_until(scene.is_done, "the other mail loop")
    loop.signal(signal.SIGCONT)
    gate.open()


def test_stopped_process_sends_no_final_dot(mail_loop: Scene) -> None:
    stand_still_at(mail_loop, "data")
    wait_until(lambda: mail_loop.smtp.unfinished, "the mail without its dot")
    wait_until(lambda: "had been taken over" in mail_loop.site.said(), "its word on the outcome")
    assert set(mail_loop.copies().values()) == {1}
    assert mail_loop.site.query(ATTEMPTS) == [(2, "sent")]


def test_stopped_process_records_no_outcome(mail_loop: Scene) -> None:
    stand_still_at(mail_loop, "dot")
    wait_until(lambda: "had been taken over" in mail_loop.site.said(), "its word on the outcome")
    assert set(mail_loop.copies().values()) == {2}
    assert mail_loop.site.query(ATTEMPTS) == [(2, "sent")]
