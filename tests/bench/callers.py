"""Programs that call a running server. Their functions are for a process of their own."""

import http.client
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

from tests.bench.sink import SLOW_READER
from tests.bench.timing import BODY
from tests.support.callers import post
from tests.support.waiting import PATIENCE

# Makes one call. Returns the response's status and its "result".
Call = Callable[[], tuple[int, object]]

UPDATES = 60
SENDERS = 64
WARM_UP = 1.0  # seconds that do not count
HANG_SECONDS = 10.0  # as long as a call waits for its mail
PAUSE = 0.05  # seconds between two calls of those who look how long others wait
FIRST = 10  # calls of these that do not count


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call was answered, and after how many ``seconds``."""

    status: int
    result: object
    seconds: float
    ended: float  # by the monotonic clock

    @property
    def is_accepted(self) -> bool:
        """The mail server has accepted the mail."""
        return (self.status, self.result) == (200, 1)


def invite_for(port: int, *, callers: int, seconds: float) -> list[Answer]:
    """So many callers invite one person each, again and again."""
    begin = time.monotonic() + WARM_UP
    answers = _at_once(callers, partial(invite, port), until=begin + seconds)
    return [answer for answer in answers if begin < answer.ended <= begin + seconds]


def update_at_once(port: int) -> dict[str, list[Answer]]:
    """How many updates of one meeting were answered, whose mail is slow, and others beside them."""
    name = uuid.uuid4().hex
    call = partial(invite, port, SLOW_READER, uid=name)
    call()
    others = {
        "GET /admin/login/": partial(read, port, "/admin/login/"),
        "send to another": partial(invite, port),
        "401": partial(call_with_wrong_key, port),
    }
    with beside(others) as found, ThreadPoolExecutor(UPDATES) as pool:
        updates = [
            pool.submit(timed, partial(call, operation="update", subj=f"Title {number}"))
            for number in range(UPDATES)
        ]
        answers = [update.result() for update in updates]
    return {"update": answers} | found


def call_while_it_hangs(port: int) -> dict[str, list[Answer]]:
    """Sends to a mail server that says nothing, and what needs no mail beside them."""
    others = {
        "GET /admin/login/": partial(read, port, "/admin/login/"),
        "401": partial(call_with_wrong_key, port),
    }
    with beside(others) as found:
        answers = _at_once(SENDERS, partial(invite, port), until=time.monotonic() + HANG_SECONDS)
    return {"send": answers} | found


@contextmanager
def beside(calls: Mapping[str, Call]) -> Iterator[dict[str, list[Answer]]]:
    """One caller for each of these ``calls``, who makes it again and again during the ``with``."""
    found: dict[str, list[Answer]] = {}
    over = threading.Event()
    for call in calls.values():
        for _ in range(FIRST):
            call()
    with ThreadPoolExecutor(len(calls)) as pool:
        running = {name: pool.submit(_repeated, call, over, PAUSE) for name, call in calls.items()}
        try:
            yield found
        finally:
            over.set()
        found.update({name: answers.result() for name, answers in running.items()})


def invite(port: int, person: str = "bob@example.org", **changes: object) -> tuple[int, object]:
    """Invite one person to a new meeting, or call on it as the ``changes`` say."""
    new = {"uid": uuid.uuid4().hex, "receiver": {"required": [person]}}
    once = {name: value for name, value in BODY.items() if name != "repeat"}
    response = post(port, once | new | changes)
    assert response.status in (200, 202), response
    return response.status, response.body["result"]


def call_with_wrong_key(port: int) -> tuple[int, object]:
    """A call that is refused."""
    response = post(port, BODY, {"Authorization": "Api-Key wrong.key"})
    assert response.status == 401, response
    return response.status, None


def read(port: int, path: str) -> tuple[int, object]:
    """GET a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    assert response.status == 200, response.status
    return response.status, None


def timed(call: Call) -> Answer:
    """Make the call."""
    began = time.monotonic()
    status, result = call()
    ended = time.monotonic()
    return Answer(status, result, ended - began, ended)


def _at_once(callers: int, call: Call, *, until: float) -> list[Answer]:
    """So many make the call again and again until then, by the monotonic clock."""
    with ThreadPoolExecutor(callers) as pool:
        over = threading.Event()
        running = [pool.submit(_repeated, call, over) for _ in range(callers)]
        time.sleep(until - time.monotonic())
        over.set()
        return [answer for answers in running for answer in answers.result()]


def _repeated(call: Call, over: threading.Event, pause: float = 0.0) -> list[Answer]:
    answers = []
    while not over.wait(pause):
        answers.append(timed(call))
    return answers
