"""Calls that go on beside a test, in other threads, and the mails that come of them."""

from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from meetings.operations.steps.sending.threads import sender_threads
from meetings.queries.standing import Standing
from tests.support.servers.database import threads_own_connection
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.waiting import PATIENCE

BEGUN = 3.0
"""Seconds of a call in which also a busy machine begins to send its mail."""


def copies(mail_server: ScriptedSMTP) -> Counter[str]:
    """How many mails the server took for each person."""
    return Counter(to for mail in mail_server.accepted for to in mail.recipients)


def rest() -> None:
    """Wait until no sender thread has anything to do."""
    assert sender_threads.finish(PATIENCE)


def in_a_thread(pool: ThreadPoolExecutor, story: partial[Standing]) -> Future[Standing]:
    """The story, told by another thread with a connection of its own."""

    def tell() -> Standing:
        with threads_own_connection():
            return story()

    return pool.submit(tell)
