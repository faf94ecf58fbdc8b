"""This process as a sender: its lease is kept for what it has in hand, and for nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now

from meetings.models import Delivery, Meeting, Sender
from meetings.operations.steps.sending.sender import current_lease, in_hand, renew_leases
from meetings.operations.steps.tell import bring_up_to_date
from tests.support.background import deliver, end_leases
from tests.support.cast import MONDAYS
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import THIRD, queue, send, update

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("mail_server")]

STORE = "INSERT INTO meetings_mail"


@contextmanager
def lost_response(to: str) -> Iterator[None]:
    """PostgreSQL runs the first statement with these words, but its response does not arrive."""
    lost: list[str] = []

    def run(execute: Any, sql: str, *rest: Any) -> Any:
        response = execute(sql, *rest)
        if to in sql and not lost:
            lost.append(sql)
            connection.close()
            raise OperationalError("server closed the connection unexpectedly")
        return response

    with connection.execute_wrapper(run):
        yield
    assert lost


def moves_on(sender_id: int) -> bool:
    """Whether the sender is still said to live."""
    Sender.objects.filter(pk=sender_id).update(alive_until=Now() + timedelta(seconds=1))
    [before] = Sender.objects.filter(pk=sender_id).values_list("alive_until", flat=True)
    renew_leases()
    return Sender.objects.filter(pk=sender_id, alive_until__gt=before).exists()


def sender_of_deliveries() -> int:
    """The one sender whose the deliveries are."""
    [sender] = set(Delivery.objects.values_list("sender", flat=True))
    assert sender is not None
    return sender


def test_sender_of_a_store_without_a_response_is_left_to_die(mail_server: ScriptedSMTP) -> None:
    with lost_response(STORE), pytest.raises(OperationalError):
        send()
    assert states() == ["sending", "sending"]
    assert not moves_on(sender_of_deliveries())
    assert moves_on(current_lease().sender_id)
    end_leases()
    deliver()
    assert states() == ["sent", "sent"]
    assert len(mail_server.received) == 1


def test_background_leaves_a_store_without_a_response_as_calls_do() -> None:
    queue()
    with lost_response(STORE), pytest.raises(OperationalError):
        bring_up_to_date(Meeting.objects.get().pk)
    assert not moves_on(sender_of_deliveries())


def test_split_whose_commit_fails_leaves_its_sender_too() -> None:
    send(rule=MONDAYS)
    before = current_lease().sender_id
    with lost_response(STORE), pytest.raises(OperationalError):
        update(occurrence=THIRD, and_future=True, location="Room 9")
    assert current_lease().sender_id != before


def test_other_mails_in_hand_keep_a_sender_that_was_left() -> None:
    ours = current_lease()
    with in_hand(ours):
        with pytest.raises(ZeroDivisionError), in_hand(ours):
            raise ZeroDivisionError
        assert moves_on(ours.sender_id)
        assert current_lease().sender_id != ours.sender_id
    assert not moves_on(ours.sender_id)


def test_lost_race_leaves_the_sender_as_it_is() -> None:
    ours = current_lease()
    with pytest.raises(KeyError), in_hand(ours, stores_nothing=KeyError):
        raise KeyError
    assert current_lease() is ours


def test_lease_that_could_not_be_renewed_sends_nothing_more() -> None:
    ours = current_lease()
    end_leases()
    renew_leases()
    assert ours.left == 0
    assert current_lease().sender_id != ours.sender_id
