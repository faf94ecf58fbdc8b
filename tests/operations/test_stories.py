"""Send, update, cancel and resend: what each one stores, mails and returns."""

from zlib import decompress

import pytest

from meetings.addresses import address_key
from meetings.itip.event import Attendee
from meetings.models import Mail, MailBytes, Meeting, Version
from meetings.models.outbox.look import look
from meetings.operations.steps.errors import Conflict, UnknownMeeting
from tests.support.background import deliver, deliver_later
from tests.support.cast import ALICE, BOB, CAROL, DAN, MALLORY
from tests.support.readers.mail import Mails
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import row_of
from tests.support.stories import cancel, hr_system, recipients, send, send_again, update

pytestmark = pytest.mark.usefixtures("db", "mail_server")
BOTH_TOLD = {BOB.address: "told", CAROL.address: "told"}
NOBODY_THERE = "550 5.1.1 no such user"


def sent_to(mail_server: ScriptedSMTP) -> list[tuple[str, ...]]:
    """The recipients of each mail that was accepted."""
    return [transaction.recipients for transaction in mail_server.accepted]


def test_send_stores_the_meeting_and_mails_one_request(
    mails: Mails, mail_server: ScriptedSMTP
) -> None:
    standing = send()
    assert recipients(standing) == BOTH_TOLD
    assert (standing.sequence, standing.told, standing.error) == (0, True, "")
    [mail] = mails()
    assert (mail.method, mail.sequence, mail.people) == ("REQUEST", 0, [BOB.address, CAROL.address])
    assert sent_to(mail_server) == [(BOB.address, CAROL.address)]
    stored = look(hr_system().client, standing.uid).stored
    assert stored is not None
    assert stored.event.attendees == (BOB, CAROL)
    assert stored.meeting.thread == mail.mail["Message-ID"]


def test_stored_bytes_are_the_bytes_that_were_sent(mail_server: ScriptedSMTP) -> None:
    send()
    assert decompress(MailBytes.objects.get().raw) == mail_server.received[0].raw


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


def test_update_cancels_for_removed_guest_and_requests_for_the_rest(mails: Mails) -> None:
    send()
    standing = update(attendees=(BOB,), location="Room 8")
    assert standing.sequence == 1
    assert recipients(standing) == BOTH_TOLD
    _, first, second = mails()
    to_carol, to_bob = sorted((first, second), key=lambda mail: mail.method)
    assert (to_carol.method, to_carol.people, to_carol.sequence) == ("CANCEL", [CAROL.address], 1)
    assert not hasattr(to_carol.vevent, "status")
    assert (to_bob.method, to_bob.people, to_bob.sequence) == ("REQUEST", [BOB.address], 1)
    assert to_bob.mail["In-Reply-To"] == Meeting.objects.get().thread
    assert Version.objects.get(sequence=1).changes["LOCATION"] == ["Room 7", "Room 8"]


def test_update_names_whom_it_removes() -> None:
    send()
    [note] = update(attendees=(BOB,)).notes
    assert [person.address for person in note.people] == [CAROL.address]


def test_removed_guest_without_request_gets_no_cancel(
    mails: Mails, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: NOBODY_THERE}
    send()
    standing = update(attendees=(BOB,))
    assert recipients(standing) == {BOB.address: "told"}
    assert [(mail.method, mail.people) for mail in mails()] == [
        ("REQUEST", [BOB.address, CAROL.address]),
        ("REQUEST", [BOB.address]),
    ]


def test_newcomer_gets_a_mail_of_their_own(mails: Mails, mail_server: ScriptedSMTP) -> None:
    send()
    assert recipients(update(attendees=(BOB, CAROL, DAN))) == BOTH_TOLD | {DAN.address: "told"}
    assert sorted(sent_to(mail_server)[1:]) == [(BOB.address, CAROL.address), (DAN.address,)]


def test_cancel_goes_to_each_person_alone(mails: Mails) -> None:
    send()
    assert cancel(reason="Room flooded").sequence == 1
    _, to_bob, to_carol = mails()
    assert [to_bob.people, to_carol.people] == [[BOB.address], [CAROL.address]]
    assert {mail.vevent.status.value for mail in (to_bob, to_carol)} == {"CANCELLED"}
    assert {mail.vevent.comment.value for mail in (to_bob, to_carol)} == {"Room flooded"}
    assert Meeting.objects.get().is_cancelled


