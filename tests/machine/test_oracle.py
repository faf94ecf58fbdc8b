"""What the machine would say of a service that is wrong."""

from collections.abc import Callable
from zlib import decompress

import pytest

from meetings.itip.event import Role
from meetings.models import Attendee, MailBytes, Meeting
from tests.machine.calls import Wish
from tests.machine.checks import check_end
from tests.machine.machine import Machine
from tests.machine.mail_server import Dot

BOB, CAROL = "bob@example.org", "carol@example.net"
ONE, TWO = {BOB: Role.REQUIRED}, {BOB: Role.REQUIRED, CAROL: Role.REQUIRED}


@pytest.fixture
def told(stepped: Machine) -> Machine:
    """Bob was told of a series, and then of a new title."""
    stepped.send_first(kind="weekly", guests=ONE, pace="all")
    stepped.update(number=0, wish=Wish("title", ONE, 0), pace="all", who=0)
    return stepped


def take_again(stepped: Machine, place: int) -> None:
    """Let the mail server take one of the mails once more for Bob."""
    raws = [decompress(row.raw) for row in MailBytes.objects.order_by("pk")]
    program = stepped.world.programs[0]
    stepped.world.ledger.take(BOB, raws[place], program, acknowledged=True)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda: Meeting.objects.update(location="Room 9"), "is not shown"),
        (lambda: Meeting.objects.update(status="CANCELLED"), "nobody minds"),
        (lambda: Attendee.objects.update(listed=False), "nobody minds"),
        (lambda: Attendee.objects.update(told_sequence=0), "nobody minds"),
        (lambda: Attendee.objects.update(told_sequence=7), "is said to know"),
        (lambda: Attendee.objects.update(told_sequence=0, failed_sequence=1), "promise was broken"),
    ],
)
def test_what_is_stored_and_not_told_is_found(
    told: Machine, change: Callable[[], int], complaint: str
) -> None:
    check_end(told.world)
    change()
    with pytest.raises(AssertionError, match=complaint):
        check_end(told.world)


def test_mail_to_one_person_promises_nothing_of_the_others(stepped: Machine) -> None:
    stepped.server_fails(dots=[Dot.DEFERRED])
    stepped.send_first(kind="once", guests=TWO, pace="all")  # a result of 0: both are given up
    stepped.resend(what="to one", number=0, pace="all", who=0)
    assert stepped.world.ledger.shown().keys() == {("meeting-0", BOB)}
    check_end(stepped.world)


def test_copy_without_a_reason_is_found(told: Machine) -> None:
    take_again(told, 1)
    [complaint] = told.world.ledger.wrong
    assert "came twice without a reason" in complaint


def test_old_mail_is_found(told: Machine) -> None:
    take_again(told, 0)
    assert "came after" in told.world.ledger.wrong[0]


def test_mail_after_a_result_of_0_is_found(told: Machine) -> None:
    told.world.ledger.silent.add(("meeting-0", BOB))
    take_again(told, 1)
    assert "after a result of 0" in told.world.ledger.wrong[0]


def test_text_from_before_the_invitation_is_found(told: Machine) -> None:
    told.update(number=0, wish=Wish("people", TWO, 0), pace="all", who=0)
    letters = [each.letter for each in told.world.ledger.taken[BOB]]
    leaks = told.world.history.leaks("meeting-0", CAROL, letters)
    assert [leak.partition(" in ")[0] for leak in leaks] == [
        f"{CAROL} read ['Word1x']",
        f"{CAROL} read ['Word1x']",
    ]


def test_mail_to_somebody_who_was_never_invited_is_found(told: Machine) -> None:
    letters = [each.letter for each in told.world.ledger.taken[BOB]]
    assert told.world.history.leaks("meeting-0", CAROL, letters)
