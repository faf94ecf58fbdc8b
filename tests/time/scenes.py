"""Mail servers that need long, and processes that end meanwhile: nothing is cut, nobody waits.

Each scene ends with one copy for each person. In scenes about waiting, what must not wait is
awaited while the mail server says nothing, so that the order of events is the proof and no clock.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from functools import partial

from tests.support.callers import Response
from tests.support.readers.mail import read
from tests.support.servers.smtp_conversation import Slow
from tests.support.servers.smtp_server import DEFAULTS, HANG
from tests.support.waiting import wait_until
from tests.time.stage import ENDLESS, KEPT_OPEN, MOST_CALLS, Stage, subject

Scene = Callable[[Stage], None]

A_RECIPIENT = 0.11  # seconds, at an ordinary relay
A_SLOW_MAIL = 4.0
FEW = tuple(f"person{number}@example.org" for number in range(3))
CALLS = 60
# Of the calls on one meeting: one whose mail is sent, and two that wait for it.
WAIT_FOR_ONE = 3
WAIT = 12  # calls of a process that wait for mail, by default
BATCH = 100
# Calls that may be told that the server refuses all mail: as many as try it at one moment.
MOST_REFUSED = 16


def people(number: int) -> tuple[str, ...]:
    """So many."""
    return tuple(f"person{each}@example.org" for each in range(number))


def slow_recipients(stage: Stage, *extensions: str, number: int) -> None:
    """The server needs its time for each RCPT."""
    stage.begin(*extensions)
    stage.smtp.scripts["rcpt"] = Slow(DEFAULTS["rcpt"], stage.seconds(A_RECIPIENT))
    check_promise(stage.call(people(number)).result())
    stage.wait_until_told()
    check_copies(stage.copies(), of=people(number))


def slow_after_the_dot(stage: Stage, *, seconds: float) -> None:
    """The server needs its time after each final dot."""
    stage.begin()
    stage.smtp.scripts["dot"] = Slow(DEFAULTS["dot"], stage.seconds(seconds))
    uids = [f"{stage.uid}-{number}" for number in range(2)]
    for call in [stage.call(FEW, uid=uid) for uid in uids]:
        check_promise(call.result())
    stage.wait_until_told(*uids)
    for uid in uids:
        check_copies(stage.copies(uid), of=FEW)


def many_calls_on_one_meeting(stage: Stage) -> None:
    """Its mails are slow. Other meetings, readers and the admin do not wait for them."""
    stage.begin(**ENDLESS)
    stage.call(FEW).result()
    slow = Slow(DEFAULTS["dot"], stage.seconds(A_SLOW_MAIL))
    with stage.held("dot", lambda mail: subject(mail).endswith(stage.uid)) as gate:
        calls = [
            stage.call(FEW, operation="update", subj=f"Title {number}") for number in range(CALLS)
        ]
        gate.wait_for_client()
        check_that_others_are_promised(calls, waiting=WAIT_FOR_ONE)
        other = stage.call(FEW, uid=f"other-than-{stage.uid}-").result()
        assert (other.status, other.body["result"]) == (200, 1)
        stage.check_that_others_are_answered()
        stage.smtp.scripts["dot"] = slow
    for call in calls:
        check_promise(call.result())
    stage.wait_until_told()
    came = Counter(
        (person, read(mail.raw).sequence) for mail in stage.taken() for person in mail.recipients
    )
    assert set(came.values()) == {1}
    assert all((person, CALLS) in came for person in FEW)


def few_connections(stage: Stage, *, bears: int) -> None:
    """The server bears so few connections at a time, and two processes may have eight each."""
    stage.begin()
    stage.smtp.bears = bears
    stage.smtp.scripts["dot"] = Slow(DEFAULTS["dot"], stage.seconds(A_RECIPIENT))
    uids = [f"{stage.uid}-{number}-" for number in range(CALLS)]
    calls = {uid: stage.call(FEW, uid=uid) for uid in uids}
    promised = [uid for uid in uids if calls[uid].result().body["result"] == 1]
    assert len(promised) >= CALLS - MOST_REFUSED
    stage.wait_until_told(*promised)
    for uid in uids:
        check_copies(stage.copies(uid), of=FEW if uid in promised else ())


def killed_between_batches(stage: Stage) -> None:
    """The process dies while it waits for the reply to its second batch of four."""
    stage.begin(**ENDLESS)
    stage.site.stop("mail")
    with stage.held("dot", lambda _: len(stage.taken()) == 1) as gate:
        call = stage.call(people(4 * BATCH))
        gate.wait_for_client()
        [worker] = stage.site.web_workers()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: worker not in stage.site.web_workers(), "its end")
    assert call.result().status == 0
    wait_until(lambda: len(stage.taken()) == 2, "the end of the batch in hand")
    check_the_rest(stage, in_hand=stage.taken()[1].recipients)


def stopped_in_a_batch(stage: Stage, *, moment: str) -> None:
    """A process that is told to end (SIGTERM) ends the batch in hand, and begins no other one."""
    stage.begin(**ENDLESS, **KEPT_OPEN)
    stage.site.stop("mail")
    with stage.held(moment, lambda _: True) as gate:
        call = stage.call(people(4 * BATCH))
        gate.wait_for_client()
        web = stage.tell_web_to_end()
    assert web.wait() == 0
    check_promise(call.result())
    assert len(stage.taken()) == 1
    check_the_rest(stage, in_hand=())


def stopped_while_the_server_hangs(stage: Stage) -> None:
    """A process that is told to end does so, though the server never replies to the dot."""
    stage.begin()
    stage.site.stop("mail")
    stage.smtp.scripts["dot"] = HANG
    call = stage.call(people(4 * BATCH))
    wait_until(stage.taken, "the first batch")
    check_promise(call.result())
    web = stage.site.running.pop("web")
    web.signal(signal.SIGTERM)
    assert web.wait() == 0
    [batch] = stage.taken()
    stage.smtp.scripts["dot"] = DEFAULTS["dot"]
    check_the_rest(stage, in_hand=batch.recipients)


def hanging_server(stage: Stage) -> None:
    """The server accepts connections and says nothing, and as many call as can. All is answered."""
    stage.begin(**ENDLESS)
    stage.smtp.scripts["banner"] = HANG
    uids = [f"{stage.uid}-{number}-" for number in range(MOST_CALLS)]
    calls = {uid: stage.call(FEW, uid=uid) for uid in uids}
    check_that_others_are_promised(list(calls.values()), waiting=WAIT)
    stage.check_that_others_are_answered()
    stage.smtp.scripts["banner"] = DEFAULTS["banner"]
    stage.smtp.drop_connections()
    promised = [uid for uid in uids if calls[uid].result().body["result"] == 1]
    assert len(promised) >= MOST_CALLS - WAIT
    stage.wait_until_told(*promised)
    for uid in uids:
        check_copies(stage.copies(uid), of=FEW if uid in promised else ())


def check_promise(response: Response) -> None:
    """Somebody is told, or the background goes on: a slow server is no reason for a 0."""
    assert response.status in (200, 202), response
    assert response.body["result"] == 1, response


def check_that_others_are_promised(calls: list[Future[Response]], *, waiting: int) -> None:
    """All calls but so many are answered that the background does it, whatever is held up."""
    wait_until(lambda: sum(call.done() for call in calls) >= len(calls) - waiting, "their answers")
    for call in calls:
        if call.done():
            assert (call.result().status, call.result().body["result"]) == (202, 1)


def check_the_rest(stage: Stage, *, in_hand: Collection[str]) -> None:
    """The background tells the rest. Only those whose mail was ``in_hand`` may have two."""
    stage.let_leases_end()
    stage.site.start("mail")
    stage.wait_until_told()
    check_copies(stage.copies(), of=people(4 * BATCH), perhaps_two=in_hand)


def check_copies(
    copies: Mapping[str, int], *, of: Collection[str], perhaps_two: Collection[str] = ()
) -> None:
    """Each person has one, and nobody else has any."""
    wrong = {
        person: copies.get(person, 0)
        for person in {*of, *copies}
        if copies.get(person, 0) != (person in of)
        and not (person in perhaps_two and copies.get(person, 0) == 2)
    }
    assert not wrong, f"of {len(of)} people these have another number of copies than 1: {wrong}"


SCENES: Mapping[str, Scene] = {
    "recipients-100": partial(slow_recipients, number=100),
    "recipients-400": partial(slow_recipients, number=400),
    "recipients-1000": partial(slow_recipients, number=1000),
    "pipelining-100": lambda stage: slow_recipients(stage, "PIPELINING", number=100),
    "pipelining-400": lambda stage: slow_recipients(stage, "PIPELINING", number=400),
    "pipelining-1000": lambda stage: slow_recipients(stage, "PIPELINING", number=1000),
    "dot-12": partial(slow_after_the_dot, seconds=12),
    "dot-90": partial(slow_after_the_dot, seconds=90),
    "crowd": many_calls_on_one_meeting,
    "connections-1": partial(few_connections, bears=1),
    "connections-2": partial(few_connections, bears=2),
    "kill": killed_between_batches,
    "stop-rcpt": partial(stopped_in_a_batch, moment="rcpt"),
    "stop-dot": partial(stopped_in_a_batch, moment="dot"),
    "stop-hang": stopped_while_the_server_hangs,
    "hang": hanging_server,
}