def test_cancel_of_undelivered_meeting_mails_nobody(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["mail"] = "554 5.7.1 not today"
    assert send().error
    mail_server.scripts["mail"] = "250 ok"
    standing = cancel()
    assert (standing.asked, standing.error, standing.pending) == (frozenset(), "", False)
    assert mail_server.accepted == []
    assert Meeting.objects.get().is_cancelled


def test_cancelled_meeting_refuses_update() -> None:
    send()
    cancel()
    with pytest.raises(Conflict):
        update(summary="New")


@pytest.mark.parametrize("operation", [update, cancel, send_again])
def test_unknown_uid_is_refused(operation: object) -> None:
    assert callable(operation)
    with pytest.raises(UnknownMeeting):
        operation("never-sent")


def test_organizer_alone_is_invited(mails: Mails) -> None:
    alone = Attendee(address=ALICE.address, name="Alice")
    assert recipients(send(attendees=(alone,))) == {ALICE.address: "told"}
    standing = update(attendees=(BOB,))
    assert recipients(standing) == {BOB.address: "told", ALICE.address: "told"}
    assert [mail.method for mail in mails()] == ["REQUEST"] * 3


def test_resend_keeps_sequence_and_renews_dtstamp(mails: Mails) -> None:
    send()
    assert recipients(send_again()) == BOTH_TOLD
    first, again = mails()
    assert (first.sequence, again.sequence) == (0, 0)
    assert again.dtstamp > first.dtstamp
    assert again.mail["Message-ID"] != first.mail["Message-ID"]


def test_resend_to_one_person_reaches_nobody_else(mail_server: ScriptedSMTP) -> None:
    send()
    standing = send_again(to=CAROL.address.upper())
    assert standing.asked == {address_key(CAROL.address)}
    assert sent_to(mail_server) == [(BOB.address, CAROL.address), (CAROL.address,)]


def test_resend_to_one_person_leaves_the_next_try_of_others(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "451 4.3.0 later"}
    send()
    mail_server.scripts["rcpt"] = "250 ok"
    send_again(to=CAROL.address)
    deliver()
    assert sent_to(mail_server) == [(CAROL.address,)] * 2
    assert Meeting.objects.get().due_at == row_of(BOB.address).retry_at
    deliver_later()
    assert sent_to(mail_server)[2:] == [(BOB.address,)]


def test_resend_of_failed_tells_what_is_outstanding(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: NOBODY_THERE}
    send()
    mail_server.scripts["rcpt"] = "250 ok"
    assert recipients(send_again(only_failed=True)) == BOTH_TOLD
    assert sent_to(mail_server) == [(CAROL.address,), (BOB.address,)]


def test_resend_of_failed_mails_nobody_when_all_are_told(mail_server: ScriptedSMTP) -> None:
    send()
    standing = send_again(only_failed=True)
    assert recipients(standing) == BOTH_TOLD
    assert len(mail_server.received) == 1


def test_resend_to_a_stranger_is_a_conflict(mail_server: ScriptedSMTP) -> None:
    send()
    with pytest.raises(Conflict):
        send_again(to=MALLORY)
    assert len(mail_server.received) == 1


def test_resend_of_cancelled_meeting_is_its_cancel(mails: Mails) -> None:
    send()
    cancel(reason="Room flooded")
    send_again(to=BOB.address)
    assert (mails()[-1].method, mails()[-1].sequence) == ("CANCEL", 1)
    assert mails()[-1].vevent.comment.value == "Room flooded"


def test_resend_of_cancelled_meeting_reaches_only_those_who_were_told(
    mail_server: ScriptedSMTP,
) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: NOBODY_THERE}
    send()
    mail_server.scripts["rcpt"] = "250 ok"
    cancel()
    send_again()
    assert sent_to(mail_server) == [(BOB.address,)] * 3


def test_newer_version_is_told_instead_of_the_deferred_one(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "450 4.2.1 later"}
    assert recipients(send()) == {BOB.address: "queued", CAROL.address: "told"}
    mail_server.scripts["rcpt"] = "250 ok"
    assert recipients(update(summary="New")) == BOTH_TOLD
    to_bob = Mail.objects.filter(deliveries__attendee__address=BOB.address).order_by("pk")
    assert list(to_bob.values_list("sequence", "deliveries__state").distinct()) == [
        (0, "dropped"),
        (1, "sent"),
    ]
