"""Balance what callers were told against what the mail server was given."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.chaos.callers import Call
from tests.chaos.mail import Taken, was_refused

FINAL = "SELECT count(*) FROM meetings_delivery WHERE state IN ('queued', 'sending')"
STORED = """
SELECT meeting.uid, version.sequence, delivery.address, mail.message_id,
       mail.subject, mail.method,
       delivery.state, delivery.last_reply, delivery.may_have_left, meeting.sequence
FROM meetings_delivery AS delivery
JOIN meetings_mail AS mail ON mail.id = delivery.mail_id
JOIN meetings_version AS version ON version.id = mail.version_id
JOIN meetings_meeting AS meeting ON meeting.id = delivery.meeting_id
ORDER BY delivery.id
"""

Key = tuple[str, int, str]  # uid, SEQUENCE, recipient
Outage = tuple[float, float]  # its begin and end


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery, as it is stored in the end; the fields are STORED's columns."""

    uid: str
    sequence: int
    address: str
    message_id: str
    subject: str
    method: str
    state: str
    last_reply: str
    may_have_left: bool
    newest: int

    @property
    def key(self) -> Key:
        return self.uid, self.sequence, self.address


@dataclass(slots=True)
class Balance:
    """The count. The lists that must be empty name what is in them."""

    calls: int = 0
    cut_off: int = 0
    promised: int = 0
    superseded: int = 0
    refused: int = 0
    told_no: int = 0
    ambiguous: int = 0
    mails: int = 0
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


def balance(
    calls: Sequence[Call],
    rows: Sequence[Row],
    taken: Sequence[Taken],
    outages: Sequence[Outage] = (),
) -> Balance:
    """Count everything. In ``outages`` the database was away."""
    count = Balance(
        calls=len(calls),
        cut_off=sum(call.status in (0, 500, 503) for call in calls),
        mails=len(taken),
    )
    stored: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        stored[row.key].append(row)
    about = _versions(calls, rows)
    _promises(count, about, stored, {_key(item) for item in taken if item.acknowledged})
    _told_no(count, about, stored, taken)
    _order(count, taken)
    _duplicates(count, taken, _may_have_left(stored), outages)
    _record(count, rows, taken)
    return count


def _key(item: Taken) -> Key:
    return item.uid, item.sequence, item.recipient


def _promises(
    count: Balance,
    about: dict[tuple[str, int], list[Call]],
    stored: dict[Key, list[Row]],
    got: set[Key],
) -> None:
    for key, state in _promised(about).items():
        if key in got:
            continue
        rows = stored[key]
        last = {row.state for row in rows}
        if state == "queued" and last == {"superseded"} and rows[0].newest > key[1]:
            count.superseded += 1
        elif state == "queued" and any(
            row.state == "failed" and was_refused(row.last_reply) for row in rows
        ):
            count.refused += 1
        else:
            count.lost.append(
                f"lost: {key} was said to be {state}, is stored as {rows}; {about[key[:2]]}"
            )
    count.promised = len(_promised(about))


def _promised(about: dict[tuple[str, int], list[Call]]) -> dict[Key, str]:
    """What callers were told in the end, for each version and recipient."""
    promised: dict[Key, str] = {}
    for (uid, _), calls in about.items():
        for call in (call for call in calls if call.promised):
            for address, state in call.body["recipients"].items():
                key = uid, int(call.body["sequence"]), address
                if state == "sent" or (state == "queued" and promised.get(key) != "sent"):
                    promised[key] = state
    return promised


def _versions(calls: Iterable[Call], rows: Iterable[Row]) -> dict[tuple[str, int], list[Call]]:
    """The calls about each version.

    A response with result 0 does not name its version, but each update has a title of its own.
    """
    titled = {
        row.subject.rpartition("call ")[2]: row.sequence for row in rows if row.method == "REQUEST"
    }
    newest = {row.uid: row.newest for row in rows}
    about: dict[tuple[str, int], list[Call]] = defaultdict(list)
    for call in calls:
        known = {
            "send": 0,
            "update": titled.get(str(call.number), -1),
            "cancel": newest.get(call.uid, -1),
        }
        about[call.uid, int(call.body.get("sequence", known[call.operation]))].append(call)
    return about


def _told_no(
    count: Balance,
    about: dict[tuple[str, int], list[Call]],
    stored: dict[Key, list[Row]],
    taken: Iterable[Taken],
) -> None:
    count.told_no = sum(call.told_nothing_goes_out for calls in about.values() for call in calls)
    open_ended = _may_have_left(stored)
    for item in taken:
        mine = about[item.uid, item.sequence]
        said_no = any(call.told_nothing_goes_out for call in mine)
        if not said_no or any(
            not call.told_nothing_goes_out and call.began <= item.at for call in mine
        ):
            continue
        if item.acknowledged and _key(item) not in open_ended:
            count.told_no_but_sent.append(f"told 0 but sent: {item}; {mine}")
        else:
            count.ambiguous += 1


def _order(count: Balance, taken: Iterable[Taken]) -> None:
    newest: dict[tuple[str, str], tuple[int, str]] = {}
    for item in taken:
        pair = item.uid, item.recipient
        if item.version < newest.get(pair, item.version):
            count.older_after_newer.append(f"older after newer: {item} after {newest[pair]}")
        newest[pair] = max(item.version, newest.get(pair, item.version))


def _may_have_left(stored: dict[Key, list[Row]]) -> set[Key]:
    return {key for key, rows in stored.items() if any(row.may_have_left for row in rows)}


def _duplicates(
    count: Balance,
    taken: Iterable[Taken],
    may_have_left: set[Key],
    outages: Sequence[Outage],
) -> None:
    """A second copy has a reason where the outcome of the first could not be recorded."""
    first: dict[tuple[str, str], Taken] = {}
    for item in taken:
        before = first.get((item.message_id, item.recipient))
        first[item.message_id, item.recipient] = item
        if before is None:
            continue
        away = any(begin < item.at and before.at < end for begin, end in outages)
        if not before.acknowledged:
            count.after_open_end += 1
        elif (before.cut_off or away) and _key(item) in may_have_left:
            count.after_kill += 1
        else:
            count.unexplained.append(f"twice without a reason: {before} and {item}")


def _record(count: Balance, rows: Iterable[Row], taken: Iterable[Taken]) -> None:
    """What is stored as sent was taken, and what was taken for sure is not stored as failed."""
    sure = {(item.message_id, item.recipient) for item in taken if item.acknowledged}
    for row in rows:
        was_taken = (row.message_id, row.address) in sure
        if row.state == "sent" and not was_taken:
            count.misrecorded.append(f"stored as sent, but never taken: {row}")
        if row.state == "failed" and was_taken and not row.may_have_left:
            count.misrecorded.append(f"stored as failed, but taken: {row}")
