"""send, update, cancel and resend, end to end below the interface: what is stored, what is mailed,
what is answered.
"""

from collections.abc import Callable

import pytest

from meetings.models import Delivery, DeliveryState, Mail, Meeting, Version
from meetings.operations.steps.errors import Conflict, UnknownMeeting
from tests.operations.conftest import Do
from tests.support.cast import BOB, CAROL, MALLORY
from tests.support.mail import Invitation
from tests.support.smtp_server import ScriptedSMTP

Mails = Callable[[], list[Invitation]]


def test_a_send_stores_the_meeting_and_mails_one_request_to_all(
    send: Do, mails: Mails, mail_server: ScriptedSMTP
) -> None:
    receipt = send()
    assert receipt.recipients == {
        BOB.address: DeliveryState.SENT,
        CAROL.address: DeliveryState.SENT,
    }
    [mail] = mails()
    assert (mail.method, mail.sequence, mail.people) == ("REQUEST", 0, [BOB.address, CAROL.address])
    assert mail_server.received[0].recipients == (BOB.address, CAROL.address)
    stored = Meeting.objects.get(uid=receipt.uid)
    assert stored.event().attendees == (BOB, CAROL)
    assert stored.thread == mail.mail["Message-ID"]


def test_the_stored_bytes_are_the_bytes_that_were_sent(send: Do, mail_server: ScriptedSMTP) -> None:
    send()
    assert bytes(Mail.objects.get().raw or b"") == mail_server.received[0].raw


def test_the_same_send_again_mails_nobody_and_answers_the_same(
    send: Do, mail_server: ScriptedSMTP
) -> None:
    assert send() == send()
    assert len(mail_server.received) == 1


def test_a_repeated_send_tries_those_who_have_not_got_it_with_the_same_bytes(
    send: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "550 5.1.1 no such user"}
    assert send().recipients == {
        BOB.address: DeliveryState.FAILED,
        CAROL.address: DeliveryState.SENT,
    }
    mail_server.scripts["rcpt"] = "250 ok"
    assert send().recipients == {BOB.address: DeliveryState.SENT, CAROL.address: DeliveryState.SENT}
    first, second = mail_server.received
    assert (first.recipients, second.recipients) == ((CAROL.address,), (BOB.address,))
    assert first.raw == second.raw


def test_other_content_under_a_used_uid_is_a_conflict(send: Do, mail_server: ScriptedSMTP) -> None:
    send()
    with pytest.raises(Conflict):
        send(summary="Something else")
    assert len(mail_server.received) == 1


def test_a_cancelled_uid_cannot_be_sent_again(send: Do, cancel: Do) -> None:
    send()
    cancel()
    with pytest.raises(Conflict):
        send()


def test_an_update_mails_a_cancel_to_who_left_and_then_a_request_to_the_rest(
    send: Do, update: Do, mails: Mails
) -> None:
    send()
    receipt = update(attendees=(BOB,), location="Room 8")
    assert receipt.sequence == 1
    _, cancel, request = mails()
    assert (cancel.method, cancel.people, cancel.sequence) == ("CANCEL", [CAROL.address], 1)
    assert not hasattr(cancel.vevent, "status")
    assert (request.method, request.people, request.sequence) == ("REQUEST", [BOB.address], 1)
    assert request.mail["In-Reply-To"] == Meeting.objects.get().thread
    assert Version.objects.get(sequence=1).changes["LOCATION"] == ["Room 7", "Room 8"]


def test_who_never_got_the_request_gets_no_cancel_when_removed(
    send: Do, update: Do, mails: Mails, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: "550 5.1.1 no such user"}
    send()
    update(attendees=(BOB,))
    assert [(mail.method, mail.people) for mail in mails()] == [
        ("REQUEST", [BOB.address, CAROL.address]),
        ("REQUEST", [BOB.address]),
    ]


