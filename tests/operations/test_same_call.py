"""The same call again makes no version: what is outstanding goes out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from meetings.itip.event import Role
from meetings.models import Mail, Meeting, Version
from meetings.operations.steps.errors import Conflict
from meetings.queries.standing import Standing
from tests.support.background import deliver
from tests.support.cast import ALICE, BOB, CAROL, DAN, MONDAYS
from tests.support.readers.mail import Mails
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stories import SECOND, THIRD, cancel, recipients, send, update

pytestmark = pytest.mark.usefixtures("db", "mail_server")
NOBODY_THERE = "550 5.1.1 no such user"
BOTH_TOLD = {BOB.address: "told", CAROL.address: "told"}
Call = Callable[[], Standing]


def versions() -> int:
    return Version.objects.count()


@pytest.fixture
def refuses_all(mail_server: ScriptedSMTP) -> Callable[[bool], None]:
    """Have the mail server refuse everything, or accept it again."""

    def switch(on: bool) -> None:
        mail_server.scripts["mail"] = "554 5.7.1 not today" if on else "250 ok"

    return switch


def test_send_again_mails_nobody_who_has_it(mail_server: ScriptedSMTP) -> None:
    first = send()
    again = send()
    assert recipients(first) == recipients(again) == BOTH_TOLD
    assert (again.told, again.pending, again.sequence) == (True, False, 0)
    assert len(mail_server.received) == 1


def test_send_again_tries_those_who_were_refused(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: NOBODY_THERE}
    assert recipients(send()) == {BOB.address: "outstanding", CAROL.address: "told"}
    mail_server.scripts["rcpt"] = "250 ok"
    assert recipients(send()) == BOTH_TOLD
    first, second = mail_server.accepted
    assert (first.recipients, second.recipients) == ((CAROL.address,), (BOB.address,))


def test_send_again_is_result_1_if_somebody_has_it(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: NOBODY_THERE}
    send()
    again = send()
    assert recipients(again) == {BOB.address: "outstanding", CAROL.address: "told"}
    assert (again.told, again.error) == (True, "")


def test_send_again_is_result_0_if_nobody_has_it(
    refuses_all: Callable[[bool], None],
) -> None:
    refuses_all(True)
    assert send().error
    assert send().error
    refuses_all(False)
    assert recipients(send()) == BOTH_TOLD
    assert versions() == 1


def test_send_again_of_a_queued_meeting_is_queued() -> None:
    assert recipients(send(budget=0)) == recipients(send(budget=0))
    assert Meeting.objects.count() == versions() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"attendees": (CAROL, BOB)},
        {"attendees": (replace(BOB, address="BOB@Example.ORG"), CAROL)},
        {"attendees": (replace(BOB, name="Robert"), CAROL)},
        {"organizer": replace(ALICE, address="ALICE@Example.COM")},
    ],
    ids=["order of people", "case of an address", "name of a guest", "case of the sender"],
)
def test_same_people_written_otherwise_are_the_same_call(
    mail_server: ScriptedSMTP, changes: dict[str, Any]
) -> None:
    send()
    assert send(**changes).sequence == 0
    assert len(mail_server.received) == 1


@pytest.mark.parametrize(
    "changes",
    [{"attendees": (BOB, replace(CAROL, role=Role.REQUIRED))}, {"attendees": (BOB,)}],
    ids=["another role", "fewer people"],
)
def test_other_people_are_other_content(changes: dict[str, Any]) -> None:
    send()
    with pytest.raises(Conflict):
        send(**changes)


def test_send_again_after_an_update_is_a_conflict() -> None:
    send()
    update(summary="New")
    with pytest.raises(Conflict):
        send()


def test_update_that_changes_nothing_is_a_version_and_says_so(mails: Mails) -> None:
    send()
    assert (update(summary="Weekly review").sequence, versions()) == (1, 2)
    text = mails()[-1].text
    assert "Here is this meeting again; nothing has changed." in text


def test_update_again_is_no_version_where_nobody_was_told(
    refuses_all: Callable[[bool], None], mails: Mails
) -> None:
    send()
    refuses_all(True)
    assert update(summary="New", attendees=(BOB,)).error
    refuses_all(False)
    standing = update(summary="New", attendees=(BOB,))
    assert (standing.sequence, versions()) == (1, 2)
    assert recipients(standing) == BOTH_TOLD
    assert sorted((mail.method, *mail.people) for mail in mails()[1:]) == [
        ("CANCEL", CAROL.address),
        ("REQUEST", BOB.address),
    ]


def test_update_again_is_a_version_where_somebody_was_told(mail_server: ScriptedSMTP) -> None:
    send()
    mail_server.scripts["rcpt"] = {BOB.address: NOBODY_THERE}
    update(summary="New")
    assert update(summary="New").sequence == 2


def test_queued_update_again_is_no_version(mails: Mails) -> None:
    send()
    assert [update(summary="New", budget=0).sequence for _ in range(2)] == [1, 1]
    deliver()
    assert [mail.sequence for mail in mails()] == [0, 1]


def test_update_again_is_a_version_while_a_mail_of_it_is_open(mail_server: ScriptedSMTP) -> None:
    send()
    mail_server.scripts["rcpt"] = "451 4.3.0 later"
    update(summary="New", budget=0)
    deliver()
    assert update(summary="New").sequence == 2


def test_update_again_of_an_occurrence_is_no_version_where_nobody_was_told(
    refuses_all: Callable[[bool], None], mails: Mails
) -> None:
    send(rule=MONDAYS)
    refuses_all(True)
    assert update(occurrence=SECOND, location="Room 9").error
    refuses_all(False)
    assert recipients(update(occurrence=SECOND, location="Room 9")) == BOTH_TOLD
    assert versions() == 2
    assert mails()[-1].vevent.location.value == "Room 9"


def test_cancel_again_is_no_version_and_tries_who_was_refused(mail_server: ScriptedSMTP) -> None:
    send()
    mail_server.scripts["rcpt"] = {CAROL.address: NOBODY_THERE}
    assert recipients(cancel())[CAROL.address] == "outstanding"
    mail_server.scripts["rcpt"] = "250 ok"
    again = cancel()
    assert (again.sequence, recipients(again)) == (1, BOTH_TOLD)
    assert recipients(cancel()) == BOTH_TOLD
    assert [mail.recipients for mail in mail_server.accepted[1:]] == [
        (BOB.address,),
        (CAROL.address,),
    ]


def test_cancel_of_occurrence_again_is_no_version(mail_server: ScriptedSMTP) -> None:
    send(rule=MONDAYS)
    mail_server.scripts["rcpt"] = {CAROL.address: NOBODY_THERE}
    cancel(occurrence=SECOND)
    mail_server.scripts["rcpt"] = "250 ok"
    again = cancel(occurrence=SECOND)
    assert (again.sequence, recipients(again)) == (1, BOTH_TOLD)
    assert [mail.recipients for mail in mail_server.accepted[1:]] == [
        (BOB.address,),
        (CAROL.address,),
    ]


def test_cancel_of_occurrence_again_after_another_call_reaches_the_rest(
    refuses_all: Callable[[bool], None], mails: Mails
) -> None:
    send(rule=MONDAYS)
    refuses_all(True)
    assert cancel(occurrence=SECOND).error
    refuses_all(False)
    update(occurrence=THIRD, location="Room 9")
    assert [mail.method for mail in mails()[1:]].count("CANCEL") == 2
    assert recipients(cancel(occurrence=SECOND)) == BOTH_TOLD
    assert len(mails()) == 4


def test_cut_again_is_no_version(refuses_all: Callable[[bool], None], mails: Mails) -> None:
    send(rule=MONDAYS)
    refuses_all(True)
    assert cancel(occurrence=THIRD, and_future=True).error
    refuses_all(False)
    for _ in range(2):
        again = cancel(occurrence=THIRD, and_future=True)
        assert (again.sequence, recipients(again)) == (1, BOTH_TOLD)
    assert [mail.method for mail in mails()] == ["REQUEST", "REQUEST"]


def test_split_again_is_no_version(refuses_all: Callable[[bool], None], mails: Mails) -> None:
    send(rule=MONDAYS)
    refuses_all(True)
    first = update(occurrence=SECOND, and_future=True, location="Room 9")
    assert first.error
    refuses_all(False)
    for _ in range(2):
        again = update(occurrence=SECOND, and_future=True, location="Room 9")
        assert (again.new_uid, again.sequence) == (first.new_uid, 1)
        assert recipients(again) == BOTH_TOLD
    assert Meeting.objects.count() == 2
    assert len(mails()) == 3


def test_split_again_knows_people_in_the_callers_order(mails: Mails) -> None:
    send(rule=MONDAYS)
    optional_first = (CAROL, BOB)  # the list is kept with required people first
    for _ in range(2):
        update(occurrence=SECOND, and_future=True, attendees=optional_first)
    assert Meeting.objects.count() == 2
    assert len(mails()) == 3


def test_split_with_other_content_is_another_call() -> None:
    send(rule=MONDAYS)
    update(occurrence=THIRD, and_future=True, location="Room 9")
    second = update(occurrence=SECOND, and_future=True, location="Room 9", attendees=(BOB, DAN))
    assert Meeting.objects.filter(continues__isnull=False).count() == 2
    assert second.sequence == 2
    assert Mail.objects.filter(meeting__uid=second.new_uid).count() == 1
