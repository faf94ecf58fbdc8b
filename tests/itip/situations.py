"""Bob and a series: what may be stored, and what he may have been told, in few words.

The series is on the Mondays 1, 8, 15 and 22 March 2027. Its newest version has SEQUENCE 5, and the
last one about the whole has SEQUENCE 2.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from meetings.itip.event import Event, Override, Status
from meetings.itip.message import Method
from meetings.itip.outstanding import Step
from meetings.itip.told import Person, RecurrenceId, ToldOccurrence
from tests.support.cast import BOB, CAROL, MONDAYS, NOW, meeting

FIRST, SECOND, THIRD, FOURTH = (datetime(2027, 3, day, 10) for day in (1, 8, 15, 22))
AFTER_THE_SECOND = datetime(2027, 3, 9, tzinfo=UTC)
GONE = {"attendees": (CAROL,)}
CANCELLED = {"status": Status.CANCELLED}


def series(*overrides: Override, **changes: Any) -> Event:
    usual = {"rule": replace(MONDAYS, count=4), "sequence": 5, "whole_sequence": 2}
    return meeting(overrides=overrides, **usual | changes)


def changed(when: datetime, **changes: Any) -> Override:
    return replace(Override(recurrence_id=when, summary="New", sequence=4), **changes)


def cancelled(when: datetime, **changes: Any) -> Override:
    return replace(Override(recurrence_id=when, is_cancelled=True, sequence=4), **changes)


def off(when: datetime, **changes: Any) -> Override:
    """The occurrence ``when`` without Bob."""
    return replace(Override(recurrence_id=when, removed=(BOB.address,), sequence=4), **changes)


def on(when: datetime, **changes: Any) -> Override:
    """The occurrence ``when`` with Bob besides those of the series."""
    return replace(Override(recurrence_id=when, added=(BOB,), sequence=4), **changes)


def bob(told: str = "", *rows: ToldOccurrence, **changes: Any) -> Person:
    """Bob, who was ``told`` a METHOD and SEQUENCE, perhaps "possible"; and single occurrences."""
    method, sequence, possible = parsed(told)
    return Person(
        attendee=BOB,
        method=method,
        sequence=sequence,
        possible=possible,
        occurrences=rows,
        **{"asked": 5} | changes,
    )


def row(when: datetime, told: str, *, ends_at: datetime | None = None) -> ToldOccurrence:
    """What Bob was told of the occurrence ``when``; "alone" too where a REQUEST of it left."""
    method, sequence, possible = parsed(told)
    assert method
    assert sequence is not None
    return ToldOccurrence(
        recurrence_id=RecurrenceId(when, "Asia/Shanghai"),
        method=method,
        sequence=sequence,
        possible=possible,
        alone="alone" in told,
        ends_at=ends_at or when.replace(tzinfo=UTC),
    )


def parsed(told: str) -> tuple[Method | None, int | None, bool]:
    words = told.split()
    method = next((Method(word) for word in words if word.isupper()), None)
    sequence = next((int(word) for word in words if word.isdigit()), None)
    return method, sequence, "possible" in words


def said(step: Step) -> str:
    """The step in words: METHOD, the day of its RECURRENCE-ID, and what is special about it."""
    words: list[str] = [step.method.value]
    if step.recurrence_id:
        words.append(str(step.recurrence_id.when.day))
    words += [f"without {when.day}" for when in step.excluded]
    words += [word for word in ("uninvites", "plain") if getattr(step, word)]
    return " ".join(words)


class Case(NamedTuple):
    """What Bob is due, in this order."""

    name: str
    event: Event
    person: Person
    due: list[str]
    now: datetime = NOW
