"""Calls on one meeting take turns, so that every version is mailed and every answer is true.

A turn is PostgreSQL's session-level advisory lock: it outlasts the transaction that stores a
version, until that version's messages are done, and it ends by itself when the process or its
connection dies. The meeting's row lock still guards what is stored: a call that got no turn relies
on it alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection
from psycopg2.errors import LockNotAvailable

from meetings.deadline import Deadline

_POLL = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
# One statement: the timeout that it sets is in force when the lock is waited for, and is put back
# below.
_WAIT = "SELECT set_config('lock_timeout', %s, false), pg_advisory_lock(hashtextextended(%s, 0))"
_RESERVE = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"


def reserve(uid: str) -> None:
    """Keep others from storing the uid until this transaction ends: it has no row to lock yet."""
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, [uid])


@contextmanager
def turn(uid: str, deadline: Deadline) -> Iterator[bool]:
    """Wait for this call's turn on the meeting ``uid``; False where ``deadline`` came first."""
    mine = deadline.left > 0 and (_take(uid) or _wait(uid, deadline.left))
    try:
        yield mine
    finally:
        if mine:
            _give_back(uid)


def _take(uid: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_POLL, [uid])
        return bool(cursor.fetchone()[0])


def _wait(uid: str, seconds: float) -> bool:
    milliseconds = int(seconds * 1000)
    if not milliseconds:  # 0 would mean "for ever" to PostgreSQL
        return False
    with connection.cursor() as cursor:
        try:
            cursor.execute(_WAIT, [str(milliseconds), uid])
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            return False
        cursor.execute("RESET lock_timeout")
    return True


def _give_back(uid: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_UNLOCK, [uid])
