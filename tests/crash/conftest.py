"""One site for all crash tests of a module. What a test has killed runs again in the next one."""

import itertools
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.callers import Response, post
from tests.support.servers.site import Site, open_folder
from tests.support.servers.smtp_server import DEFAULTS, ScriptedSMTP
from tests.support.waiting import wait_until

BOTH = ("bob@example.org", "carol@example.net")
STATES = """
SELECT state FROM meetings_delivery JOIN meetings_meeting ON meetings_meeting.id = meeting_id
WHERE uid = %(uid)s ORDER BY meetings_delivery.id
"""
WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %(like)s"
)


class Scene:
    """A web server with one worker, one mail loop, and one meeting of Alice, Bob and Carol."""

    def __init__(self, site: Site, smtp: ScriptedSMTP, uid: str) -> None:
        self.site = site
        self.smtp = smtp
        self.uid = uid
        self.pool = ThreadPoolExecutor(2)

    def call(self, operation: str = "send", **headers: str) -> Future[Response]:
        """Begin to send the invitation, or to update it."""
        body = {
            "operation": operation,
            "uid": self.uid,
            "start": "2037-03-02 10:00",
            "end": "2037-03-02 11:00",
            "sender": "alice@example.com",
            "receiver": {"required": list(BOTH)},
            "subj": self.uid,
            "description": "",
            "location": "",
        }
        return self.pool.submit(post, self.site.port, body, headers)

    def queue(self) -> None:
        """Leave it to the background. It is stored then."""
        assert self.call(Prefer="respond-async").result().status == 202

    def kill_web(self) -> None:
        """Kill -9 its worker. The web server starts another one."""
        [worker] = self.site.web_workers()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: worker not in self.site.web_workers(), "its end")

    def kill_mail(self) -> None:
        self.site.kill("mail")

    def at(self, moment: str, do: Callable[[], object]) -> threading.Event:
        """Do it once, at this moment of the next conversation. The event says that it is done."""
        done = threading.Event()

        def step(_: str) -> Any:
            self.smtp.scripts[moment] = DEFAULTS[moment]
            do()
            done.set()
            return DEFAULTS[moment]

        self.smtp.scripts[moment] = step
        return done

    @contextmanager
    def call_after_record(self) -> Iterator[Future[Response]]:
        """A call whose outcome is recorded, and whose response waits for a lock."""
        lock = "BEGIN; LOCK TABLE meetings_version IN ACCESS EXCLUSIVE MODE"
        with self.site.database() as cursor:
            locked = self.at("dot", lambda: cursor.execute(lock))
            response = self.call()
            wait_until(locked.is_set, "the lock")
            self.wait_for_lock('%"meetings_version"%')
            yield response

    def states(self) -> set[str]:
        return {state for (state,) in self.site.query(STATES, {"uid": self.uid})}

    def end_leases(self) -> None:
        """As if their time had passed."""
        with self.site.database() as cursor:
            cursor.execute(
                "UPDATE meetings_delivery SET lease_until = now() WHERE state = 'sending'"
            )

    def wait_for_lock(self, like: str) -> None:
        """Until some statement waits for a lock."""
        wait_until(lambda: self.site.query(WAITS, {"like": like})[0][0], f"{like} to wait")

    def got(self) -> Counter[str]:
        """How many copies the mail server accepted for whom. All of them are the same bytes."""
        subject = f"Subject: {self.uid}\r\n".encode()
        accepted = [mail for mail in self.smtp.accepted if subject in mail.raw]
        assert len({mail.raw for mail in accepted}) <= 1
        return Counter(address for mail in accepted for address in mail.recipients)

    def recover(self) -> None:
        """Start what was killed, and wait until all mail is delivered."""
        if "mail" not in self.site.running:
            self.site.start("mail")
        self.end_leases()
        wait_until(lambda: self.states() <= {"sent", "superseded"}, "the rest")


@pytest.fixture(scope="module")
def _site() -> Iterator[tuple[Site, ScriptedSMTP]]:
    with (
        open_folder() as var,
        ScriptedSMTP() as smtp,
        Site(var, smtp.url, WEB_CONCURRENCY="1") as site,
    ):
        site.start("web")
        site.start("mail")
        site.wait_for_web()
        yield site, smtp


_numbers = itertools.count(1)


@pytest.fixture
def scene(_site: tuple[Site, ScriptedSMTP]) -> Iterator[Scene]:
    site, smtp = _site
    if "mail" not in site.running:
        site.start("mail")
    site.wait_for_web()
    wait_until(lambda: len(site.web_workers()) == 1, "the web server's worker")
    made = Scene(site, smtp, f"crash-{next(_numbers)}")
    yield made
    smtp.scripts.update(DEFAULTS)
    made.pool.shutdown()
