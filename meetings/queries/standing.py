"""Where a meeting stands with each person: told, on its way, or outstanding.

One object says it to the API, the admin and the commands. It is read from the person's row, which
says what they were told, and from what they should know.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meetings.addresses import address_key
from meetings.itip.event import Attendee, Event
from meetings.itip.message import Note
from meetings.itip.outstanding import Present, outstanding
from meetings.models.delivery import DeliveryState
from meetings.models.outbox.look import Look
from meetings.models.outbox.rows import PersonRow


class PersonState(StrEnum):
    """TOLD: nothing is outstanding. SENDING: a mail is on its way right now.

    QUEUED: it is due, or in back-off. OUTSTANDING: it was refused or given up. UNTOLD: the version
    left the person out, or there is nothing to tell somebody who never heard of the meeting.
    """

    TOLD = "told"
    SENDING = "sending"
    QUEUED = "queued"
    OUTSTANDING = "outstanding"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonStanding:
    """How things stand with one person. Times are aware.

    ``sequence`` is that of the newest version of the whole that the person was certainly told, at
    ``told_at``. Where there is none, ``told_at`` is when a mail was last accepted: of a single
    occurrence, or of the whole before it was mailed again. ``may_have_more``: a newer mail may have
    arrived, or what had arrived is mailed again. ``reply`` is the mail server's last word; empty
    where it was not asked yet. ``next_try`` is the time of the next try, where an earlier one was
    deferred or its ``end_is_unknown``.
    """

    attendee: Attendee
    state: PersonState
    is_invited: bool
    sequence: int | None = None
    told_at: datetime | None = None
    may_have_more: bool = False
    reply: str = ""
    next_try: datetime | None = None
    end_is_unknown: bool = False

    @property
    def key(self) -> str:
        """The address as it is compared."""
        return address_key(self.attendee.address)

    @property
    def is_pending(self) -> bool:
        """Whether a mail to the person is leaving, or will."""
        return self.state in (PersonState.SENDING, PersonState.QUEUED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a meeting stands, after a call or at any time.

    ``people`` are those who are invited, and after a call also those who hear that they are not
    any more. ``asked`` are the address keys of those whom a call's version tells something.
    ``occurrences`` are the wall-clock starts of the meeting as it is now. ``new_uid`` is that of
    the series that goes on, where a call made one. ``notes`` are what the caller should know.
    ``is_paused``: no mail leaves at present. ``server_is_closed``: the mail server did not take the
    last mails, so it is left alone for a while. ``is_duplicate``: the same call was made before, so
    this one made no version. ``has_mailed``: the mail server accepted a mail of the call for
    somebody, who may still lack another one. ``may_have_arrived``: its word on one is missing.
    ``goes_on``: a mail of the call is left to the background, also to somebody who lacks another.
    ``began_at`` is when the call looked (aware, PostgreSQL's time).
    """

    uid: str
    sequence: int
    people: tuple[PersonStanding, ...]
    asked: frozenset[str] = frozenset()
    occurrences: tuple[datetime, ...] = ()
    all_day: bool = False
    new_uid: str = ""
    notes: tuple[Note, ...] = ()
    is_paused: bool = False
    server_is_closed: bool = False
    is_duplicate: bool = False
    has_mailed: bool = False
    may_have_arrived: bool = False
    goes_on: bool = False
    began_at: datetime | None = None

    @property
    def told(self) -> bool:
        """Whether somebody has what the call's version says, or a part of it."""
        return self.has_mailed or any(each.state is PersonState.TOLD for each in self.asked_people)

    @property
    def pending(self) -> bool:
        """Whether something still goes out in the background to whom the call's version tells."""
        return self.goes_on or any(each.is_pending for each in self.asked_people)

    @property
    def error(self) -> str:
        """Why nobody was told, as one sentence; empty where somebody was, is to be, or may be."""
        outstanding = PersonState.OUTSTANDING
        replies = [each.reply for each in self.asked_people if each.state is outstanding]
        if self.told or self.pending or self.may_have_arrived or not replies:
            return ""
        reply = replies[0] or "the mail server gave no reason"
        return f"The mail server accepted the mail for no recipient: {reply}"

    @property
    def asked_people(self) -> tuple[PersonStanding, ...]:
        """Those whom the call's version tells something."""
        return tuple(each for each in self.people if each.key in self.asked)

    @property
    def told_now(self) -> tuple[PersonStanding, ...]:
        """Those of them who were told since the call began, and did not have it before."""
        return tuple(each for each in self.asked_people if self._is_told_now(each))

    def _is_told_now(self, person: PersonStanding) -> bool:
        if person.state is not PersonState.TOLD or not (person.told_at and self.began_at):
            return False
        return person.told_at >= self.began_at


def standing_of(look: Look) -> Standing:
    """Return how the stored meeting stands that ``look`` found, with nobody asked."""
    assert look.stored is not None  # noqa: S101 (there is nothing to say of no meeting)
    event = look.stored.event
    return Standing(
        uid=look.stored.meeting.uid,
        sequence=event.sequence,
        people=people_of(event, look.stored.people, look.now),
        occurrences=event.occurrences,
        all_day=event.all_day,
        is_paused=look.is_paused,
        server_is_closed=look.server.is_closed_to_calls,
    )


def people_of(
    event: Event, rows: Collection[PersonRow], now: datetime
) -> tuple[PersonStanding, ...]:
    """Return how ``event`` stands with everybody who is or was invited, in the list's order."""
    present = Present(event, now)
    return tuple(_standing(present, row) for row in rows)


def _standing(present: Present, row: PersonRow) -> PersonStanding:
    state = _state(present, row)
    # Of what was never tried the mail server has said nothing. Its last word is about older mail.
    is_new = state is PersonState.SENDING or (state is PersonState.QUEUED and not row.retry_at)
    return PersonStanding(
        attendee=row.person.attendee,
        state=state,
        is_invited=row.listed or row.person.key in present.added,
        sequence=row.person.sequence,
        told_at=row.told_at,
        may_have_more=row.person.possible,
        reply="" if is_new else row.last_reply,
        next_try=row.retry_at,
        end_is_unknown=any(each.state is DeliveryState.UNKNOWN for each in row.open),
    )


def _state(present: Present, row: PersonRow) -> PersonState:
    if row.is_being_sent:
        return PersonState.SENDING
    if row.person.asked < present.event.sequence:
        return PersonState.UNTOLD
    if not outstanding(present, row.person):
        return PersonState.TOLD if row.person.was_told else PersonState.UNTOLD
    if row.failed_sequence is not None and row.failed_sequence >= row.person.asked:
        return PersonState.OUTSTANDING
    return PersonState.QUEUED
