"""Whether the mail server may be given a mail now, by what all processes know of it.

A server without room for us is left alone by every process for a while. One that hung three times
is tried by one process at a time, until it replies. Where it bears some of our connections, the
processes share these.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from meetings import trouble
from meetings.deadline import Deadline
from meetings.models.outbox import server
from meetings.models.outbox.queue import SLOT_PATIENCE
from meetings.models.outbox.state import ServerState
from meetings.transport.outcome import Loss, Outcome
from meetings.transport.send import close_kept_connections, mails_without_reply, make_way

_LONG = 60.0  # seconds for the reply to a final dot
_HEARSAY = 0.5  # seconds for a heartbeat that is on its way
_PATIENCE = 5.0  # seconds for which others may go on with all connections that there are

_lock = threading.Lock()
_state = ServerState()
_closed_until = 0.0  # by the monotonic clock
_begun_at: dict[int, float] = {}  # by thread: when its transaction began
_probing: set[int] = set()  # threads
_replied_at: float | None = None
_told_others_at = -math.inf
_turned_away: int | None = None  # as others have counted it so far; None: not known yet


def note(state: ServerState) -> None:
    """Take note of how the mail server stands, as PostgreSQL has just said."""
    global _state, _closed_until, _turned_away  # noqa: PLW0603 (one for the process)
    with _lock:
        has_less_room = state.busy > _state.busy
        is_in_the_way = _turned_away is not None and state.turned_away > _turned_away
        _state, _closed_until = state, time.monotonic() + state.closed_for
        _turned_away = state.turned_away
    if is_in_the_way:
        make_way()
    if has_less_room:  # connections on which nothing is sent take the room of others
        close_kept_connections()


def is_served_elsewhere(sender_id: int) -> bool:
    """Whether the mail server refuses this process because it bears the connections of others.

    Now and then these are told, so that they make way. One statement, or two if it seems not to be
    so: another process may just have got the connection, and be about to say so.
    """
    if _is_served_elsewhere(sender_id):
        return True
    if is_closed():
        return False
    time.sleep(_HEARSAY)
    return _is_served_elsewhere(sender_id)


def _is_served_elsewhere(sender_id: int) -> bool:
    global _turned_away, _told_others_at  # noqa: PLW0603 (one for the process)
    is_time = time.monotonic() >= _told_others_at + _PATIENCE
    state = _asked(partial(server.was_turned_away, sender_id, counts=is_time))
    if state is None:
        return False
    with _lock:
        _turned_away = state.turned_away  # this process does not make way for itself
        _told_others_at = time.monotonic() if is_time else _told_others_at
    note(state)
    return not state.closed_for


def replied_ago() -> float | None:
    """How many seconds ago the mail server last replied to this process, None for never."""
    return None if _replied_at is None else time.monotonic() - _replied_at


def may_begin(deadline: Deadline) -> bool:
    """Return whether a transaction may begin now. It may wait for its slot, by the set rate.

    One statement for a server that hung, and one where MEETINGS_SMTP_RATE is set. Without the
    database nothing begins: what became of it could not be recorded.
    """
    _end_turn()
    if time.monotonic() < _closed_until:
        return False
    try:
        is_turn = not _state.is_broken or _may_probe()
        may = is_turn and (not settings.MEETINGS_SMTP_RATE or _has_slot(deadline))
    except (DatabaseError, InterfaceError):
        connection.close()
        return False
    _begun_at[threading.get_ident()] = time.monotonic()
    return may


def _may_probe() -> bool:
    may = server.may_probe()
    if may:
        _probing.add(threading.get_ident())
    return may


def hold_probe() -> None:
    """Say that a mail of this process still tries a server that hung, so that no other does.

    The heart says it: one statement, where there is such a mail.
    """
    if _probing:
        server.hold_probe()


def report_silence() -> None:
    """Log how many mails have waited long for the reply to their final dot. The heart says it.

    They keep their connections, for MEETINGS_SMTP_LAST_REPLY seconds at most.
    """
    count = mails_without_reply(_LONG)
    if count:
        text = f"mail server: no reply to the final dot for {_LONG:.0f} seconds: mails: {count}"
        trouble.report("no reply to the dot", text, level=logging.WARNING, count=0)


def learn(outcomes: Collection[Outcome]) -> ServerState | None:
    """Tell all processes what the end of this thread's transaction says of the mail server.

    Return how it stands, if that is new. No statement where all is well, as it was before.
    """
    global _replied_at  # noqa: PLW0603 (one for the process)
    thread = threading.get_ident()
    statement = _lesson(outcomes, _begun_at.pop(thread, time.monotonic()))
    if _are_replies(outcomes) and not any(outcome.is_server_busy for outcome in outcomes):
        _replied_at = time.monotonic()
    state = _noted(statement) if statement else None
    if state is not None:
        _probing.discard(thread)
    return state


@contextmanager
def turn() -> Iterator[None]:
    """Within it a thread may try a server that hung; afterwards it is another process's turn.

    Also where the mail was not begun after all, or its end says nothing of the server.
    """
    try:
        yield
    finally:
        _end_turn()


def _end_turn() -> None:
    thread = threading.get_ident()
    if thread in _probing:
        _probing.discard(thread)
        _noted(server.end_probe)


def _noted(statement: Callable[[], ServerState | None]) -> ServerState | None:
    state = _asked(statement)
    if state is not None:
        note(state)
    return state


def _asked(statement: Callable[[], ServerState | None]) -> ServerState | None:
    try:
        return statement()
    except (DatabaseError, InterfaceError):
        connection.close()  # the next transaction says it again
        return None


def _lesson(
    outcomes: Collection[Outcome], begun_at: float
) -> Callable[[], ServerState | None] | None:
    if any(outcome.loss is Loss.SILENT for outcome in outcomes):
        # Where a transaction that is younger got a reply, the server works.
        is_none = _replied_at is not None and _replied_at >= begun_at
        probes = threading.get_ident() in _probing
        lasted = time.monotonic() - begun_at
        return None if is_none else partial(server.hung, lasted, probes=probes)
    if any(outcome.is_server_busy for outcome in outcomes):
        return server.was_busy
    return server.was_well if _state.has_trouble and _are_replies(outcomes) else None


def _are_replies(outcomes: Collection[Outcome]) -> bool:
    return all(outcome.phase and not outcome.loss for outcome in outcomes)


def _has_slot(deadline: Deadline) -> bool:
    wait = server.take_slot(min(deadline.left, SLOT_PATIENCE))
    if wait is None:
        return False
    time.sleep(wait)
    return True


def is_closed() -> bool:
    """Whether calls leave it alone now, by what this process learned last. No statement."""
    return _state.is_broken or time.monotonic() < _closed_until


def is_broken() -> bool:
    """Whether only a probe tries it, by what this process learned last. No statement."""
    return _state.is_broken
