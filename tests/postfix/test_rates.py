"""More mails, or connections, than Postfix takes from one client: everybody is told once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from meetings.transport.smtp.pool import close_kept_connections
from tests.postfix.conftest import Copies, limits
from tests.support.cast import BOB, CAROL
from tests.support.servers.database import threads_own_connection
from tests.support.servers.postfix import Postfix
from tests.support.stories import hr_system, queue, send
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)
UIDS = [f"meeting-{number}" for number in range(8)]
ONCE = {(uid, person.address): 1 for uid in UIDS for person in (BOB, CAROL)}
few_messages = limits(smtpd_client_message_rate_limit="3", anvil_rate_time_unit="2s")


def call(uid: str) -> None:
    """Send the meeting, and make the same call again while the result is 0, as callers do."""
    while send(uid=uid).error:
        pass


@few_messages
def test_background_past_the_rate_of_messages_tells_all(postfix: Postfix, copies: Copies) -> None:
    for uid in UIDS:
        queue(uid)
    assert copies() == ONCE
    assert "Message delivery request rate limit exceeded" in postfix.said()


@few_messages
def test_calls_past_the_rate_of_messages_tell_all(postfix: Postfix, copies: Copies) -> None:
    for uid in UIDS:
        call(uid)
    assert copies() == ONCE
    assert "Message delivery request rate limit exceeded" in postfix.said()


@limits(smtpd_client_connection_rate_limit="3", anvil_rate_time_unit="2s")
def test_calls_past_the_rate_of_connections_tell_all(postfix: Postfix, copies: Copies) -> None:
    for uid in UIDS:
        call(uid)
        close_kept_connections()
    assert copies() == ONCE
    assert "Connection rate limit exceeded" in postfix.said()


@limits(smtpd_client_connection_count_limit="2")
def test_calls_past_the_number_of_connections_tell_all(postfix: Postfix, copies: Copies) -> None:
    hr_system()
    start = Barrier(len(UIDS))

    def one(uid: str) -> None:
        with threads_own_connection():
            connection.ensure_connection()
            start.wait(PATIENCE)
            call(uid)

    with ThreadPoolExecutor(len(UIDS)) as pool:
        list(pool.map(one, UIDS))
    assert copies() == ONCE
    assert "Connection concurrency limit exceeded" in postfix.said()