def test_a_cancel_goes_to_each_person_alone_and_marks_the_meeting(
    send: Do, cancel: Do, mails: Mails
) -> None:
    send()
    assert cancel(comment="Room flooded").sequence == 1
    _, to_bob, to_carol = mails()
    assert [to_bob.people, to_carol.people] == [[BOB.address], [CAROL.address]]
    assert {mail.vevent.status.value for mail in (to_bob, to_carol)} == {"CANCELLED"}
    assert Meeting.objects.get().is_cancelled


def test_a_second_cancel_is_a_repetition_that_tries_the_failed_ones_only(
    send: Do, cancel: Do, mail_server: ScriptedSMTP
) -> None:
    send()
    mail_server.scripts["rcpt"] = {CAROL.address: "550 5.1.1 no such user"}
    assert cancel().recipients[CAROL.address] is DeliveryState.FAILED
    mail_server.scripts["rcpt"] = "250 ok"
    receipt = cancel()
    assert (receipt.sequence, receipt.recipients[CAROL.address]) == (1, DeliveryState.SENT)
    assert [transaction.recipients for transaction in mail_server.received[1:]] == [
        (BOB.address,),
        (CAROL.address,),
    ]


def test_cancelling_what_nobody_received_mails_nobody(
    send: Do, cancel: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["mail"] = "554 5.7.1 not today"
    assert not send().sent
    mail_server.scripts["mail"] = "250 ok"
    receipt = cancel()
    assert (receipt.recipients, receipt.error, mail_server.received) == ({}, "", [])
    assert Meeting.objects.get().is_cancelled


def test_an_update_of_a_cancelled_meeting_is_a_conflict(send: Do, update: Do, cancel: Do) -> None:
    send()
    cancel()
    with pytest.raises(Conflict):
        update(summary="New")


@pytest.mark.usefixtures("db")
def test_an_unknown_uid_is_unknown_to_update_cancel_and_resend(
    update: Do, cancel: Do, send_again: Do
) -> None:
    for operation in (update, cancel, send_again):
        with pytest.raises(UnknownMeeting):
            operation("never-sent")


def test_a_resend_has_the_same_sequence_a_newer_dtstamp_and_a_new_message_id(
    send: Do, send_again: Do, mails: Mails
) -> None:
    send()
    send_again()
    first, again = mails()
    assert (first.sequence, again.sequence) == (0, 0)
    assert again.dtstamp > first.dtstamp
    assert again.mail["Message-ID"] != first.mail["Message-ID"]


def test_a_resend_may_go_to_one_person_or_to_the_failed_ones_alone(
    send: Do, send_again: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "550 5.1.1 no such user"}
    send()
    mail_server.scripts["rcpt"] = "250 ok"
    send_again(to=CAROL.address.upper())
    send_again(only_failed=True)
    assert [transaction.recipients for transaction in mail_server.received] == [
        (CAROL.address,),
        (CAROL.address,),
        (BOB.address,),
    ]
    with pytest.raises(Conflict):
        send_again(only_failed=True)
    with pytest.raises(Conflict):
        send_again(to=MALLORY)


def test_a_resend_of_a_cancelled_meeting_is_its_cancel(
    send: Do, cancel: Do, send_again: Do, mails: Mails
) -> None:
    send()
    cancel(comment="Room flooded")
    send_again(to=BOB.address)
    assert (mails()[-1].method, mails()[-1].sequence) == ("CANCEL", 1)
    assert mails()[-1].vevent.comment.value == "Room flooded"


def test_an_update_supersedes_what_an_older_version_has_not_sent_yet(
    send: Do, update: Do, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "450 4.2.1 later"}
    assert send().recipients[BOB.address] is DeliveryState.QUEUED
    mail_server.scripts["rcpt"] = "250 ok"
    update(summary="New")
    states = (
        Delivery.objects.filter(address=BOB.address).order_by("pk").values_list("state", flat=True)
    )
    assert list(states) == [DeliveryState.SUPERSEDED, DeliveryState.SENT]
