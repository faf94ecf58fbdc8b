"""Balance what callers were told, and what is stored for each person, against what was mailed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.chaos.calendars import Pair, Person, differences
from tests.chaos.callers import Call
from tests.chaos.mail import Taken, was_refused
from tests.support.readers.itip_reader import Version

OWED = """
SELECT (SELECT count(*) FROM meetings_meeting WHERE due_at IS NOT NULL)
     + (SELECT count(*) FROM meetings_delivery WHERE state IN ('sending', 'deferred', 'unknown'))
"""
UNDONE = """
SELECT meeting.ical_uid, meeting.due_at, meeting.plan, delivery.state, delivery.attempt,
       sender.kind, sender.alive_until, statement_timestamp()
FROM meetings_meeting AS meeting
LEFT JOIN meetings_delivery AS delivery ON delivery.meeting_id = meeting.id
    AND delivery.state IN ('sending', 'deferred', 'unknown')
LEFT JOIN meetings_sender AS sender ON sender.id = delivery.sender_id
WHERE meeting.due_at IS NOT NULL OR delivery.id IS NOT NULL
"""
STORED = """
SELECT meeting.ical_uid, person.address, mail.message_id, delivery.state, delivery.unknown_ends
FROM meetings_delivery AS delivery
JOIN meetings_mail AS mail ON mail.id = delivery.mail_id
JOIN meetings_attendee AS person ON person.id = delivery.attendee_id
JOIN meetings_meeting AS meeting ON meeting.id = delivery.meeting_id
ORDER BY delivery.id
"""
MOST_UNKNOWN_ENDS = 3

Outage = tuple[float, float]  # its begin and end


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery, as it is stored in the end; the fields are STORED's columns."""

    uid: str
    address: str
    message_id: str
    state: str
    unknown_ends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a run has left.

    ``people`` are as they were when the background had no more to do, ``in_the_end`` as they were
    after an operator had everybody brought up to date. ``taken`` are the mails until then,
    ``afterwards`` those that this brought about. In ``outages`` the database was away.
    """

    calls: Sequence[Call]
    rows: Sequence[Row] = ()
    people: Sequence[Person] = ()
    in_the_end: Sequence[Person] = ()
    taken: Sequence[Taken] = ()
    afterwards: Sequence[Taken] = ()
    outages: Sequence[Outage] = ()


@dataclass(slots=True)
class Balance:
    """The count. The lists that must be empty name what is in them."""

    calls: int = 0
    cut_off: int = 0
    mails: int = 0
    people: int = 0
    promised: int = 0
    given_up: int = 0
    told_no: int = 0
    lost: list[str] = field(default_factory=list)
    told_no_but_sent: list[str] = field(default_factory=list)
    older_after_newer: list[str] = field(default_factory=list)
    misrecorded: list[str] = field(default_factory=list)
    after_open_end: int = 0
    after_kill: int = 0
    unexplained: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        return [
            *self.lost,
            *self.told_no_but_sent,
            *self.older_after_newer,
            *self.misrecorded,
            *self.unexplained,
        ]


def balance(facts: Facts) -> Balance:
    """Count everything."""
    count = Balance(
        calls=len(facts.calls),
        cut_off=sum(call.was_cut_off for call in facts.calls),
        mails=len(facts.taken) + len(facts.afterwards),
        people=len(facts.in_the_end),
        told_no=sum(call.told_nothing_goes_out for call in facts.calls),
    )
    by_uid: dict[str, list[Call]] = defaultdict(list)
    for call in facts.calls:
        by_uid[call.uid].append(call)
    _lost(count, facts, by_uid)
    _told_no(count, by_uid, facts.taken)
    _order(count, [*facts.taken, *facts.afterwards])
    _duplicates(count, facts)
    _misrecorded(count, facts)
    return count


def _lost(count: Balance, facts: Facts, by_uid: Mapping[str, Sequence[Call]]) -> None:
    """Nobody is missed: the calendars are right, and who was given up was given up for a reason."""
    unknown_ends: dict[Pair, int] = defaultdict(int)
    for row in facts.rows:
        pair = row.uid, row.address
        unknown_ends[pair] = max(unknown_ends[pair], row.unknown_ends)
    told = [person for person in facts.people if not person.given_up]
    count.given_up = len(facts.people) - len(told)
    count.lost += [f"lost: {line}" for line in differences(told, facts.taken)]
    every = [*facts.taken, *facts.afterwards]
    count.lost += [f"lost in the end: {line}" for line in differences(facts.in_the_end, every)]
    known = {person.pair for person in facts.people}
    for person in facts.people:
        if person.given_up and not (
            was_refused(person.reply)
            or unknown_ends[person.pair] >= MOST_UNKNOWN_ENDS
            or _was_told(person, by_uid[person.uid])
        ):
            count.lost.append(f"given up for no reason: {person}; {by_uid[person.uid]}")
    promised = set(_promised(facts.calls))
    count.promised = len(promised)
    count.lost += [f"promised, and not stored: {pair}" for pair in promised - known]


def _was_told(person: Person, calls: Iterable[Call]) -> bool:
    """Whether a response said that the person was given up, or may have said so and was lost."""
    return any(person.address in call.of("failed") or call.was_cut_off for call in calls)


def _promised(calls: Iterable[Call]) -> Iterator[Pair]:
    for call in calls:
        if call.promised:
            yield from ((call.uid, address) for address in call.of("sent") | call.of("queued"))


def _told_no(count: Balance, by_uid: Mapping[str, Sequence[Call]], taken: Iterable[Taken]) -> None:
    """After a result 0 nothing goes out, unless another call was made meanwhile or later."""
    for item in taken:
        calls = by_uid[item.uid]
        said_no = [
            call
            for call in calls
            if call.told_nothing_goes_out
            and item.recipient in call.of("failed")
            and _is_of(call, item)
        ]
        for call in said_no:
            others = (
                each
                for each in calls
                if each.ended > call.began
                and each.began < item.at
                and not each.told_nothing_goes_out
            )
            if not any(others):
                count.told_no_but_sent.append(f"told 0 but sent: {item}; {call}")


def _is_of(call: Call, item: Taken) -> bool:
    """Whether a mail would make a result 0 untrue. An older one may leave until the call looks."""
    return item.at > call.ended or item.message.text("SUMMARY") == f"call {call.number}"


def _order(count: Balance, taken: Iterable[Taken]) -> None:
    """Each new mail to a person is newer than all before it."""
    newest: dict[Pair, tuple[Version, str]] = {}
    for item in taken:
        pair = item.uid, item.recipient
        version, message_id = newest.get(pair, (None, ""))
        if version and item.message_id != message_id and item.version <= version:
            count.older_after_newer.append(f"older after newer: {item} after {newest[pair]}")
        newest[pair] = item.version, item.message_id


def _duplicates(count: Balance, facts: Facts) -> None:
    """A second mail that says the same has a reason where the end of an earlier one is unknown."""
    by_person: dict[Pair, list[Taken]] = defaultdict(list)
    for item in [*facts.taken, *facts.afterwards]:
        by_person[item.uid, item.recipient].append(item)
    for items in by_person.values():
        for place, item in enumerate(items):
            copies = [at for at in range(place) if items[at].says == item.says]
            if copies:
                _explain(count, items[copies[-1] : place + 1], facts.outages)


def _explain(count: Balance, items: Sequence[Taken], outages: Sequence[Outage]) -> None:
    """``items`` begin with the first copy and end with the second."""
    *before, again = items
    if any(not item.acknowledged for item in before):
        count.after_open_end += 1
    elif any(item.cut_off for item in before) or any(
        begin < second.at and first.at < end
        for first, second in pairwise(items)
        for begin, end in outages
    ):
        count.after_kill += 1
    else:
        count.unexplained.append(f"twice without a reason: {before[0]} and {again}")


def _misrecorded(count: Balance, facts: Facts) -> None:
    """What is stored as sent was taken, and what was taken for sure is not stored as refused."""
    taken = [*facts.taken, *facts.afterwards]
    sure = {(item.message_id, item.recipient) for item in taken if item.acknowledged}
    unsure = {(item.message_id, item.recipient) for item in taken if item.is_unsure}
    for row in facts.rows:
        key = row.message_id, row.address
        if row.state == "sent" and key not in sure:
            count.misrecorded.append(f"stored as sent, but never taken: {row}")
        if row.state != "sent" and key in sure - unsure and not row.unknown_ends:
            count.misrecorded.append(f"taken, but not stored as sent: {row}")
