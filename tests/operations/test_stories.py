"""Send, update, cancel and resend: what each one stores, mails and returns."""

import pytest

from meetings.models import Delivery, DeliveryState, Mail, Meeting, Version
from meetings.operations.steps.errors import Conflict, UnknownMeeting
from tests.support.cast import BOB, CAROL, MALLORY
from tests.support.readers.mail import Mails
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stories import cancel, send, send_again, update

pytestmark = pytest.mark.usefixtures("db", "mail_server")


def test_send_stores_the_meeting_and_mails_one_request(
    mails: Mails, mail_server: ScriptedSMTP
) -> None:
    standing = send()
    assert standing.recipients == {
        BOB.address: DeliveryState.SENT,
        CAROL.address: DeliveryState.SENT,
    }
    [mail] = mails()
    assert (mail.method, mail.sequence, mail.people) == ("REQUEST", 0, [BOB.address, CAROL.address])
    assert mail_server.received[0].recipients == (BOB.address, CAROL.address)
    stored = Meeting.objects.get(uid=standing.uid)
    assert stored.event().attendees == (BOB, CAROL)
    assert stored.thread == mail.mail["Message-ID"]


def test_stored_bytes_are_the_bytes_that_were_sent(mail_server: ScriptedSMTP) -> None:
    send()
    assert bytes(Mail.objects.get().raw or b"") == mail_server.received[0].raw


def test_duplicate_send_mails_nobody(mail_server: ScriptedSMTP) -> None:
    assert send() == send()
    assert len(mail_server.received) == 1


def test_duplicate_send_retries_failed_recipients(mail_server: ScriptedSMTP) -> None:
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


def test_used_uid_with_other_content_is_a_conflict(mail_server: ScriptedSMTP) -> None:
    send()
    with pytest.raises(Conflict):
        send(summary="Something else")
    assert len(mail_server.received) == 1


def test_cancelled_uid_cannot_be_sent_again() -> None:
    send()
    cancel()
    with pytest.raises(Conflict):
        send()


def test_update_cancels_removed_guest_then_requests(mails: Mails) -> None:
    send()
    standing = update(attendees=(BOB,), location="Room 8")
    assert standing.sequence == 1
    _, to_carol, to_bob = mails()
    assert (to_carol.method, to_carol.people, to_carol.sequence) == ("CANCEL", [CAROL.address], 1)
    assert not hasattr(to_carol.vevent, "status")
    assert (to_bob.method, to_bob.people, to_bob.sequence) == ("REQUEST", [BOB.address], 1)
    assert to_bob.mail["In-Reply-To"] == Meeting.objects.get().thread
    assert Version.objects.get(sequence=1).changes["LOCATION"] == ["Room 7", "Room 8"]


def test_removed_guest_without_request_gets_no_cancel(
    mails: Mails, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: "550 5.1.1 no such user"}
    send()
    update(attendees=(BOB,))
    assert [(mail.method, mail.people) for mail in mails()] == [
        ("REQUEST", [BOB.address, CAROL.address]),
        ("REQUEST", [BOB.address]),
    ]


def test_cancel_goes_to_each_person_alone(mails: Mails) -> None:
    send()
    assert cancel(reason="Room flooded").sequence == 1
    _, to_bob, to_carol = mails()
    assert [to_bob.people, to_carol.people] == [[BOB.address], [CAROL.address]]
    assert {mail.vevent.status.value for mail in (to_bob, to_carol)} == {"CANCELLED"}
    assert Meeting.objects.get().is_cancelled


def test_duplicate_cancel_retries_failed_recipients(mail_server: ScriptedSMTP) -> None:
    send()
    mail_server.scripts["rcpt"] = {CAROL.address: "550 5.1.1 no such user"}
    assert cancel().recipients[CAROL.address] is DeliveryState.FAILED
    mail_server.scripts["rcpt"] = "250 ok"
    standing = cancel()
    assert (standing.sequence, standing.recipients[CAROL.address]) == (1, DeliveryState.SENT)
    assert [transaction.recipients for transaction in mail_server.received[1:]] == [
        (BOB.address,),
        (CAROL.address,),
    ]


def test_cancel_of_undelivered_meeting_mails_nobody(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["mail"] = "554 5.7.1 not today"
    assert not send().sent
    mail_server.scripts["mail"] = "250 ok"
    standing = cancel()
    assert (standing.recipients, standing.error, mail_server.received) == ({}, "", [])
    assert Meeting.objects.get().is_cancelled


def test_cancelled_meeting_refuses_update() -> None:
    send()
    cancel()
    with pytest.raises(Conflict):
        update(summary="New")


def test_unknown_uid_is_refused() -> None:
    for operation in (update, cancel, send_again):
        with pytest.raises(UnknownMeeting):
            operation("never-sent")


def test_resend_keeps_sequence_and_renews_dtstamp(mails: Mails) -> None:
    send()
    send_again()
    first, again = mails()
    assert (first.sequence, again.sequence) == (0, 0)
    assert again.dtstamp > first.dtstamp
    assert again.mail["Message-ID"] != first.mail["Message-ID"]


def test_resend_can_go_to_some_recipients_only(mail_server: ScriptedSMTP) -> None:
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


def test_resend_of_cancelled_meeting_is_its_cancel(mails: Mails) -> None:
    send()
    cancel(reason="Room flooded")
    send_again(to=BOB.address)
    assert (mails()[-1].method, mails()[-1].sequence) == ("CANCEL", 1)
    assert mails()[-1].vevent.comment.value == "Room flooded"


def test_update_supersedes_unsent_older_version(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "450 4.2.1 later"}
    assert send().recipients[BOB.address] is DeliveryState.QUEUED
    mail_server.scripts["rcpt"] = "250 ok"
    update(summary="New")
    states = (
        Delivery.objects.filter(address=BOB.address).order_by("pk").values_list("state", flat=True)
    )
    assert list(states) == [DeliveryState.SUPERSEDED, DeliveryState.SENT]
