"""People who missed versions are told what is stored now, and nothing of what was between.

The mail server refused or put off what is not among the versions that somebody was told.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from meetings.itip import organizer
from meetings.itip.edit import Edit, apply
from meetings.itip.event import Event
from meetings.itip.moment import Moment
from meetings.itip.told import Person
from tests.itip.situations import said
from tests.support.cast import BOB, CAROL, DAN, MONDAYS, NOW, meeting
from tests.support.telling import everybody, mails, told

FIRST, SECOND, THIRD = (datetime(2027, 3, day, 10) for day in (1, 8, 15))
SENT = meeting(attendees=(BOB, CAROL), rule=MONDAYS)
NEW, OTHER_PLACE = Edit(summary="New"), Edit(location="Room 8")


def update(stored: Event, edit: Edit) -> Event:
    return organizer.update(stored, apply(edit, stored).event, now=NOW).event


def change(stored: Event, edit: Edit) -> Event:
    return organizer.update_occurrence(stored, SECOND, edit, now=NOW, most=100).event


def due(event: Event, known: list[Person]) -> dict[str, list[str]]:
    """What each person is told of ``event``, in order, by name."""
    found: dict[str, list[str]] = {}
    for mail in mails(event, everybody(event, known), now=NOW):
        assert mail.message.event.sequence == event.sequence
        for reader in mail.readers:
            found.setdefault(reader.attendee.name, []).append(said(mail.step))
    return found


def without(person: str, people: list[Person]) -> list[Person]:
    """``people``, of whom one was told nothing."""
    return [each for each in people if each.attendee.name != person]


def test_cancel_of_who_was_removed_survives_the_next_update() -> None:
    removed = update(SENT, Edit(attendees=(BOB,)))
    assert due(update(removed, NEW), told(SENT)) == {
        "Bob": ["REQUEST"],
        "Carol": ["CANCEL uninvites"],
    }


def test_cancel_of_the_meeting_reaches_who_was_not_told_of_their_removal() -> None:
    removed = update(SENT, Edit(attendees=(BOB,)))
    assert due(organizer.cancel(removed).event, told(SENT)) == {
        "Bob": ["CANCEL"],
        "Carol": ["CANCEL"],
    }


def test_who_never_had_the_invitation_is_told_of_no_end() -> None:
    known = without("Carol", told(SENT))
    assert due(organizer.cancel(SENT).event, known) == {"Bob": ["CANCEL"]}
    assert due(update(SENT, Edit(attendees=(BOB,))), known) == {"Bob": ["REQUEST"]}


def test_who_never_had_the_invitation_gets_it_with_the_changed_occurrence() -> None:
    known = without("Carol", told(SENT))
    assert due(change(SENT, NEW), known) == {
        "Bob": ["REQUEST 8"],
        "Carol": ["REQUEST", "REQUEST 8"],
    }
    cancelled = organizer.cancel_occurrence(SENT, SECOND).event
    assert due(cancelled, known) == {"Bob": ["CANCEL 8"], "Carol": ["REQUEST"]}


def test_occurrence_whose_cancel_failed_is_cancelled_with_the_next_version() -> None:
    cancelled = organizer.cancel_occurrence(SENT, SECOND).event
    changed = organizer.update_occurrence(cancelled, THIRD, NEW, now=NOW, most=1).event
    assert due(changed, told(SENT))["Bob"] == ["CANCEL 8", "REQUEST 15"]


def test_series_that_was_split_is_shortened_whatever_comes_after() -> None:
    split = organizer.split_off(SENT, SECOND, NEW, uid="2", now=NOW)
    assert split.rest
    assert due(split.ended.event, told(SENT)) == {"Bob": ["REQUEST"], "Carol": ["REQUEST"]}
    continued = update(split.rest.event, OTHER_PLACE)
    assert due(continued, []) == {"Bob": ["REQUEST"], "Carol": ["REQUEST"]}


def test_removed_and_asked_back_before_anybody_heard_is_an_update() -> None:
    removed = update(SENT, Edit(attendees=(BOB,)))
    back = update(removed, Edit(attendees=(BOB, CAROL)))
    assert due(back, told(SENT))["Carol"] == ["REQUEST"]


def test_added_and_removed_before_anybody_heard_is_told_nothing() -> None:
    added = update(SENT, Edit(attendees=(BOB, CAROL, DAN)))
    removed = update(added, Edit(attendees=(BOB, CAROL)))
    assert "Dan" not in due(removed, told(SENT))


def test_everybody_is_told_of_a_version_that_changes_nothing() -> None:
    assert due(update(SENT, Edit()), told(SENT)) == {"Bob": ["REQUEST"], "Carol": ["REQUEST"]}


def test_new_title_of_the_series_mails_only_changes_that_lie_ahead() -> None:
    changed = change(change(SENT, NEW), OTHER_PLACE)
    renamed = update(changed, Edit(summary="Newer"))
    people = everybody(renamed, told(SENT, changed))
    later = datetime(2027, 3, 9, tzinfo=NOW.tzinfo)
    assert [said(mail.step) for mail in mails(renamed, people, now=NOW)] == ["REQUEST", "REQUEST 8"]
    assert [said(mail.step) for mail in mails(renamed, people, now=later)] == ["REQUEST"]


def test_exdate_on_a_changed_occurrence_is_not_followed_by_its_request() -> None:
    changed = change(SENT, NEW)
    excluded = organizer.update(changed, replace(changed, exdates=(SECOND,)), now=NOW).event
    assert due(excluded, told(SENT)) == {"Bob": ["REQUEST"], "Carol": ["REQUEST"]}
    assert due(excluded, told(SENT, changed))["Bob"] == ["CANCEL 8", "REQUEST"]


def test_who_was_let_off_one_occurrence_and_asked_back_gets_the_series_first() -> None:
    off = change(SENT, Edit(attendees=(CAROL,)))
    back = change(off, Edit(attendees=(BOB, CAROL)))
    assert due(back, told(SENT, off)) == {"Bob": ["REQUEST", "REQUEST 8"], "Carol": ["REQUEST 8"]}
    assert due(back, told(SENT))["Bob"] == ["REQUEST 8"]


def test_series_and_its_changed_occurrence_never_share_a_stamp() -> None:
    changed = change(SENT, NEW)
    described = update(changed, Edit(description="Other"))
    people = everybody(described, told(SENT, changed, at=NOW))
    whole, one = mails(described, people, now=NOW)
    assert one.message.dtstamp - whole.message.dtstamp == timedelta(seconds=1)
    newest = max(person.stamp for person in people if person.stamp)
    assert whole.message.dtstamp == newest + timedelta(seconds=1)


def test_moved_twice_before_anybody_heard_is_one_request() -> None:
    once = update(SENT, Edit(start=Moment(FIRST.replace(hour=8)), end=Moment(FIRST)))
    twice = update(once, Edit(start=Moment(FIRST.replace(hour=7)), end=Moment(FIRST)))
    assert due(twice, told(SENT)) == {"Bob": ["REQUEST"], "Carol": ["REQUEST"]}
