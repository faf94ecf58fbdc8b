"""Programs that send, update and cancel meetings at once, and note each response."""

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.callers import post

# uids in use at once; a cancelled one is followed by another, because its own is never used again
SLOTS = 60
PEOPLE = 6
WEEKS = 4
_SERIES = 4  # one slot in so many has series
_ASYNC = 0.25  # of the calls prefer a response before the mail has left
_MONDAYS = [f"2037-03-{2 + 7 * week:02}" for week in range(WEEKS)]
_ONE_DAY = 0.4  # of the calls on a series are about one occurrence


@dataclass(frozen=True, slots=True)
class Call:
    """One call and its response; ``status`` 0: the connection broke before there was one."""

    number: int
    operation: str
    uid: str
    began: float
    ended: float
    status: int
    body: dict[str, Any]

    @property
    def promised(self) -> bool:
        return self.body.get("result") == 1

    @property
    def told_nothing_goes_out(self) -> bool:
        return self.body.get("result") == 0 and self.status == 200

    @property
    def was_cut_off(self) -> bool:
        """Whether the caller does not know what has become of the call."""
        return self.status in (0, 500, 503)

    def of(self, state: str) -> set[str]:
        """The recipients to whom the response gives this state."""
        found: dict[str, str] = self.body.get("recipients", {})
        return {address for address, each in found.items() if each == state}


@dataclass(slots=True)
class Meetings:
    """Which uid each slot has now, and whether it was sent; several callers share them."""

    generation: dict[int, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def uid(self, slot: int) -> str:
        return f"slot-{slot}-{self.generation.get(slot, 0)}"

    def learn(self, call: Call, slot: int) -> None:
        """What the response says of the slot's meeting."""
        if call.status == 404:
            self.known.discard(call.uid)
        elif call.status:
            self.known.add(call.uid)
        # After some cancellations the uid stays in use: the next calls are duplicates and refusals.
        if (
            call.operation == "cancel"
            and call.status == 200
            and call.number % 3
            and call.uid == self.uid(slot)
        ):
            self.generation[slot] = self.generation.get(slot, 0) + 1


class Callers:
    """``count`` threads, which make ``wanted`` calls in all, or fewer when ``seconds`` are over."""

    def __init__(
        self, seed: int, ports: Sequence[int], *, count: int, wanted: int, seconds: float
    ) -> None:
        self.calls: list[Call] = []
        self.broken: list[BaseException] = []
        self._meetings = Meetings()
        self._guard = threading.Lock()
        self._begun = 0
        self._wanted = wanted
        self._end = time.monotonic() + seconds
        self._ports = ports
        self._threads = [
            threading.Thread(target=self._run, args=[random.Random(f"{seed}/{n}")])
            for n in range(count)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    @property
    def at_work(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _run(self, chance: random.Random) -> None:
        try:
            while (number := self._next_number()) and time.monotonic() < self._end:
                self._one(number, chance)
        except BaseException as error:
            self.broken.append(error)
            raise

    def _next_number(self) -> int:
        with self._guard:
            self._begun += 1
            return self._begun if self._begun <= self._wanted else 0

    def _one(self, number: int, chance: random.Random) -> None:
        slot = chance.randrange(SLOTS)
        with self._guard:
            uid = self._meetings.uid(slot)
            known = uid in self._meetings.known
        operation = _choose(chance, known=known)
        is_series = slot % _SERIES == 0
        body = _body(operation, uid, number, chance)
        if is_series and operation == "send":
            body["repeat"] = {"FREQ": "WEEKLY", "COUNT": WEEKS}
        day = chance.choice(_MONDAYS) if is_series and chance.random() < _ONE_DAY else ""
        if day and operation != "send":
            operation, body = f"{operation} a day", _of_one_day(body, day)
        headers = {"Prefer": "respond-async"} if chance.random() < _ASYNC else {}
        port = chance.choice(self._ports)
        response = post(port, body, headers, give_up_at=self._end)
        call = Call(
            number=number,
            operation=operation,
            uid=uid,
            began=response.began,
            ended=time.monotonic(),
            status=response.status,
            body=response.body,
        )
        with self._guard:
            self.calls.append(call)
            self._meetings.learn(call, slot)


def _choose(chance: random.Random, *, known: bool) -> str:
    """Mostly what fits."""
    if not known:
        return "send"
    return chance.choices(("send", "update", "cancel"), (5, 80, 15))[0]


def _body(operation: str, uid: str, number: int, chance: random.Random) -> dict[str, Any]:
    if operation == "cancel":
        return {"operation": operation, "uid": uid}
    # A repeated send has the same content.
    picked = range(3) if operation == "send" else chance.sample(range(PEOPLE), chance.randint(1, 4))
    hour = 10 if operation == "send" else chance.choice((10, 10, 10, 14))
    return {
        "operation": operation,
        "uid": uid,
        "start": f"2037-03-02 {hour}:00",
        "end": f"2037-03-02 {hour + 1}:00",
        "sender": "Alice <alice@example.com>",
        "receiver": {"required": [f"person{who}@example.org" for who in picked]},
        "subj": "first" if operation == "send" else f"call {number}",
        "description": "",
        "location": "",
    }


def _of_one_day(body: dict[str, Any], day: str) -> dict[str, Any]:
    """The same about one occurrence of the series, on its own day."""
    times = {name: f"{day}{body[name][10:]}" for name in ("start", "end") if name in body}
    return body | times | {"occurrence": day}
