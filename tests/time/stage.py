"""What the scenes play on: an installation, its mail server, and the length of all times.

The delays of the mail server and the limits of the application are divided by one number. It is 1
in ``make chaos``, and more in ``make test``, where no scene may last a minute.
"""

import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from email import message_from_bytes, policy
from itertools import count
from typing import Any

import requests

from tests.crash.conftest import END_LEASES, IS_OWED
from tests.support.callers import Response, is_served, post
from tests.support.servers.processes import Process, run
from tests.support.servers.site import Site, open_folder
from tests.support.servers.smtp_conversation import Step, Transaction
from tests.support.servers.smtp_server import DEFAULTS, Gate, ScriptedSMTP
from tests.support.waiting import PATIENCE, wait_until

# Seconds, as a deployment has them that sets nothing.
LIMITS = {
    "EMAIL_TIMEOUT": (30.0,),
    "MEETINGS_TIME_BUDGET": (10.0,),
    "MEETINGS_SMTP_DEADLINE": (300.0,),
    "MEETINGS_SMTP_LAST_REPLY": (600.0,),
    "MEETINGS_STOP_TIMEOUT": (25.0,),
    "MEETINGS_BACK_OFF": (30.0, 120.0, 600.0, 1800.0, 3600.0),
}
# A scene that asks for an order of events lets none of the limits end what it holds up.
ENDLESS = {name: f"{4 * PATIENCE:g}" for name in LIMITS if name != "MEETINGS_BACK_OFF"}
# Connections of clients stay open between two requests, until the server ends.
KEPT_OPEN = {"GUNICORN_CMD_ARGS": "--keep-alive 3600"}
MOST_CALLS = 64  # at once
ALICE = {
    "DJANGO_SUPERUSER_USERNAME": "alice",
    "DJANGO_SUPERUSER_EMAIL": "alice@example.com",
    "DJANGO_SUPERUSER_PASSWORD": "correct horse",
}
IS_BEHIND = """
SELECT person.address, person.last_reply FROM meetings_attendee AS person
JOIN meetings_meeting AS meeting ON meeting.id = person.meeting_id
WHERE meeting.uid = %(uid)s AND person.told_sequence IS DISTINCT FROM meeting.sequence
"""


@contextmanager
def open_stage(divisor: float) -> Iterator["Stage"]:
    """A web server of one process and a mail loop, with nothing of a scene yet."""
    with (
        open_folder() as var,
        ScriptedSMTP() as smtp,
        Site(var, smtp.url, with_broker=False, with_pgbouncer=False, **limits(divisor)) as site,
        ThreadPoolExecutor(MOST_CALLS) as pool,
    ):
        run(site.env | ALICE, "manage.py", "createsuperuser", "--noinput", "-v0")
        yield Stage(site, smtp, pool, divisor)


def limits(divisor: float) -> dict[str, str]:
    """The application's limits, divided, in one process."""
    return {
        name: ",".join(f"{value / divisor:g}" for value in values)
        for name, values in LIMITS.items()
    } | {"WEB_CONCURRENCY": "1"}


