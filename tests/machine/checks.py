"""What has to be true: after a call, and when everything is delivered."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from meetings.models import Attendee, Delivery, Meeting
from meetings.models.delivery import OPEN
from meetings.models.outbox.look import look_at
from meetings.operations.resend import bring_up_to_date
from meetings.queries.standing import PersonStanding, PersonState, Standing, standing_of
from tests.machine.calls import EVERYBODY
from tests.machine.stored import Rows
from tests.machine.world import World
from tests.support.readers.calendar_client import Entry

_PENDING = (PersonState.QUEUED, PersonState.SENDING)
_KNOWS_ALL = (PersonState.TOLD, PersonState.UNTOLD)
_MOST_ROUNDS = 12


def check_answer(world: World, standing: Standing) -> None:
    """Whoever is said to know the meeting as it is has it in the calendar.

    Only right if nobody has stored anything since.
    """
    uids = [standing.uid, standing.new_uid] if standing.new_uid else [standing.uid]
    for meeting in Meeting.objects.filter(uid__in=uids):
        rows = Rows.of(meeting)
        for person in standing.people:
            if person.state in _KNOWS_ALL:
                _check_calendars(world, rows, person.attendee.address)


def check_end(world: World) -> None:
    """Deliver everything, then what was given up too, and compare all calendars."""
    world.recover()
    _deliver(world)
    _check_promises(world)
    world.ledger.silent.clear()
    bring_up_to_date(list(Meeting.objects.values_list("pk", flat=True)))
    _deliver(world)
    assert not Delivery.objects.filter(state__in=OPEN).exists()
    assert not Meeting.objects.filter(passed_over=True).exists()
    for meeting in Meeting.objects.order_by("pk"):
        _check_meeting(world, meeting)


def _deliver(world: World) -> None:
    """Let time pass and a worker work, until nothing is due."""
    [program, *_] = world.programs
    for _ in range(_MOST_ROUNDS):
        world.let_time_pass()
        world.work(program)
        world.finish(program)
        if not Meeting.objects.filter(due_at__isnull=False).exists():
            return
    raise AssertionError("It is due again and again.")


def _standings() -> Iterator[tuple[Meeting, PersonStanding]]:
    for meeting in Meeting.objects.order_by("pk"):
        for person in standing_of(look_at(meeting.pk)).people:
            yield meeting, person


def _check_promises(world: World) -> None:
    """What is queued leaves by itself. What is given up has been refused, or was never promised."""
    for meeting, person in _standings():
        what = f"{person.attendee.address} of {meeting.uid}: {person}"
        assert person.state not in _PENDING, f"nobody minds {what}"
        if person.state is PersonState.OUTSTANDING and not _is_final(person.reply):
            # Nothing is tried again of what is over.
            is_excused = world.has_waited_too_long or meeting.ends_at < datetime.now(UTC)
            is_excused = is_excused or (meeting.uid, person.attendee.address) in world.given_up
            assert is_excused, f"a promise was broken to {what}"


def _is_final(reply: str) -> bool:
    return reply.startswith("5") or "lost" in reply


def _check_meeting(world: World, meeting: Meeting) -> None:
    rows = Rows.of(meeting)
    for person in standing_of(look_at(meeting.pk)).people:
        assert person.state in _KNOWS_ALL, f"never told: {person}"
    for address in EVERYBODY:
        _check_calendars(world, rows, address)
    shown = world.ledger.shown()
    for address in EVERYBODY:
        letters = shown.get((meeting.ical_uid, address), [])
        leaks = world.history.leaks(meeting.ical_uid, address, letters) if letters else []
        assert not leaks, "\n".join(leaks)
    _check_told(world, meeting)


def _check_calendars(world: World, rows: Rows, address: str) -> None:
    now = datetime.now(UTC)
    expected = _ahead(rows.entries_of(address), now)
    for kind, entries in zip(world.ledger.kinds, world.ledger.entries(address), strict=True):
        shown = _ahead(_of_meeting(rows, entries), now)
        if address == rows.meeting.organizer_address:
            # Organizers are not told that they are off their own meeting.
            shown -= {each for each in shown - expected if rows.takes_place(each)}
        assert shown == expected, _difference(kind, address, shown, expected)


def _of_meeting(rows: Rows, entries: Iterable[Entry]) -> Iterator[Entry]:
    for entry in entries:
        if entry.uid == rows.meeting.ical_uid:
            # What once was one day of a series looks no different.
            yield entry if rows.meeting.rrule else replace(entry, recurrence_id=None)


def _ahead(entries: Iterator[Entry], now: datetime) -> set[Entry]:
    """Those that are not over: nobody is told of what is."""
    return {entry for entry in entries if _end(entry) > now}


def _end(entry: Entry) -> datetime:
    assert isinstance(entry.end, datetime)
    return entry.end


def _difference(kind: str, address: str, shown: set[Entry], expected: set[Entry]) -> str:
    lines = [f"{address}, whose calendar is {kind}:"]
    lines += [f"  is shown wrongly  {entry}" for entry in sorted(shown - expected, key=str)]
    lines += [f"  is not shown      {entry}" for entry in sorted(expected - shown, key=str)]
    return "\n".join(lines)


def _check_told(world: World, meeting: Meeting) -> None:
    """What the rows say people were told last is what they got last."""
    shown = world.ledger.shown()
    for row in Attendee.objects.filter(meeting=meeting, told_possible=False):
        if row.told_method is None:
            continue
        whole = [each for each in shown[meeting.ical_uid, row.address] if not each.about]
        told = (row.told_method, row.told_sequence)
        got = (whole[-1].message.method, whole[-1].version.sequence) if whole else None
        assert told == got, f"{row.address} is said to know {told}, but got {got}"
