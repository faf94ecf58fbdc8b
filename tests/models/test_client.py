"""Clients: each key has one, and calls without a key share one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from meetings.models import ApiKey, Client
from tests.support.servers.database import another_session, threads_own_connection
from tests.support.waiting import wait_until

LOCAL = "INSERT INTO meetings_client (name, is_local) VALUES ('local', true)"
WAITS = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO "meetings_client"%'
"""


@pytest.mark.django_db
def test_new_key_has_a_client_of_its_own() -> None:
    keys = [ApiKey.objects.create_key(name="HR", senders=[])[0] for _ in range(2)]
    assert [key.client.name for key in keys] == ["HR", "HR"]
    assert keys[0].client != keys[1].client


@pytest.mark.django_db
def test_key_of_a_given_client_makes_no_other() -> None:
    client = Client.objects.create(name="HR")
    key, _ = ApiKey.objects.create_key(name="second key", senders=[], client=client)
    assert (key.client, Client.objects.get()) == (client, client)


@pytest.mark.django_db(transaction=True)
def test_key_that_cannot_be_saved_makes_no_client() -> None:
    with pytest.raises(Exception, match="too long"):
        ApiKey.objects.create_key(name="n" * 60, senders=[])
    assert not Client.objects.exists()


@pytest.mark.django_db
def test_local_client_is_made_once() -> None:
    assert Client.objects.local() == Client.objects.local()
    assert Client.objects.get().name == "local"


@pytest.mark.django_db(transaction=True)
def test_two_first_calls_without_key_make_one_client() -> None:
    def local() -> Client:
        with threads_own_connection():
            return Client.objects.local()

    with another_session() as first, another_session() as observer, ThreadPoolExecutor(1) as pool:
        first.execute("BEGIN")
        first.execute(LOCAL)
        second = pool.submit(local)
        wait_until(lambda: _count(observer), "the second insert")
        first.execute("COMMIT")
        assert second.result() == Client.objects.get()


def _count(observer: Any) -> int:
    observer.execute(WAITS)
    return int(observer.fetchone()[0])
