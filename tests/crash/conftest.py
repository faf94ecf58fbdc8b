"""One site for all crash tests of a module. What a test has killed runs again in the next one."""

import itertools
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from typing import Any

import psycopg2
import pytest

from tests.support.callers import Response, post
from tests.support.servers import broker
from tests.support.servers.site import Site, open_folder
from tests.support.servers.smtp_server import DEFAULTS, ScriptedSMTP
from tests.support.waiting import wait_until

BOB, CAROL = BOTH = ("bob@example.org", "carol@example.net")
STATES = """
SELECT delivery.state FROM meetings_delivery AS delivery
JOIN meetings_meeting AS meeting ON meeting.id = delivery.meeting_id
WHERE meeting.uid = %(uid)s ORDER BY delivery.id
"""
IS_OWED = """
SELECT FROM meetings_meeting AS meeting WHERE uid = %(uid)s AND (due_at IS NOT NULL OR EXISTS (
    SELECT FROM meetings_delivery AS delivery WHERE delivery.meeting_id = meeting.id
    AND delivery.state IN ('sending', 'deferred', 'unknown')))
"""
# For the table, not for a row: two tasks for one meeting that is told already wait for that.
WAITS = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND relation = %(table)s::regclass AND query LIKE %(like)s
"""
END_LEASES = """
UPDATE meetings_sender SET alive_until = now()
WHERE id IN (SELECT sender_id FROM meetings_delivery WHERE state = 'sending')
"""
# A look reads this table, and needs no more than that. A store writes that one.
LOOK, STORE = "meetings_toldoccurrence IN ACCESS EXCLUSIVE", "meetings_mailbytes IN EXCLUSIVE"


class Scene:
    """A web server with one worker, somebody in the background, and a meeting of Bob and Carol.

    ``who`` mails it: the web server itself, a mail loop or a Celery worker.
    """

    def __init__(self, site: Site, smtp: ScriptedSMTP, uid: str, who: str = "web") -> None:
        self.site = site
        self.smtp = smtp
        self.uid = uid
        self.who = who
        self.pool = ThreadPoolExecutor(2)

    def call(self, operation: str = "send", people: tuple[str, ...] = BOTH) -> Future[Response]:
        """Begin to send the invitation, or to update it. Who mails it may be the background."""
        body = {
            "operation": operation,
            "uid": self.uid,
            "start": "2037-03-02 10:00",
            "end": "2037-03-02 11:00",
            "sender": "alice@example.com",
            "receiver": {"required": list(people)},
            "subj": self.uid,
            "description": "",
            "location": "",
        }
        headers = {} if self.who == "web" else {"Prefer": "respond-async"}
        return self.pool.submit(post, self.site.port, body, headers)

    def kill(self) -> None:
        """Kill -9 who mails. The web server starts another worker."""
        if self.who == "web":
            self._kill_web()
        else:
            self.site.kill(self.who)

    def _kill_web(self) -> None:
        [worker] = self.site.web_workers()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: worker not in self.site.web_workers(), "its end")

    def at(self, moment: str, do: Callable[[], object], *, after: int = 0) -> threading.Event:
        """Do it once, at this moment of the next conversation, or of one later by ``after``.

        The event says that it is done.
        """
        done = threading.Event()
        left = itertools.count(after, -1)

        def step(_: str) -> Any:
            if next(left) == 0:
                self.smtp.scripts[moment] = DEFAULTS[moment]
                do()
                done.set()
            return DEFAULTS[moment]

        self.smtp.scripts[moment] = step
        return done

    @contextmanager
    def held_at(self, table: str) -> Iterator[Future[Response]]:
        """A call whose mailer waits for a lock at its LOOK or its STORE."""
        if self.who != "web":  # the call itself stores first what the background tells later
            self.site.stop(self.who)
            response = self.call()
            assert response.result().status == 202
        with self.site.database() as cursor:
            cursor.execute(f"BEGIN; LOCK TABLE {table} MODE")
            if self.who == "web":
                response = self.call()
            else:
                self.site.start(self.who)
            self._wait_for_lock(table)
            yield response
            with suppress(psycopg2.Error):  # PostgreSQL was stopped, and the lock is gone
                cursor.execute("ROLLBACK")

    def _wait_for_lock(self, table: str) -> None:
        like = "%uid_is_taken%" if table == LOOK else "WITH _meeting AS (%"
        name, _, _ = table.partition(" ")
        waits = {"table": name, "like": like}
        wait_until(lambda: self.site.query(WAITS, waits)[0][0], f"{like} to wait")

    def states(self) -> set[str]:
        return {state for (state,) in self.site.query(STATES, {"uid": self.uid})}

    def is_done(self) -> bool:
        """Whether everybody was told and nothing is left to do."""
        states = self.states()
        return "sent" in states and not self.site.query(IS_OWED, {"uid": self.uid})

    def let_time_pass(self) -> None:
        """The leases of who is dead and had mails in hand, and claims, end."""
        with self.site.database() as cursor:
            cursor.execute(END_LEASES)
            cursor.execute("UPDATE meetings_meeting SET due_at = now() WHERE due_at > now()")

    def copies(self) -> Counter[tuple[str, str]]:
        """How many copies of each mail the mail server accepted, by recipient and Message-ID."""
        found: Counter[tuple[str, str]] = Counter()
        for mail in self.smtp.accepted:
            message = message_from_bytes(mail.raw, policy=policy.default)
            if message["Subject"].endswith(self.uid):
                found.update((address, str(message["Message-ID"])) for address in mail.recipients)
        return found

    def recover(self) -> None:
        """Start what was killed, and wait until everybody was told."""
        if "mail" in self.site.running:
            self.site.stop("mail")
        self.let_time_pass()
        self.site.start("mail")
        wait_until(self.is_done, "the rest")


@pytest.fixture(scope="module")
def _site() -> Iterator[tuple[Site, ScriptedSMTP]]:
    with (
        open_folder() as var,
        ScriptedSMTP() as smtp,
        Site(var, smtp.url, with_broker=broker.is_there(), WEB_CONCURRENCY="1") as site,
    ):
        site.start("web")
        site.wait_for_web()
        yield site, smtp


_numbers = itertools.count(1)


@pytest.fixture(params=["web", "mail", "worker"], scope="module")
def who(request: pytest.FixtureRequest) -> str:
    """Who mails, and is killed."""
    if request.param == "worker":
        broker.require()
    return str(request.param)


@pytest.fixture
def scene(_site: tuple[Site, ScriptedSMTP], who: str) -> Iterator[Scene]:
    """Of who is in the background, only who mails runs.

    Workers have beat beside them: where the broker is slow, the task of a call may be lost.
    """
    site, smtp = _site
    wanted = {"database", "web", who} | ({"beat"} if who == "worker" else set())
    for name in site.running.keys() - wanted:
        site.stop(name)
    for name in wanted - site.running.keys():
        site.start(name)
    site.wait_for_web()
    wait_until(lambda: len(site.web_workers()) == 1, "the web server's worker")
    made = Scene(site, smtp, f"crash-{next(_numbers)}", who)
    smtp.drop_connections()  # so that the next conversation begins with the banner
    yield made
    smtp.scripts.update(DEFAULTS)
    made.pool.shutdown()
