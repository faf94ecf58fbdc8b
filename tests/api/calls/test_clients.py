"""Two clients may use the same uid. Neither hears of the other's meeting."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from meetings.models import ApiKey, Meeting
from tests.api.conftest import Do, Mails
from tests.api.responses import body_of
from tests.conftest import Call
from tests.support.servers.database import another_session, threads_own_connection
from tests.support.servers.smtp_server import ScriptedSMTP

pytestmark = pytest.mark.django_db
DIGITS = re.compile(r"-[0-9a-f]{8}")


@pytest.fixture
def booking_key(db: None) -> str:
    """The key of another client."""
    return ApiKey.objects.create_key(name="Booking", senders=["*@example.com"])[1]


def uids_in(mails: Mails) -> list[str]:
    """The UID of each mail, as calendars know it."""
    return [mail.vevent.uid.value for mail in mails()]


def test_two_clients_may_send_the_same_uid(
    call: Call, send: Do, meeting: dict[str, Any], mails: Mails, booking_key: str
) -> None:
    first = send(uid="m")
    response = call(meeting | {"uid": "m", "subj": "Something else"}, key=booking_key)
    assert (response.status_code, body_of(response)["uid"]) == (200, "m")
    assert first["uid"] == "m"
    of_first, of_second = uids_in(mails)
    assert of_first == "m"
    assert DIGITS.fullmatch(of_second.removeprefix("m"))


def test_each_client_changes_its_own_meeting(
    call: Call, send: Do, meeting: dict[str, Any], mails: Mails, booking_key: str
) -> None:
    send(uid="m")
    call(meeting | {"uid": "m"}, key=booking_key)
    call({"operation": "update", "uid": "m", "subj": "New"}, key=booking_key)
    call({"operation": "cancel", "uid": "m"}, key=booking_key)
    of_first, of_second = dict.fromkeys(uids_in(mails))
    assert uids_in(mails) == [of_first, *[of_second] * 4]
    first, second = Meeting.objects.order_by("pk")
    assert (first.sequence, first.is_cancelled) == (0, False)
    assert (second.sequence, second.is_cancelled) == (2, True)


def test_same_send_again_is_the_same_call_of_each_client(
    call: Call, send: Do, meeting: dict[str, Any], mail_server: ScriptedSMTP, booking_key: str
) -> None:
    for _ in range(2):
        send(uid="m")
        assert call(meeting | {"uid": "m"}, key=booking_key).status_code == 200
    assert (Meeting.objects.count(), len(mail_server.received)) == (2, 2)


def test_uid_in_use_on_the_wire_is_free_for_its_client(
    call: Call, send: Do, meeting: dict[str, Any], mails: Mails, booking_key: str
) -> None:
    send(uid="m")
    call(meeting | {"uid": "m"}, key=booking_key)
    taken = uids_in(mails)[1]
    assert send(uid=taken)["uid"] == taken
    assert DIGITS.fullmatch(uids_in(mails)[2].removeprefix(taken))


def test_longest_uid_stays_within_255_characters(
    call: Call, send: Do, meeting: dict[str, Any], mails: Mails, booking_key: str
) -> None:
    longest = "u" * 255
    send(uid=longest)
    assert call(meeting | {"uid": longest}, key=booking_key).status_code == 200
    assert len(uids_in(mails)[1]) == 255
    assert body_of(call({"operation": "cancel", "uid": longest}, key=booking_key))["sequence"] == 1


def test_series_of_either_client_can_be_split(
    call: Call, send: Do, meeting: dict[str, Any], mails: Mails, booking_key: str
) -> None:
    weekly = meeting | {"uid": "m", "repeat": {"FREQ": "WEEKLY", "COUNT": 5}}
    send(**weekly)
    call(weekly, key=booking_key)
    future = {"operation": "update", "uid": "m", "occurrence": "2032-03-15", "scope": "future"}
    new_uid = body_of(call(future | {"subj": "New"}, key=booking_key))["new_uid"]
    _, of_second, of_ended, of_rest = uids_in(mails)
    assert (of_ended, of_rest) == (of_second, new_uid)
    assert call({"operation": "cancel", "uid": new_uid}).status_code == 404
    assert call({"operation": "cancel", "uid": new_uid}, key=booking_key).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_busy_meeting_of_another_client_delays_nobody(
    call: Call, send: Do, meeting: dict[str, Any], booking_key: str
) -> None:
    send(uid="m")
    with another_session() as busy:
        busy.execute("BEGIN")
        busy.execute("SELECT FROM meetings_meeting FOR UPDATE")
        assert call(meeting | {"uid": "m"}, key=booking_key).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_clients_that_send_one_uid_at_once_both_succeed(
    call: Call, meeting: dict[str, Any], mails: Mails
) -> None:
    keys = [ApiKey.objects.create_key(name=str(n), senders=["*"])[1] for n in range(8)]
    start = threading.Barrier(len(keys))

    def one(key: str) -> int:
        with threads_own_connection():
            connection.ensure_connection()
            start.wait()
            return int(call(meeting | {"uid": "m"}, key=key).status_code)

    with ThreadPoolExecutor(len(keys)) as pool:
        assert set(pool.map(one, keys)) == {200}
    found = uids_in(mails)
    assert (len(set(found)), found.count("m")) == (8, 1)
