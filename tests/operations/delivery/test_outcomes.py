"""What a call is told, by what the mail server says."""

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from meetings.itip.event import Attendee
from meetings.models import Attendee as AttendeeRow
from meetings.models import Delivery, Meeting
from tests.support.background import deliver, deliver_later
from tests.support.cast import BOB, CAROL, DAN, MONDAYS, ROOM
from tests.support.other_process import OtherProcess
from tests.support.servers.smtp_server import HANG, ScriptedSMTP
from tests.support.stored import row_of, states_by_person
from tests.support.stories import SECOND, cancel, queue, recipients, send, update

pytestmark = pytest.mark.usefixtures("db", "mail_server")
LATER = "451 4.3.0 try later"
NOBODY_THERE = "550 5.1.1 no such user"
ACCEPTS = {"mail": "250 ok", "rcpt": "250 ok", "data": "354 go ahead", "dot": "250 ok"}


def outcomes() -> set[tuple[str, int | None]]:
    """The state of each delivery, and the version that its person was given up for."""
    return set(Delivery.objects.values_list("state", "attendee__failed_sequence"))


@pytest.mark.parametrize(
    "scripts",
    [
        {"banner": "421 4.3.2 busy"},
        {"mail": LATER},
        {"mail": "550 5.7.1 no"},
        {"rcpt": LATER},
        {"rcpt": NOBODY_THERE},
        {"data": LATER},
        {"dot": LATER},
        {"dot": "554 5.7.1 spam"},
    ],
    ids=str,
)
def test_nobody_is_told_and_nothing_goes_out_by_itself(
    mail_server: ScriptedSMTP, scripts: dict[str, str]
) -> None:
    mail_server.scripts |= scripts
    standing = send()
    assert (standing.told, standing.pending) == (False, False)
    [reply] = scripts.values()
    assert standing.error == f"The mail server accepted the mail for no recipient: {reply}"
    assert set(recipients(standing).values()) == {"outstanding"}
    assert outcomes() in ({("refused", 0)}, {("dropped", 0)})
    assert Meeting.objects.get().due_at is None
    mail_server.scripts |= ACCEPTS
    mail_server.scripts["banner"] = "220 ready"
    deliver_later()
    assert mail_server.accepted == []


def test_unreachable_mail_server_is_an_error(mail_server: ScriptedSMTP) -> None:
    mail_server.close()
    standing = send()
    assert set(recipients(standing).values()) == {"outstanding"}
    assert "refused" in standing.error.lower()


@pytest.mark.django_db(transaction=True)
def test_time_that_runs_out_is_no_error(mail_server: ScriptedSMTP, settings: Settings) -> None:
    mail_server.scripts["mail"] = HANG
    # On a busy machine a second may be over before the server is reached.
    for seconds in (1, 10, 100):
        settings.EMAIL_TIMEOUT = seconds + 1
        standing = send(uid=f"meeting-{seconds}", budget=seconds)
        assert (standing.pending, standing.error) == (True, "")
        assert set(recipients(standing).values()) == {"queued"}
        if mail_server.connections:
            break
    assert mail_server.received == []
    mail_server.drop_connections()


