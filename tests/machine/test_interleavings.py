"""What the machine can do: programs come between, die and lose their lease at any statement."""

import pytest

from meetings.itip.event import Role
from meetings.models import Delivery, Meeting
from tests.machine.calls import Wish
from tests.machine.checks import check_end
from tests.machine.machine import Machine
from tests.machine.mail_server import LATER, Dot
from tests.machine.stage import Program

BOB = "bob@example.org"
GUESTS = {BOB: Role.REQUIRED}
TITLE, PLACE = (Wish(kind, GUESTS, 0) for kind in ("title", "place"))


def taken(stepped: Machine) -> list[str]:
    """METHOD and SEQUENCE of each mail that Bob was sent."""
    letters = (each.letter for each in stepped.world.ledger.taken[BOB])
    return [f"{each.message.method} {each.version.sequence}" for each in letters]


@pytest.fixture
def busy(stepped: Machine) -> Program:
    """A program that has decided on a new title, and not stored it yet."""
    stepped.send_first(kind="weekly", guests=GUESTS, pace="all")
    stepped.update(number=0, wish=TITLE, pace="2", who=0)
    [program] = stepped.world.busy
    assert Meeting.objects.get().sequence == 0
    return program


def test_who_loses_a_race_decides_again(stepped: Machine, busy: Program) -> None:
    stepped.update(number=0, wish=PLACE, pace="all", who=1)
    assert taken(stepped) == ["REQUEST 0", "REQUEST 1"]
    stepped.world.finish(busy)
    assert taken(stepped) == ["REQUEST 0", "REQUEST 1", "REQUEST 2"]
    check_end(stepped.world)


def test_who_loses_twice_stores_under_a_lock(stepped: Machine, busy: Program) -> None:
    for _ in range(2):
        stepped.update(number=0, wish=PLACE, pace="all", who=1)
        stepped.world.go(busy, stops=2)
    stepped.world.finish(busy)
    assert Meeting.objects.get().sequence == 3
    check_end(stepped.world)
    assert taken(stepped)[-1] == "REQUEST 3"


def test_killed_process_leaves_its_mail_to_another(stepped: Machine, busy: Program) -> None:
    stepped.world.go(busy)
    assert Delivery.objects.get(state="sending").mail.sequence == 1
    stepped.kill(which=0)
    stepped.work(who=2, pace="all")
    assert taken(stepped) == ["REQUEST 0"]
    stepped.time_passes(stopped=())
    stepped.work(who=2, pace="all")
    assert taken(stepped) == ["REQUEST 0", "REQUEST 1"]
    check_end(stepped.world)


def test_mail_may_come_twice_if_its_sender_dies_after_the_dot(
    stepped: Machine, busy: Program
) -> None:
    stepped.world.go(busy, stops=2)
    assert taken(stepped) == ["REQUEST 0", "REQUEST 1"]
    stepped.kill(which=0)
    check_end(stepped.world)
    assert taken(stepped) == ["REQUEST 0", "REQUEST 1", "REQUEST 1"]


def test_stopped_process_sends_nothing_under_a_lost_lease(stepped: Machine, busy: Program) -> None:
    stepped.world.go(busy)
    stepped.time_passes(stopped=(0,))
    stepped.world.finish(busy)
    assert taken(stepped) == ["REQUEST 0"]
    check_end(stepped.world)
    assert taken(stepped) == ["REQUEST 0", "REQUEST 1"]


def test_call_waits_for_the_mail_of_another(stepped: Machine, busy: Program) -> None:
    stepped.world.go(busy)
    stepped.update(number=0, wish=PLACE, pace="5", who=1)
    waiting = stepped.world.programs[1]
    stepped.world.go(waiting, stops=9)
    assert waiting.waits
    stepped.world.finish(busy)
    stepped.world.finish(waiting)
    assert taken(stepped) == ["REQUEST 0", "REQUEST 1", "REQUEST 2"]


def test_nothing_leaves_by_itself_after_a_result_of_0(stepped: Machine, busy: Program) -> None:
    stepped.server_minds(address=BOB, reply=LATER)
    stepped.world.finish(busy)
    stepped.something_happens(what="recover", number=0)
    stepped.time_passes(stopped=())
    stepped.work(who=0, pace="all")
    assert taken(stepped) == ["REQUEST 0"]
    check_end(stepped.world)
    assert taken(stepped) == ["REQUEST 0", "REQUEST 1"]


def test_lost_mail_may_have_arrived(stepped: Machine, busy: Program) -> None:
    stepped.server_fails(dots=[Dot.LOST_BUT_ARRIVED, Dot.LOST])
    stepped.world.finish(busy)
    check_end(stepped.world)
    assert taken(stepped) == ["REQUEST 0", "REQUEST 1", "REQUEST 1"]
