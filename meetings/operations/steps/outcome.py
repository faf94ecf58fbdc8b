"""What a call is told: how the meeting stands after it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from meetings.itip.ical.zone import zone_notes
from meetings.itip.message import Method, Note
from meetings.models import DeliveryState
from meetings.operations.steps.sending import mail_server
from meetings.operations.steps.sending.dispatch import Told
from meetings.queries.standing import PersonStanding, PersonState, Standing, people_of

# "Outstanding" says that nothing more goes out by itself, which has to be true of all parts.
_FIRST = (
    PersonState.QUEUED,
    PersonState.SENDING,
    PersonState.OUTSTANDING,
    PersonState.TOLD,
    PersonState.UNTOLD,  # of one part of a series, nobody needs to be told anything
)


def standing_after(uid: str, told: Sequence[Told], *, notes: tuple[Note, ...] = ()) -> Standing:
    """Return how the client's meeting ``uid`` stands, with the parts of a series before and after.

    ``notes`` come before those of the decisions. A person of several parts has the state that comes
    first: what still goes out, then what is outstanding.
    """
    first = told[0]
    rest = [each for each in told[1:] if not each.is_earlier]
    asked = frozenset[str]().union(*(each.asked | each.unsent for each in told))
    found = [person for each in told for person in _people(each)]
    people: dict[str, PersonStanding] = {}
    for person in found:
        people[person.key] = _of_both(people.get(person.key), person)
    event = first.decided.event
    was_closed = first.planning.look.server.is_closed_to_calls
    return Standing(
        uid=uid,
        sequence=event.sequence,
        people=tuple(people.values()),
        asked=asked,
        goes_on=any(person.is_pending and person.key in asked for person in found),
        occurrences=event.occurrences,
        all_day=event.all_day,
        new_uid=rest[0].uid if rest else "",
        notes=(*notes, *(note for each in told for note in _notes(each))),
        is_paused=first.planning.look.is_paused,
        # The call's own mails may be what the server had no room for.
        server_is_closed=was_closed or mail_server.is_closed(),
        has_mailed=any(each.has_mailed for each in told),
        may_have_arrived=any(each.may_have_arrived for each in told),
        is_duplicate=first.decided.decision.version is None,
        began_at=first.decided.look.now,
    )


def _notes(told: Told) -> Iterator[Note]:
    """What the call decided, and what there is to say of the mail that it leads to."""
    decided = told.decided
    yield from decided.decision.notes
    steps = (step for steps in decided.steps.values() for step in steps)
    if any(step.method is Method.REQUEST and step.recurrence_id is None for step in steps):
        yield from zone_notes(decided.event, decided.look.now)


def _of_both(one: PersonStanding | None, other: PersonStanding) -> PersonStanding:
    if one is None:
        return other
    return min(one, other, key=lambda each: _FIRST.index(each.state))


def _people(told: Told) -> list[PersonStanding]:
    """Everybody who is invited, or whom this call's version tells something.

    Of an earlier part of the series, only those whom the call tells that it ended.
    """
    planning = told.planning
    everybody = people_of(planning.event, planning.rows, planning.look.now)
    found = (_after(told, each) for each in everybody)
    asked = told.asked | told.unsent
    return [
        each for each in found if each.key in asked or (each.is_invited and not told.is_earlier)
    ]


def _after(told: Told, before: PersonStanding) -> PersonStanding:
    """How things stand with a person after the run."""
    run, key = told.run, before.key
    if key in told.unsent:
        is_waiting = before.state is PersonState.SENDING
        return before if is_waiting else replace(before, state=PersonState.QUEUED)
    if run is None or (key not in run.results and key not in run.broken):
        return before
    recorded = run.results.get(key)
    after = replace(before, reply=run.replies.get(key, before.reply))
    if recorded is None:  # not begun, or its outcome could not be recorded
        return replace(after, state=PersonState.QUEUED)
    if recorded.failed:
        return replace(after, state=PersonState.OUTSTANDING)
    if key in run.broken or recorded.state is not DeliveryState.SENT:
        is_unknown = recorded.state is DeliveryState.UNKNOWN
        return replace(
            after,
            state=PersonState.QUEUED,
            next_try=recorded.retry_at,
            end_is_unknown=is_unknown,
        )
    sequence = told.planning.event.sequence
    return replace(
        after, state=PersonState.TOLD, sequence=sequence, told_at=recorded.told_at, reply=""
    )
