"""The statement that finds the key and counts the call."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from pytest_django import DjangoAssertNumQueries, Settings

from meetings.models import ApiKey, CallCount, Client
from meetings.models.call_count import CountedCall, count_call_with_key, count_call_without_key
from meetings.operations.retention import drop_old_counts
from tests.support.servers.database import threads_own_connection

MINUTE = 60
DAY = 86_400
pytestmark = pytest.mark.django_db


def counted(secret: str, window: int = DAY) -> CountedCall:
    call = count_call_with_key(secret, window=window)
    assert call is not None
    return call


def test_call_is_counted_for_the_client_of_its_key(
    secret: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    stored = ApiKey.objects.select_related("client").get()
    for number in (1, 2, 3):
        with django_assert_num_queries(1):
            call = counted(secret)
            key = call.api_key
            assert (call.count, call.client, key) == (number, stored.client, stored)
            assert key is not None
            assert (key.name, key.senders, key.client) == (stored.name, stored.senders, call.client)
            assert key.respond_async is False


def test_call_without_key_is_counted_for_the_local_client(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    assert count_call_without_key(window=DAY).count == 1
    with django_assert_num_queries(1):
        call = count_call_without_key(window=DAY)
    assert (call.count, call.client, call.api_key) == (2, Client.objects.local(), None)


def test_unknown_key_counts_nothing(secret: str) -> None:
    assert count_call_with_key(f"{secret}x", window=DAY) is None
    assert not CallCount.objects.exists()


def test_key_from_a_call_cannot_lose_its_hash(secret: str) -> None:
    key = counted(secret).api_key
    assert key is not None
    key.save()
    assert ApiKey.objects.is_valid(secret)


def test_each_window_is_counted_anew(secret: str) -> None:
    assert [counted(secret).count for _ in range(2)] == [1, 2]
    CallCount.objects.update(window_start=F("window_start") - timedelta(days=1))
    assert counted(secret).count == 1


@pytest.mark.parametrize("window", [1, MINUTE, 3600, DAY])
def test_window_ends_within_its_length(secret: str, window: int) -> None:
    assert 1 <= counted(secret, window).seconds_left <= window


def test_window_begins_at_a_multiple_of_its_length(secret: str) -> None:
    counted(secret, 3600)
    assert CallCount.objects.get().window_start.timestamp() % 3600 == 0


@pytest.mark.django_db(transaction=True)
def test_calls_of_many_sessions_are_all_counted(secret: str) -> None:
    start = threading.Barrier(8)

    def twenty(_: int) -> list[int]:
        with threads_own_connection():
            connection.ensure_connection()
            start.wait()
            return [counted(secret).count for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        counts = [count for found in pool.map(twenty, range(8)) for count in found]
    assert sorted(counts) == list(range(1, 161))


def test_table_needs_no_flush_and_has_room_for_updates() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relpersistence, reloptions FROM pg_class WHERE relname = 'meetings_callcount'"
        )
        assert cursor.fetchone() == ("u", ["fillfactor=50"])


def test_only_counts_of_past_windows_are_dropped(secret: str, settings: Settings) -> None:
    client = counted(secret, MINUTE).client
    [now] = CallCount.objects.values_list("window_start", flat=True)
    for hours in (0.5, 2, 12, 30):
        started = now - timedelta(hours=hours)
        CallCount.objects.create(client=client, window_start=started, count=1)
    settings.MEETINGS_RATE = "1000/day"
    assert drop_old_counts() == 1
    settings.MEETINGS_RATE = "600/min"
    assert drop_old_counts() == 2
    assert CallCount.objects.count() == 2
