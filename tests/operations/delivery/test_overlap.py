"""Calls and processes that are at the same meeting: who passes over whom, and who comes back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from meetings.models import Attendee, Delivery, DeliveryState, Mail, Meeting, Version
from tests.support.background import deliver, deliver_later
from tests.support.cast import BOB, CAROL, DAN
from tests.support.other_process import OtherProcess
from tests.support.readers.mail import Mails
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states_by_person
from tests.support.stories import cancel, queue, recipients, send, update

pytestmark = pytest.mark.usefixtures("db", "mail_server")
LATER = "451 4.3.0 try later"


@pytest.fixture
def other(db: None, mail_server: ScriptedSMTP) -> OtherProcess:
    """It has stored the mail of a meeting that is new, and has not sent it yet."""
    queue()
    process = OtherProcess()
    process.stores()
    return process


def methods(mails: Mails) -> list[tuple[str, int]]:
    return [(mail.method, mail.sequence) for mail in mails()]


def test_plan_that_loses_the_race_writes_nothing() -> None:
    queue()
    slow = OtherProcess()
    slow.looks()
    update(summary="New", budget=0)
    before = Meeting.objects.values().get()
    assert slow.stores() is None
    assert Meeting.objects.values().get() == before
    assert not Mail.objects.exists()
    assert not Delivery.objects.exists()
    assert not Attendee.objects.exclude(told_stamp=None).exists()


def test_only_one_of_two_plans_mails(mails: Mails) -> None:
    queue()
    first, second = OtherProcess(), OtherProcess()
    first.looks()
    second.looks()
    assert first.stores() is not None
    assert second.stores() is None
    first.sends()
    deliver()
    assert methods(mails) == [("REQUEST", 0)]


def test_call_passes_over_those_whom_another_process_mails(
    other: OtherProcess, mail_server: ScriptedSMTP
) -> None:
    standing = update(summary="New", budget=0.05)
    assert recipients(standing) == {BOB.address: "sending", CAROL.address: "sending"}
    assert (standing.pending, standing.told) == (True, False)
    assert mail_server.received == []
    assert Meeting.objects.get().passed_over


def test_record_makes_a_meeting_due_where_somebody_was_passed_over(
    other: OtherProcess, mails: Mails
) -> None:
    update(summary="New", budget=0.05)
    deliver()
    assert mails() == []  # the other process may still be at it
    other.sends()
    deliver()
    assert methods(mails) == [("REQUEST", 0), ("REQUEST", 1)]
    assert Meeting.objects.get().due_at is None


def test_cancel_waits_for_the_request_that_is_under_way(other: OtherProcess, mails: Mails) -> None:
    standing = cancel(budget=0.05)
    assert recipients(standing) == {BOB.address: "sending", CAROL.address: "sending"}
    assert standing.pending
    other.sends()
    deliver()
    assert methods(mails) == [("REQUEST", 0), ("CANCEL", 1), ("CANCEL", 1)]


@pytest.mark.parametrize("end", [DeliveryState.REFUSED, DeliveryState.DEFERRED])
def test_cancel_mails_nobody_whose_request_did_not_arrive(
    other: OtherProcess, mails: Mails, end: DeliveryState
) -> None:
    cancel(budget=0.05)
    other.records(end)
    deliver_later()
    assert mails() == []
    assert set(Delivery.objects.values_list("state", flat=True)) <= {"refused", "dropped"}


def test_guest_removed_while_invited_gets_a_cancel(mail_server: ScriptedSMTP, mails: Mails) -> None:
    mail_server.scripts["rcpt"] = {DAN.address: LATER}
    send(attendees=(BOB, CAROL, DAN))
    mail_server.scripts["rcpt"] = "250 ok"
    Attendee.objects.filter(address=DAN.address).update(retry_at=Now())
    to_dan = OtherProcess()
    to_dan.stores()
    assert recipients(update(attendees=(BOB, CAROL), budget=0))[DAN.address] == "sending"
    deliver()
    to_dan.sends()
    deliver()
    assert [(mail.method, mail.sequence) for mail in mails()] == [
        ("REQUEST", 0),
        ("REQUEST", 1),
        ("REQUEST", 0),
        ("CANCEL", 1),
    ]
    assert mails()[-1].people == [DAN.address]


def test_call_that_passes_over_somebody_gives_nobody_up(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {DAN.address: LATER}
    send(attendees=(BOB, CAROL, DAN))
    Attendee.objects.filter(address=DAN.address).update(retry_at=Now())
    OtherProcess().stores()
    mail_server.scripts["rcpt"] = LATER
    standing = update(summary="New", budget=0.5)
    assert (standing.pending, standing.error) == (True, "")
    mail_server.scripts["rcpt"] = "250 ok"
    deliver_later()
    told = Attendee.objects.exclude(address=DAN.address).values_list("told_sequence", flat=True)
    assert list(told) == [1, 1]


@contextmanager
def ends_before_the_store(process: OtherProcess) -> Iterator[None]:
    """The process sends and records its mail between a look and the store that follows it."""
    left = [process]

    def wrapper(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if left and "UPDATE meetings_meeting AS mine\n    SET plan" in sql:
            left.pop().sends()
        return execute(sql, *rest)

    with connection.execute_wrapper(wrapper):
        yield
    assert not left


def test_call_that_passes_over_who_has_just_ended_is_due_at_once(
    other: OtherProcess, mails: Mails
) -> None:
    with ends_before_the_store(other):
        update(summary="New", budget=0)
    deliver()
    assert methods(mails) == [("REQUEST", 0), ("REQUEST", 1)]


def test_background_that_passes_over_who_has_just_ended_looks_again(
    other: OtherProcess, mails: Mails
) -> None:
    update(summary="New", budget=0)
    Meeting.objects.update(due_at=Now())
    with ends_before_the_store(other):
        deliver()
    assert methods(mails) == [("REQUEST", 0), ("REQUEST", 1)]


def test_same_call_again_waits_for_the_first(
    other: OtherProcess, mail_server: ScriptedSMTP
) -> None:
    standing = send(budget=0.05)
    assert recipients(standing) == {BOB.address: "sending", CAROL.address: "sending"}
    other.sends()
    assert recipients(send()) == {BOB.address: "told", CAROL.address: "told"}
    assert len(mail_server.received) == 1
    assert Version.objects.count() == 1


def test_what_is_recorded_after_the_look_of_a_call_is_not_sent_again(
    other: OtherProcess, mail_server: ScriptedSMTP
) -> None:
    Attendee.objects.update(told_possible=True)  # the end of an earlier mail was unknown
    call = OtherProcess()
    call.looks(is_call=True)
    other.sends()
    assert call.stores() is not None
    deliver_later()
    assert len(mail_server.received) == 1
    assert not Attendee.objects.filter(told_possible=True).exists()


def test_who_gave_up_leaves_what_another_call_has_promised(
    mail_server: ScriptedSMTP, mails: Mails
) -> None:
    queue()
    first = OtherProcess()
    first.stores(is_call=True)
    assert send(budget=0.05).pending
    mail_server.scripts["rcpt"] = LATER
    run = first.sends(is_call=True)
    assert [recorded.failed for recorded in run.results.values()] == [False, False]
    mail_server.scripts["rcpt"] = "250 ok"
    deliver()
    assert methods(mails) == [("REQUEST", 0)]


def test_who_told_nobody_gives_up(mail_server: ScriptedSMTP, mails: Mails) -> None:
    queue()
    first = OtherProcess()
    first.stores(is_call=True)
    mail_server.scripts["mail"] = LATER
    run = first.sends(is_call=True)
    assert [recorded.failed for recorded in run.results.values()] == [True, True]
    mail_server.scripts["mail"] = "250 ok"
    deliver_later()
    assert mails() == []
    assert states_by_person() == {BOB.address: ["dropped"], CAROL.address: ["dropped"]}
