"""How much of what is due goes out at once: whole mails, for all who share them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from meetings.itip.event import Attendee
from meetings.itip.group import Group, Reader, grouped, portion
from meetings.itip.message import Method
from meetings.itip.outstanding import Step
from meetings.itip.told import Person, RecurrenceId

DAYS = [datetime(2027, 3, 1, 10) + timedelta(days=day) for day in range(5)]
STEPS = tuple(
    Step(method=Method.REQUEST, recurrence_id=RecurrenceId(day, "Asia/Shanghai")) for day in DAYS
)


def readers(count: int, *, steps: int, skip: int = 0, name: str = "p") -> list[Reader]:
    """So many people with the last ``steps`` of five, the first ``skip`` of them in an old mail."""
    people = [Person(attendee=Attendee(address=f"{name}{n}@example.org")) for n in range(count)]
    return [Reader(person, STEPS[-steps:] if steps else (), skip) for person in people]


def portions(due: Sequence[Reader], most: int) -> list[tuple[int, int, int]]:
    """Of each group in the portion: how many people, and from where to where."""
    return [(len(each.people), each.skip, each.end) for each in _portion(due, most)]


def _portion(due: Sequence[Reader], most: int) -> list[Group]:
    found = list(portion(grouped(due), most))
    assert sum(each.deliveries for each in found) <= most
    return found


def test_all_of_it_goes_where_it_fits_in_the_order_of_the_people() -> None:
    due = [*readers(1, steps=2), *readers(1, steps=3, name="q")]
    assert portions(due, 5) == [(1, 0, 2), (1, 0, 3)]
    assert not any(each.is_cut for each in _portion(due, 5))


def test_all_people_get_the_first_mails_before_one_gets_the_others() -> None:
    assert portions(readers(4, steps=5), 10) == [(4, 0, 2)]
    assert [each.is_cut for each in _portion(readers(4, steps=5), 10)] == [True]


def test_people_are_cut_only_where_one_mail_for_all_never_fits() -> None:
    assert portions(readers(11, steps=5), 10) == [(10, 0, 1)]
    both = [*readers(6, steps=5), *readers(6, steps=4, name="q")]
    assert portions(both, 10) == [(6, 0, 1)]


def test_who_has_most_to_come_goes_first() -> None:
    due = [*readers(6, steps=2), *readers(2, steps=5, name="q")]
    assert portions(due, 10) == [(2, 0, 5)]
    assert portions(due, 17) == [(2, 0, 5), (6, 0, 1)]


def test_mail_that_goes_out_again_counts() -> None:
    assert portions(readers(3, steps=5, skip=2), 3) == [(3, 2, 2)]
    assert portions(readers(3, steps=5, skip=2), 6) == [(3, 2, 3)]
    assert portions(readers(4, steps=5, skip=2), 3) == [(3, 2, 2)]


def test_who_is_due_nothing_new_takes_no_room() -> None:
    due = [*readers(2, steps=5), *readers(2, steps=0, name="q")]
    assert portions(due, 2) == [(2, 0, 1), (2, 0, 0)]
