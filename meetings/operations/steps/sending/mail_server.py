"""Whether the mail server may be given a mail now, by what all processes know of it.

A server without room for us is left alone by every process for a while. One that hung three times
is tried by one process at a time, until it replies.
"""

import math
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from meetings.deadline import Deadline
from meetings.models.outbox import server
from meetings.models.outbox.queue import SLOT_PATIENCE
from meetings.models.outbox.state import ServerState
from meetings.transport.outcome import Loss, Outcome
from meetings.transport.send import close_kept_connections

_lock = threading.Lock()
_state = ServerState()
_closed_until = 0.0  # by the monotonic clock
_begun_at: dict[int, float] = {}  # by thread: when its transaction began
_probing: set[int] = set()  # threads
_replied_at = -math.inf


def note(state: ServerState) -> None:
    """Take note of how the mail server stands, as PostgreSQL has just said."""
    global _state, _closed_until
    with _lock:
        has_less_room = state.busy > _state.busy
        _state, _closed_until = state, time.monotonic() + state.closed_for
    if has_less_room:  # connections on which nothing is sent take the room of others
        close_kept_connections()


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


def learn(outcomes: Collection[Outcome]) -> ServerState | None:
    """Tell all processes what the end of this thread's transaction says of the mail server.

    Return how it stands, if that is new. No statement where all is well, as it was before.
    """
    global _replied_at  # noqa: PLW0603 (one for the process)
    thread = threading.get_ident()
    statement = _lesson(outcomes, _begun_at.pop(thread, math.inf))
    if _are_replies(outcomes):
        _replied_at = time.monotonic()
    if statement is None:
        return None
    _probing.discard(thread)
    return _noted(statement)


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


def _noted(statement: Callable[[], ServerState]) -> ServerState | None:
    try:
        state = statement()
    except (DatabaseError, InterfaceError):
        connection.close()  # the next transaction says it again
        return None
    note(state)
    return state


def _lesson(outcomes: Collection[Outcome], begun_at: float) -> Callable[[], ServerState] | None:
    if any(outcome.loss is Loss.SILENT for outcome in outcomes):
        # Where a transaction that is younger got a reply, the server works.
        return server.hung if _replied_at < begun_at else None
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
