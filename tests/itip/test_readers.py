"""Who shares a mail, what it compares the meeting with, and when it is stamped."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from meetings.itip import organizer
from meetings.itip.edit import Edit
from meetings.itip.event import Event
from meetings.itip.group import Reader, grouped
from meetings.itip.message import Message, Method, Version
from meetings.itip.outstanding import Present, Step
from meetings.itip.readers import (
    Past,
    PastVersion,
    Planned,
    dtstamps,
    planned,
)
from meetings.itip.told import Person, RecurrenceId
from tests.support.cast import BOB, CAROL, DAN, MONDAYS, NOW, meeting
from tests.support.telling import everybody, mails, told

FIRST, SECOND, THIRD = (datetime(2027, 3, day, 10) for day in (1, 8, 15))
NINE = datetime(2027, 1, 1, 9, tzinfo=UTC)
SECOND_LATER = timedelta(seconds=1)
THREE = meeting(attendees=(BOB, DAN, CAROL), rule=MONDAYS)


def updated(stored: Event, **changes: Any) -> Version:
    return organizer.update(stored, replace(stored, **changes), now=NOW)


def kept(*versions: Version) -> Mapping[int, PastVersion]:
    return {
        version.event.sequence: PastVersion(version.changes, version.comment)
        for version in versions
    }


def mailed(known: Sequence[Person], *versions: Version) -> list[Planned]:
    """What is mailed of the last of ``versions``, all of which are kept."""
    event = versions[-1].event
    return mails(event, everybody(event, known), now=NOW, versions=kept(*versions))


def names(mail: Planned) -> list[str]:
    return [person.attendee.name for person in mail.readers]


def only(message: Message) -> tuple[Event, Event]:
    assert message.previous is not None
    return message.previous, message.event


# Who shares a mail


def test_people_who_were_told_the_same_share_a_request() -> None:
    [mail] = mailed(told(THREE), updated(THREE, summary="New"))
    assert names(mail) == ["Bob", "Dan", "Carol"]
    assert mail.message.recipients == (BOB, DAN, CAROL)
    assert mail.message.attendees == (BOB, DAN, CAROL)


def test_newcomer_has_a_mail_without_what_was_before() -> None:
    two = replace(THREE, attendees=(BOB, CAROL))
    first, second = mailed(told(two), updated(two, attendees=(BOB, CAROL, DAN), summary="New"))
    assert (names(first), names(second)) == (["Bob", "Carol"], ["Dan"])
    assert only(first.message)[0].summary == two.summary
    assert (second.message.previous, second.message.again) == (None, False)
    assert second.message.comment == ""


def test_people_who_missed_a_version_have_a_mail_that_says_both() -> None:
    renamed = updated(THREE, summary="New")
    moved = updated(renamed.event, location="Room 8")
    bob, others = told(THREE)[0], told(THREE, renamed.event)[1:]
    first, second = mailed([bob, *others], renamed, moved)
    assert [names(first), names(second)] == [["Bob"], ["Dan", "Carol"]]
    assert [mail.compared_with for mail in (first, second)] == [0, 1]
    known = [only(mail.message)[0] for mail in (first, second)]
    assert [(each.summary, each.location) for each in known] == [
        (THREE.summary, "Room 7"),
        ("New", "Room 7"),
    ]


def test_people_with_exdates_of_their_own_do_not_share() -> None:
    off = organizer.update_occurrence(
        THREE, SECOND, Edit(attendees=(CAROL, DAN)), now=NOW, most=100
    ).event
    [of_bob, *_] = [mail for mail in mailed([], Version(event=off)) if "Bob" in names(mail)]
    assert names(of_bob) == ["Bob"]
    assert of_bob.message.event.left_out == (SECOND,)


def test_cancel_names_only_its_reader() -> None:
    mails_ = mailed(told(THREE), organizer.cancel(THREE, comment="No room"))
    assert [(names(mail), mail.message.attendees) for mail in mails_] == [
        (["Bob"], (BOB,)),
        (["Dan"], (DAN,)),
        (["Carol"], (CAROL,)),
    ]
    assert {(mail.message.uninvites, mail.message.comment) for mail in mails_} == {
        (False, "No room")
    }


def test_who_leaves_is_told_the_time_they_know() -> None:
    version = updated(THREE, attendees=(BOB, DAN), start=FIRST + timedelta(hours=1))
    [of_carol] = [m for m in mailed(told(THREE), version) if m.step.method is Method.CANCEL]
    assert names(of_carol) == ["Carol"]
    assert (of_carol.message.event.start, of_carol.message.event.sequence) == (FIRST, 1)
    assert (of_carol.message.uninvites, of_carol.message.comment) == (True, "")


# What a mail compares with


def test_mail_compares_with_nothing_where_a_version_is_not_kept() -> None:
    renamed = updated(THREE, summary="New")
    moved = updated(renamed.event, location="Room 8")
    [mail] = mailed(told(THREE), moved)
    assert (mail.compared_with, mail.message.previous, mail.message.again) == (0, None, True)


def test_mail_compares_with_nothing_after_an_unknown_end() -> None:
    people = [person.after_unknown(Method.REQUEST) for person in told(THREE)]
    [mail] = mailed(people, updated(THREE, summary="New"))
    assert (mail.compared_with, mail.message.previous, mail.message.again) == (None, None, True)


def test_mail_after_only_an_unknown_end_may_be_the_second() -> None:
    people = [person.after_unknown(Method.REQUEST) for person in everybody(THREE)]
    [mail] = mailed(people, Version(event=THREE))
    assert (mail.message.previous, mail.message.again) == (None, True)


def test_request_has_the_newest_reason_that_its_readers_missed() -> None:
    cut = organizer.cut(THREE, THIRD, comment="Too many").ended
    renamed = updated(cut.event, summary="New")
    [mail] = mailed(told(THREE), cut, renamed)
    assert mail.message.comment == "Too many"
    [later] = mailed(told(THREE, cut.event), cut, renamed)
    assert later.message.comment == ""


def changed(stored: Event, edit: Edit) -> Version:
    return organizer.update_occurrence(stored, SECOND, edit, now=NOW, most=100)


def test_first_change_of_an_occurrence_compares_with_its_series() -> None:
    version = changed(THREE, Edit(location="Room 9"))
    [mail] = mailed(told(THREE), version)
    previous, event = only(mail.message)
    assert (previous.location, event.location) == ("Room 7", "Room 9")
    assert (previous.start, previous.recurrence_id) == (SECOND, SECOND)


def test_second_change_of_an_occurrence_compares_with_the_first() -> None:
    first = changed(THREE, Edit(location="Room 9"))
    second = changed(first.event, Edit(summary="New"))
    [mail] = mailed(told(THREE, first.event), first, second)
    previous, event = only(mail.message)
    assert (previous.summary, event.summary) == (THREE.summary, "New")
    assert (previous.location, event.location) == ("Room 9", "Room 9")


def test_guest_of_one_occurrence_reads_what_it_has_from_the_series() -> None:
    first = changed(meeting(attendees=(BOB,), rule=MONDAYS), Edit(attendees=(BOB, DAN)))
    renamed = updated(first.event, summary="New", attendees=(BOB, CAROL))
    people = [person for person in told(first.event) if person.attendee == DAN]
    [mail] = [m for m in mailed(people, first, renamed) if names(m) == ["Dan"]]
    previous, event = only(mail.message)
    assert (previous.summary, event.summary) == (first.event.summary, "New")
    assert (previous.attendees, event.attendees) == ((BOB, DAN), (BOB, CAROL, DAN))


def test_occurrence_behind_the_whole_compares_with_nothing() -> None:
    first = changed(THREE, Edit(location="Room 9"))
    renamed = updated(first.event, summary="New")
    whole, one = mailed(told(THREE, first.event), first, renamed)
    assert (whole.compared_with, one.compared_with) == (0, None)
    assert one.message.previous is None


def test_occurrence_compares_with_nothing_where_its_series_has_had_other_times() -> None:
    first = changed(THREE, Edit(attendees=(BOB, CAROL)))
    longer = updated(first.event, end=FIRST + timedelta(hours=2))
    again = changed(longer.event, Edit(attendees=(BOB, CAROL)))
    past = Past(again.event, kept(first, longer, again))
    assert past.occurrence(SECOND, 1) is None
    assert past.occurrence(SECOND, 2) is not None


def test_comparison_of_a_step_depends_on_what_stands_before_it() -> None:
    [bob, *_] = told(THREE)
    one = Step(method=Method.REQUEST, recurrence_id=RecurrenceId.of(THREE, SECOND))
    whole = Step(method=Method.REQUEST)
    [alone, after] = grouped([Reader(bob, (one,)), Reader(bob, (whole, one))])
    assert [each.since for each in alone.known] == [0]
    assert [each.since for each in after.known] == [0, None]


# Places, stamps and ends


def test_mails_of_one_person_are_in_order_and_a_second_apart() -> None:
    event = changed(THREE, Edit(location="Room 9")).event
    whole, one = mailed([], Version(event=event))
    assert [(mail.place, mail.step.recurrence_id) for mail in (whole, one)] == [
        (0, None),
        (1, RecurrenceId.of(event, SECOND)),
    ]
    assert [mail.message.dtstamp for mail in (whole, one)] == [NOW - SECOND_LATER, NOW]
    assert [mail.message.event.sequence for mail in (whole, one)] == [1, 1]


def test_mail_ends_with_the_last_thing_that_it_tells() -> None:
    edit = Edit(summary="New")
    whole, one = mailed([], changed(THREE, edit))
    assert whole.ends_at == datetime(2027, 3, 15, 3, tzinfo=UTC)
    assert one.ends_at == datetime(2027, 3, 8, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "newest", "expected"),
    [
        (NINE.replace(microsecond=999_999), None, NINE),
        (NINE, NINE, NINE + SECOND_LATER),
        (NINE - timedelta(hours=1), NINE, NINE + SECOND_LATER),
        (NINE.astimezone(timezone(timedelta(hours=8))), None, NINE),
    ],
    ids=["first, cut to seconds", "same second", "clock set back", "another zone"],
)
def test_dtstamp_is_in_utc_seconds_and_always_rises(
    now: datetime, newest: datetime | None, expected: datetime
) -> None:
    assert dtstamps([Person(attendee=BOB, stamp=newest)], 1, now) == [expected]


def test_last_dtstamp_is_now_unless_order_needs_more() -> None:
    told_long_ago = Person(attendee=BOB, stamp=NINE - timedelta(days=1))
    told_now = Person(attendee=CAROL, stamp=NINE)
    assert dtstamps([told_long_ago], 3, NINE)[-1] == NINE
    assert dtstamps([told_long_ago, told_now], 3, NINE) == [
        NINE + number * SECOND_LATER for number in (1, 2, 3)
    ]


# Occurrences that the series has no more


@pytest.mark.parametrize(
    ("identity", "shown"),
    [
        (RecurrenceId(SECOND, "Europe/Berlin"), ("Europe/Berlin", False, timedelta(hours=1))),
        (RecurrenceId(datetime(2027, 3, 8)), ("Asia/Shanghai", True, timedelta(days=1))),
    ],
    ids=["in another zone", "all day"],
)
def test_occurrence_of_before_is_cancelled_by_its_own_recurrence_id(
    identity: RecurrenceId, shown: tuple[str, bool, timedelta]
) -> None:
    step = Step(method=Method.CANCEL, recurrence_id=identity)
    person = Person(attendee=BOB)
    [mail] = planned(Present(THREE, NOW), grouped([Reader(person, (step,))]), Past(THREE, {}))
    event = mail.message.event
    assert event.recurrence_id == identity.when
    assert (event.tzid, event.all_day, event.duration) == shown