def test_deferred_person_is_tried_again_if_another_one_was_told(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_JITTER = 0
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    standing = send()
    assert recipients(standing) == {BOB.address: "queued", CAROL.address: "told"}
    assert (standing.told, standing.pending, standing.error) == (True, True, "")
    row, delivery = row_of(BOB.address), Delivery.objects.get(attendee__address=BOB.address)
    assert (delivery.state, delivery.last_reply, row.last_reply) == ("deferred", LATER, LATER)
    assert row.retry_at == Meeting.objects.get().due_at
    mail_server.scripts["rcpt"] = "250 ok"
    deliver()
    assert len(mail_server.accepted) == 1
    deliver_later()
    first, second = mail_server.accepted
    assert (second.recipients, second.raw) == ((BOB.address,), first.raw)
    assert outcomes() == {("sent", None)}


def test_first_accepted_mail_decides_about_those_deferred_before(
    mail_server: ScriptedSMTP,
) -> None:
    send()
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    standing = cancel()  # a mail for each: first Bob's, then Carol's
    assert recipients(standing) == {BOB.address: "queued", CAROL.address: "told"}
    assert outcomes() == {("sent", None), ("deferred", None)}


def test_refused_person_is_outstanding_and_not_tried_again(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: NOBODY_THERE}
    standing = send()
    assert recipients(standing) == {BOB.address: "outstanding", CAROL.address: "told"}
    assert {person.reply for person in standing.people} == {NOBODY_THERE, ""}
    mail_server.scripts["rcpt"] = "250 ok"
    deliver_later()
    assert len(mail_server.accepted) == 1


def test_later_version_tells_whom_the_server_refused_before(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: NOBODY_THERE}
    send()
    mail_server.scripts["rcpt"] = "250 ok"
    assert recipients(update(summary="New")) == {BOB.address: "told", CAROL.address: "told"}
    assert row_of(BOB.address).failed_sequence is None


@pytest.mark.parametrize(("reply", "first"), [(LATER, "deferred"), (NOBODY_THERE, "refused")])
def test_later_mail_goes_only_to_those_who_have_the_earlier(
    mail_server: ScriptedSMTP, reply: str, first: str
) -> None:
    send(rule=MONDAYS)
    update(occurrence=SECOND, location="Room 9")
    mail_server.scripts["rcpt"] = {DAN.address: reply}
    standing = update(attendees=(BOB, CAROL, DAN))  # Dan's are the series, then its second Monday
    assert recipients(standing)[BOB.address] == "told"
    assert states_by_person()[DAN.address] == [first, "dropped"]
    mail_server.scripts["rcpt"] = "250 ok"
    deliver_later()
    last = [first, "dropped"] if first == "refused" else ["sent", "dropped", "sent"]
    assert states_by_person()[DAN.address] == last


def test_mail_that_was_not_begun_in_time_is_planned_anew(mail_server: ScriptedSMTP) -> None:
    queue()
    process = OtherProcess()
    process.stores(is_call=True)
    run = process.sends(is_call=True, seconds=0)
    assert run.progress.goes_on
    assert outcomes() == {("dropped", None)}
    assert mail_server.connections == 0
    deliver()
    assert len(mail_server.accepted) == 1


def test_exception_in_the_transport_is_an_unknown_end(
    mail_server: ScriptedSMTP, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MEETINGS_SMTP_DEADLINE = "soon"  # no number, so that the code itself fails
    standing = send()
    assert (standing.pending, standing.error) == (True, "")
    assert outcomes() == {("unknown", None)}
    assert set(Delivery.objects.values_list("unknown_ends", flat=True)) == {1}
    assert "could not be sent" in caplog.text


class TakesTwo:
    """A mail server that takes two recipients at a time."""

    def __init__(self, mail_server: ScriptedSMTP, reply: str) -> None:
        self.reply = reply
        self.count = 0
        mail_server.scripts |= {"rcpt": self.rcpt, "data": self.data}

    def rcpt(self, _: str) -> str:
        self.count += 1
        return "250 ok" if self.count <= 2 else self.reply

    def data(self, _: str) -> str:
        self.count = 0
        return "354 go ahead"


@pytest.mark.parametrize("reply", ["452 4.5.3 too many", "552 5.5.3 too many"])
def test_people_beyond_the_servers_limit_follow_at_once(
    mail_server: ScriptedSMTP, reply: str
) -> None:
    TakesTwo(mail_server, reply)
    people = (BOB, CAROL, DAN, ROOM, Attendee(address="erin@example.org"))
    standing = send(attendees=people)
    assert set(recipients(standing).values()) == {"told"}
    assert [len(mail.recipients) for mail in mail_server.accepted] == [2, 2, 1]
    assert len({mail.raw for mail in mail_server.accepted}) == 1
    assert set(Delivery.objects.values_list("attempt", flat=True)) == {1}


def test_too_many_recipients_are_deferred_if_the_server_took_nobody(
    mail_server: ScriptedSMTP,
) -> None:
    mail_server.scripts["rcpt"] = "452 4.5.3 too many"
    assert "452" in send().error
    assert outcomes() == {("dropped", 0)}


def test_each_transaction_is_recorded_before_the_next(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1
    mail_server.scripts["mail"] = ["250 ok", "450 4.1.8 try later"]
    assert recipients(send()) == {BOB.address: "told", CAROL.address: "queued"}
    assert AttendeeRow.objects.filter(retry_at__gt=Now()).get().address == CAROL.address
