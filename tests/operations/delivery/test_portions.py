"""More is due than one STORE takes: it goes out in portions, and people keep sharing mails."""

import pytest

from meetings.itip.event import Attendee
from meetings.models import Mail, Meeting
from meetings.operations import work
from meetings.operations.steps import plan
from tests.support.background import deliver
from tests.support.cast import BOB, CAROL, MONDAYS
from tests.support.other_process import OtherProcess
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states, states_by_person
from tests.support.stories import SECOND, THIRD, recipients, send, update

pytestmark = pytest.mark.usefixtures("db", "mail_server", "three_at_once")


@pytest.fixture
def three_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_DELIVERIES", 3)


def people(count: int) -> tuple[Attendee, ...]:
    return tuple(Attendee(address=f"person-{number}@example.org") for number in range(count))


def test_store_makes_so_many_deliveries_at_most_and_the_rest_stays_due() -> None:
    send(attendees=people(8), budget=0)
    for stored in (3, 6, 8):
        assert work.work() == 1
        assert states() == ["sent"] * stored
    assert work.work() == 0


@pytest.fixture
def chain(db: None, mail_server: ScriptedSMTP) -> list[int]:
    """Bob and Carol are due the whole anew, and the two days of it that were changed."""
    send(rule=MONDAYS)
    for day in (SECOND, THIRD):
        update(occurrence=day, location="Room 9")
    update(summary="New", budget=0)
    mail_server.received.clear()
    return [Meeting.objects.get().pk]


def test_people_who_share_mails_get_the_first_ones_before_the_others(
    mail_server: ScriptedSMTP, chain: list[int]
) -> None:
    work.tell_people_of(chain)
    assert [mail.recipients for mail in mail_server.accepted] == [(BOB.address, CAROL.address)]
    assert Mail.objects.filter(sequence=3).count() == 1
    deliver()
    assert len(mail_server.accepted) == Mail.objects.filter(sequence=3).count() == 3
    assert set(states()) == {"sent"}


def test_rest_of_a_chain_is_due_when_its_beginning_has_left(chain: list[int]) -> None:
    process = OtherProcess()
    process.stores()
    assert work.claim() == []  # nobody takes some of those people away meanwhile
    process.sends()
    assert work.claim() == chain


def test_rest_of_a_chain_goes_on_after_its_sender_died(
    mail_server: ScriptedSMTP, chain: list[int]
) -> None:
    process = OtherProcess()
    process.stores()
    process.dies()
    deliver()
    assert len(mail_server.accepted) == 3
    assert states_by_person()[BOB.address][-3:] == ["sent"] * 3


def test_later_mails_do_not_follow_a_beginning_that_was_refused(
    mail_server: ScriptedSMTP, chain: list[int]
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "550 5.1.1 no"}
    deliver()
    assert [mail.recipients for mail in mail_server.accepted] == [(CAROL.address,)] * 3
    assert Meeting.objects.get().due_at is None


@pytest.mark.usefixtures("chain")
def test_call_sends_a_chain_in_several_stores(mail_server: ScriptedSMTP) -> None:
    standing = update(summary="Newer")
    assert recipients(standing) == {BOB.address: "told", CAROL.address: "told"}
    assert len(mail_server.accepted) == 3


def test_call_tells_all_in_several_stores(mail_server: ScriptedSMTP) -> None:
    standing = send(attendees=people(8))
    assert set(recipients(standing).values()) == {"told"}
    assert [len(mail.recipients) for mail in mail_server.accepted] == [3, 3, 2]
