"""Whether the mail server may be given a mail now, by what all processes know of it.

A server without room for us is left alone by every process for a while. One that hung three times
is tried by one process at a time, until it replies.
"""

import threading
import time
from collections.abc import Callable, Collection

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
    if time.monotonic() < _closed_until:
        return False
    try:
        is_turn = not _state.is_broken or server.may_probe()
        return is_turn and (not settings.MEETINGS_SMTP_RATE or _has_slot(deadline))
    except (DatabaseError, InterfaceError):
        connection.close()
        return False


def learn(outcomes: Collection[Outcome]) -> None:
    """Tell all processes what the end of a transaction says of the mail server.

    No statement where all is well, as it was before.
    """
    statement = _lesson(outcomes)
    if statement is None:
        return
    try:
        note(statement())
    except (DatabaseError, InterfaceError):
        connection.close()  # the next transaction says it again


def _lesson(outcomes: Collection[Outcome]) -> Callable[[], ServerState] | None:
    if any(outcome.loss is Loss.SILENT for outcome in outcomes):
        return server.hung
    if any(outcome.is_server_busy for outcome in outcomes):
        return server.was_busy
    if _state.has_trouble and not any(outcome.loss for outcome in outcomes):
        return server.was_well
    return None


def _has_slot(deadline: Deadline) -> bool:
    wait = server.take_slot(min(deadline.left, SLOT_PATIENCE))
    if wait is None:
        return False
    time.sleep(wait)
    return True