class Stage:
    """See the module. ``uid`` is new in each scene."""

    def __init__(
        self, site: Site, smtp: ScriptedSMTP, pool: ThreadPoolExecutor, divisor: float
    ) -> None:
        self.site = site
        self.smtp = smtp
        self.uid = ""
        self._pool = pool
        self._divisor = divisor
        self._scenes = count(1)
        self._extensions = smtp.extensions

    def begin(self, *extensions: str, **settings: str) -> None:
        """Begin a scene: the mail server forgets its script, and all processes start anew."""
        self.uid = f"scene-{next(self._scenes)}"
        self.smtp.scripts.update(DEFAULTS)
        self.smtp.bears = None
        self.smtp.extensions = (*self._extensions, *extensions)
        self.smtp.drop_connections()
        for name in ("web", "mail"):
            if name in self.site.running:
                self.site.stop(name)
            self.site.own.pop(name, None)
            self.site.start(name, **settings)
        self.site.wait_for_web()

    def seconds(self, whole: float) -> float:
        """So many seconds, divided."""
        return whole / self._divisor

    def call(
        self, people: Sequence[str], *, uid: str = "", operation: str = "send", subj: str = ""
    ) -> Future[Response]:
        """Begin a call. The subjects of its mails end with the ``uid``."""
        uid = uid or self.uid
        body = {
            "operation": operation,
            "uid": uid,
            "start": "2037-03-02 10:00",
            "end": "2037-03-02 11:00",
            "sender": "alice@example.com",
            "receiver": {"required": list(people)},
            "subj": f"{subj} {uid}".strip(),
            "description": "",
            "location": "",
        }
        return self._pool.submit(post, self.site.port, body)

    @contextmanager
    def held(self, moment: str, which: Callable[[str], bool], then: Step = "") -> Iterator[Gate]:
        """Hold up the first client whose argument at this ``moment`` is ``which``.

        It goes on when the gate is opened, at the end at the latest. All others get ``then``.
        """
        reply = then or DEFAULTS[moment]
        gate, is_first = Gate(reply), threading.Lock()

        def step(argument: str) -> Step:
            if which(argument) and is_first.acquire(blocking=False):
                return gate(argument)
            return reply

        self.smtp.scripts[moment] = step
        try:
            yield gate
        finally:
            gate.open()

    def check_that_others_are_answered(self) -> None:
        """A client that reads, one that is refused, and an operator in the admin."""
        assert is_served(self.site.port)
        assert post(self.site.port, {"operation": "send"}).status == 400
        address = f"http://127.0.0.1:{self.site.port}/admin/"
        with requests.Session() as browser:
            form = browser.get(address, timeout=PATIENCE)
            login = {
                "username": ALICE["DJANGO_SUPERUSER_USERNAME"],
                "password": ALICE["DJANGO_SUPERUSER_PASSWORD"],
                "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            }
            browser.post(form.url, data=login, timeout=PATIENCE)
            page = browser.get(f"{address}meetings/meeting/", timeout=PATIENCE)
        assert page.url.endswith("meetings/meeting/")
        assert page.status_code == 200

    def tell_web_to_end(self) -> Process:
        """Send SIGTERM. The process heard of it when this returns. It needs ``KEPT_OPEN``."""
        address = ("127.0.0.1", self.site.port)
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            connection.sendall(b"HEAD /meeting_server/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 ")
            web = self.site.running.pop("web")
            web.signal(signal.SIGTERM)
            # It closes the connections on which it waits for another request.
            while connection.recv(65536):
                pass
        return web

    def let_leases_end(self) -> None:
        """Let the leases of who is dead and had mails in hand have ended, and the claims."""
        with self.site.database() as cursor:
            cursor.execute(END_LEASES)
            cursor.execute("UPDATE meetings_meeting SET due_at = now() WHERE due_at > now()")

    def wait_until_told(self, *uids: str) -> None:
        """Until nothing is left to do for these meetings, or the scene's. All must be told."""
        for uid in uids or (self.uid,):
            wait_until(lambda uid=uid: not self._rows(IS_OWED, uid), f"the last mail of {uid}")  # type: ignore[misc]
            assert self._rows(IS_BEHIND, uid) == []

    def _rows(self, statement: str, uid: str) -> list[tuple[Any, ...]]:
        return self.site.query(statement, {"uid": uid})

    def taken(self, uid: str = "") -> list[Transaction]:
        """The meeting's mails whose final dot arrived, and that the server did not refuse."""
        return [
            mail
            for mail in list(self.smtp.received)
            if mail.reply[:1] in ("", "2") and subject(mail.raw).endswith(uid or self.uid)
        ]

    def copies(self, uid: str = "") -> Counter[str]:
        """How many mails of the meeting came for each person."""
        return Counter(person for mail in self.taken(uid) for person in mail.recipients)


def subject(raw: bytes | str) -> str:
    """Of a mail."""
    raw = raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else raw
    return str(message_from_bytes(raw, policy=policy.default)["Subject"])
