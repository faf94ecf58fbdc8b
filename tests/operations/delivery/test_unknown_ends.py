"""The connection breaks after the final dot: the mail may have arrived, or not (RFC 1047)."""

from datetime import datetime
from typing import Any

import pytest

from meetings.models import Attendee, Delivery, Mail
from tests.support.background import deliver_later
from tests.support.cast import BOB, CAROL, MONDAYS
from tests.support.readers.mail import Mails
from tests.support.servers.database import another_session
from tests.support.servers.smtp_conversation import Step
from tests.support.servers.smtp_server import DROP, ScriptedSMTP
from tests.support.stored import row_of
from tests.support.stories import SECOND, cancel, recipients, send, update

pytestmark = pytest.mark.usefixtures("db", "mail_server")
BOTH = (BOB.address, CAROL.address)


@pytest.fixture
def may_have_it(db: None, mail_server: ScriptedSMTP) -> None:
    """Bob and Carol may have the meeting: the server broke off after the dot, twice."""
    mail_server.scripts["dot"] = DROP
    send()
    mail_server.scripts["dot"] = "250 ok"


def columns(*names: str) -> set[Any]:
    return set(Delivery.objects.values_list(*names))


def told() -> set[Any]:
    return set(Attendee.objects.values_list("told_method", "told_sequence", "told_possible"))


def test_same_octets_go_again_at_once(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["dot"] = [DROP, "250 ok"]
    assert recipients(send()) == dict.fromkeys(BOTH, "told")
    first, again = mail_server.received
    assert first.raw == again.raw
    assert columns("state", "attempt", "unknown_ends") == {("sent", 2, 1)}
    assert told() == {("REQUEST", 0, False)}


@pytest.mark.django_db(transaction=True)
def test_unknown_end_is_recorded_before_the_second_try(mail_server: ScriptedSMTP) -> None:
    recorded = []

    def second_dot(_: str) -> Step:
        with another_session() as cursor:
            cursor.execute("SELECT attempt, state, unknown_ends FROM meetings_delivery")
            recorded.extend(cursor.fetchall())
            cursor.execute("SELECT told_possible FROM meetings_attendee")
            recorded.extend(cursor.fetchall())
        return "250 ok"

    def first_dot(_: str) -> Step:
        mail_server.scripts["dot"] = second_dot
        return DROP

    mail_server.scripts["dot"] = first_dot
    send()
    assert recorded == [(2, "sending", 1), (2, "sending", 1), (True,), (True,)]


def test_call_tries_twice_and_is_never_answered_0(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["dot"] = DROP
    standing = send()
    assert (standing.told, standing.pending, standing.error) == (False, True, "")
    assert recipients(standing) == dict.fromkeys(BOTH, "queued")
    assert len(mail_server.received) == 2
    assert columns("state", "attempt", "unknown_ends") == {("unknown", 2, 2)}
    assert told() == {(None, None, True)}


@pytest.mark.parametrize("reply", ["550 5.7.1 no", "451 4.3.0 later"])
def test_refusal_after_an_unknown_end_is_no_0_either(mail_server: ScriptedSMTP, reply: str) -> None:
    mail_server.scripts |= {"dot": DROP, "mail": ["250 ok", reply]}
    standing = send()
    assert (standing.pending, standing.error) == (True, "")
    assert told() == {(None, None, True)}  # what is possible does not end with a refusal


def test_unknown_end_of_what_is_over_is_no_0_either(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["dot"] = DROP
    standing = send(start=datetime(2020, 3, 2, 10), end=datetime(2020, 3, 2, 11))
    assert (standing.pending, standing.error, standing.may_have_arrived) == (False, "", True)
    assert recipients(standing) == dict.fromkeys(BOTH, "outstanding")


def test_last_unknown_end_of_a_call_is_no_0_either(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["dot"] = DROP
    send()
    assert send().error == ""
    assert columns("state", "unknown_ends") == {("dropped", 3)}


def test_third_try_is_the_backgrounds_and_the_last(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["dot"] = DROP
    send()
    deliver_later()
    assert len(mail_server.received) == 3
    assert columns("state", "unknown_ends") == {("dropped", 3)}
    assert {row.failed_sequence for row in Attendee.objects.all()} == {0}
    deliver_later()
    assert len(mail_server.received) == 3
    standing = cancel()
    assert {person.may_have_more for person in standing.people} == {True}


@pytest.mark.usefixtures("may_have_it")
def test_background_sends_the_same_octets(mail_server: ScriptedSMTP) -> None:
    deliver_later()
    assert len({mail.raw for mail in mail_server.received}) == 1
    assert Mail.objects.count() == 1
    assert told() == {("REQUEST", 0, False)}


@pytest.mark.usefixtures("may_have_it")
def test_same_call_again_sends_the_same_octets(mail_server: ScriptedSMTP) -> None:
    assert recipients(send()) == dict.fromkeys(BOTH, "told")
    assert len({mail.raw for mail in mail_server.received}) == 1


@pytest.mark.usefixtures("may_have_it")
def test_cancel_reaches_who_may_have_the_request(mails: Mails) -> None:
    assert recipients(cancel()) == dict.fromkeys(BOTH, "told")
    assert [mail.method for mail in mails()] == ["CANCEL", "CANCEL"]


@pytest.mark.usefixtures("may_have_it")
def test_newer_version_is_no_invitation_and_compares_with_nothing(mails: Mails) -> None:
    update(summary="New")
    [mail] = mails()
    text = mail.text
    assert "Here is this meeting as it is now." in text
    assert "Weekly review" not in text


def test_later_mail_waits_for_the_one_that_may_have_arrived(mail_server: ScriptedSMTP) -> None:
    send(rule=MONDAYS)
    update(occurrence=SECOND, location="Room 9")
    mail_server.scripts["dot"] = DROP
    update(summary="New")
    states = Delivery.objects.filter(mail__sequence=2, attendee__address=BOB.address)
    assert list(states.order_by("pk").values_list("state", flat=True)) == ["unknown", "dropped"]
    mail_server.scripts["dot"] = "250 ok"
    deliver_later()
    assert row_of(BOB.address).told_sequence == 2
    newest = Mail.objects.filter(deliveries__attendee__address=BOB.address).latest("pk")
    assert newest.recurrence_id == "TZID=Asia/Shanghai:20320308T100000"


def test_server_that_always_breaks_off_gets_no_flood(mail_server: ScriptedSMTP) -> None:
    send(rule=MONDAYS)
    update(occurrence=SECOND, location="Room 9")
    mail_server.scripts["dot"] = DROP
    before = len(mail_server.received)
    cancel(budget=0)
    for _ in range(10):
        deliver_later()
    # Each of the two gets the CANCEL at most three times, as often as one mail is tried.
    assert len(mail_server.received) - before <= 6
