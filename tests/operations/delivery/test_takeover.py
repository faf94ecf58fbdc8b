"""Mails in the hands of a process that has died: others take them over, or plan anew."""

from typing import Any

import pytest

from meetings.models import Attendee, Delivery, DeliveryState, Mail, Meeting, Sender
from meetings.operations.work import adopt_orphans, claim
from tests.support.background import deliver, deliver_later
from tests.support.cast import BOB, CAROL, MONDAYS
from tests.support.other_process import OtherProcess
from tests.support.readers.mail import Mails
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states_by_person
from tests.support.stories import SECOND, THIRD, cancel, queue, recipients, send, update

pytestmark = pytest.mark.usefixtures("db", "mail_server")


@pytest.fixture
def dead(db: None, mail_server: ScriptedSMTP) -> OtherProcess:
    """It has stored the mail of a new meeting. Nobody knows if it has sent it."""
    queue()
    process = OtherProcess()
    process.stores()
    process.dies()
    return process


def columns(*names: str) -> set[Any]:
    """These columns of all deliveries."""
    return set(Delivery.objects.values_list(*names))


def test_another_process_sends_the_same_octets_again(
    dead: OtherProcess, mail_server: ScriptedSMTP
) -> None:
    deliver()
    [consignment] = dead.consignments
    assert [mail.raw for mail in mail_server.received] == [consignment.raw]
    assert Mail.objects.count() == 1
    assert columns("state", "attempt", "unknown_ends") == {("sent", 2, 1)}


def test_mail_of_dead_process_is_written_as_possible_before_it_goes_again(
    dead: OtherProcess,
) -> None:
    second = OtherProcess()
    second.stores()
    told = ("told_method", "told_possible")
    assert set(Attendee.objects.values_list(*told)) == {(None, True)}
    assert columns("state", "sender") == {("sending", second.lease.sender_id)}
    second.sends()
    assert set(Attendee.objects.values_list(*told)) == {("REQUEST", False)}


def test_process_that_only_seemed_dead_has_recorded_first(
    dead: OtherProcess, mail_server: ScriptedSMTP
) -> None:
    second = OtherProcess()
    second.looks()
    assert len(dead.records(DeliveryState.SENT)) == 2
    written = second.stores()
    assert written is not None
    assert written.again == {}
    second.sends()
    assert mail_server.received == []


def test_delivery_that_was_taken_over_records_nothing(
    dead: OtherProcess, mail_server: ScriptedSMTP, caplog: pytest.LogCaptureFixture
) -> None:
    second = OtherProcess()
    second.stores()
    assert dead.records(DeliveryState.REFUSED, "550 no") == {}
    assert columns("state", "attempt", "sender") == {("sending", 2, second.lease.sender_id)}
    dead.sends()  # its lease has ended, so it does not
    assert mail_server.received == []
    assert "2 deliveries had been taken over" in caplog.text
    assert len(second.records(DeliveryState.SENT)) == 2
    assert columns("state") == {("sent",)}


def test_mail_of_living_process_is_left_alone(mail_server: ScriptedSMTP) -> None:
    queue()
    OtherProcess().stores()
    assert adopt_orphans() == 0
    deliver()
    assert mail_server.received == []
    assert columns("state", "attempt") == {("sending", 1)}


def test_call_takes_over_at_once(dead: OtherProcess, mail_server: ScriptedSMTP) -> None:
    assert recipients(send()) == {BOB.address: "told", CAROL.address: "told"}
    assert len(mail_server.received) == 1


def test_call_is_never_answered_0_for_a_mail_that_may_have_arrived(
    dead: OtherProcess, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["mail"] = "550 5.7.1 no"
    standing = send()
    assert (standing.error, standing.pending) == ("", True)
    assert set(recipients(standing).values()) == {"queued"}
    deliver_later()  # the background's refusal is final
    assert {row.failed_sequence for row in Attendee.objects.all()} == {0}


def test_newer_version_goes_instead_of_what_a_dead_process_had(
    dead: OtherProcess, mails: Mails
) -> None:
    update(summary="New", budget=0)
    deliver()
    [mail] = mails()
    assert (mail.sequence, mail.vevent.summary.value) == (1, "New")
    states = ["dropped", "sent"]
    assert states_by_person() == {BOB.address: states, CAROL.address: states}
    # Nobody knows what the reader knows, so the mail compares with nothing.
    assert Mail.objects.get(sequence=1).compared_with is None


def test_cancel_reaches_those_who_may_have_the_request(dead: OtherProcess, mails: Mails) -> None:
    assert recipients(cancel()) == {BOB.address: "told", CAROL.address: "told"}
    assert [mail.method for mail in mails()] == ["CANCEL", "CANCEL"]


def test_removed_guest_who_may_have_the_request_gets_a_cancel(
    dead: OtherProcess, mails: Mails
) -> None:
    update(attendees=(BOB,))
    assert sorted((mail.method, *mail.people) for mail in mails()) == [
        ("CANCEL", CAROL.address),
        ("REQUEST", BOB.address),
    ]


def test_chain_of_a_dead_process_may_have_arrived_as_a_whole(mails: Mails) -> None:
    send(rule=MONDAYS)
    update(occurrence=SECOND, location="Room 9")
    cancel(occurrence=THIRD, budget=0)
    update(summary="New", budget=0)
    process = OtherProcess()
    process.stores()  # the whole, then its changed occurrence
    process.dies()
    OtherProcess().stores()
    assert set(Attendee.objects.values_list("told_possible", flat=True)) == {True}
    rows = {
        (told.method, told.possible)
        for row in Attendee.objects.all()
        for told in row.told_occurrences.all()
    }
    assert rows == {("REQUEST", True)}


def test_orphaned_meeting_is_due_at_once(dead: OtherProcess) -> None:
    assert Meeting.objects.get().due_at is None
    assert adopt_orphans() == 1
    assert claim() == [Meeting.objects.get().pk]
    assert claim() == []


def test_dead_sender_is_forgotten_when_no_delivery_names_it(dead: OtherProcess) -> None:
    adopt_orphans()
    assert Sender.objects.filter(pk=dead.lease.sender_id).exists()
    deliver()
    adopt_orphans()
    assert not Sender.objects.filter(pk=dead.lease.sender_id).exists()
