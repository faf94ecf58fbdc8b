"""What callers are told, and whether it is true."""

from collections.abc import Iterator
from dataclasses import dataclass

from meetings.models import Meeting
from meetings.queries.standing import Standing
from tests.machine.calls import EVERYBODY
from tests.machine.checks import check_answer
from tests.machine.world import Make, World


@dataclass(kw_only=True, eq=False)
class Call:
    """A call on the meeting ``uid``. ``told`` answers in its name.

    ``keeps_version``: made again at once, it never makes a new version. ``again`` is the last call,
    if this is the same once more and nobody asked for anything between. ``is_alone``: no other call
    was under way at the same time. ``sequence`` is that after it. ``told_no``: the caller was told
    that nothing was mailed and nothing will be.
    """

    answers: "Answers"
    uid: str
    make: Make
    keeps_version: bool
    again: "Call | None" = None
    is_alone: bool = True
    sequence: int | None = None
    told_no: bool = False

    def hears(self, number: int, answer: Standing | Exception) -> None:
        """Take the answer to the job ``number``, or the refusal."""
        self.answers.hear(self, number, answer)


class Answers:
    """The callers, with what they last asked for."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._last: dict[str, Call] = {}
        self._open: list[Call] = []

    def last_call(self, number: int) -> Call | None:
        """Return the last call on one of the meetings: answered, and nobody has asked since."""
        found = [self._last[uid] for uid in sorted(self._last)]
        return found[number % len(found)] if found else None

    def somebody_asks(self, uid: str) -> None:
        """An earlier promise to be silent ends."""
        family = _family(uid)
        silent = self.world.ledger.silent
        silent -= {pair for pair in silent if pair[0] in family}
        # A caller whose process was killed hears nothing.
        self._open = [each for each in self._open if each in self.world.callers]
        for each in self._open:
            each.is_alone = each.is_alone and each.uid not in family
        self._last = {name: call for name, call in self._last.items() if name not in family}

    def begin(self, uid: str, make: Make, *, keeps_version: bool) -> Call:
        """Note that a call begins."""
        call = Call(answers=self, uid=uid, make=make, keeps_version=keeps_version)
        last = self._last.get(uid)
        call.again = last if last and last.make is make else None
        self.somebody_asks(uid)
        family = _family(uid)
        call.is_alone = not any(each.uid in family for each in self._open)
        self._open.append(call)
        return call

    def hear(self, call: Call, number: int, answer: Standing | Exception) -> None:
        """Check what the caller hears."""
        self._open.remove(call)
        if isinstance(answer, Exception):
            assert not (call.again and call.is_alone), f"The same call was refused: {answer!r}"
            return
        call.sequence, call.told_no = answer.sequence, bool(answer.error)
        before = call.again
        if before and call.is_alone and (call.keeps_version or before.told_no):
            assert call.sequence == before.sequence, "The same call again made a new version."
        self._check_result(call, number, answer)
        if call.is_alone:
            self._last[call.uid] = call
        if call.is_alone and not self.world.busy:
            check_answer(self.world, answer)

    def _check_result(self, call: Call, number: int, answer: Standing) -> None:
        """After a 0, nothing was mailed, and nothing will be without another call.

        A call also tries what is outstanding of the earlier parts of a series.
        """
        uids = {answer.new_uid, *_with_earlier_parts(answer.uid)}
        asked = {(uid, each.attendee.address) for uid in uids for each in answer.asked_people}
        self.world.tally["calls told that nothing was mailed"] += call.told_no
        if not call.told_no:
            # A resend to one person promises nothing of the others.
            self.world.given_up -= asked if call.is_alone else set()
            return
        mailed = [each for each in self.world.ledger.of_job(number) if each.uid in uids]
        assert not mailed, f"A call that was told of no mail had sent {mailed}"
        self.world.given_up |= {(uid, to) for uid in uids for to in EVERYBODY}
        if call.is_alone:
            self.world.ledger.silent |= asked


def _with_earlier_parts(uid: str) -> Iterator[str]:
    """The meeting, and those that it continues."""
    meeting: Meeting | None = Meeting.objects.get(uid=uid)
    while meeting:
        yield meeting.uid
        meeting = meeting.continues


def _family(uid: str) -> set[str]:
    """The meeting, those that it continues, and those that continue it."""
    pairs = Meeting.objects.filter(continues__isnull=False).values_list("uid", "continues__uid")
    family, size = {uid}, 0
    while len(family) > size:
        size = len(family)
        family |= {name for pair in pairs for name in pair if not family.isdisjoint(pair)}
    return family
