"""The connections that each thread keeps between two transactions.

A connection belongs to one thread, so nothing here needs a lock.
"""

import atexit
import os
import threading
import time
from dataclasses import dataclass, field

from meetings.deadline import Deadline
from meetings.transport.smtp.connection import DeadlineSMTP
from meetings.transport.smtp.session import Server

_OK = 250


@dataclass(frozen=True, slots=True)
class Limits:
    """When a kept connection is probed with NOOP, and when it is given up. Times are in seconds."""

    probe_after: float = 2.0
    probe: float = 2.0  # how long the reply to NOOP may take
    idle: float = 60.0
    transactions: int = 100


@dataclass(slots=True)
class Connection:
    """An open connection, when it was last used, and how many transactions it has carried."""

    smtp: DeadlineSMTP
    used_at: float = field(default_factory=time.monotonic)
    transactions: int = 0

    def __del__(self) -> None:
        # The thread that kept it has ended. It must not leave its socket open.
        self.smtp.close()


class _Kept(threading.local):
    def __init__(self) -> None:
        # The process is part of the key: a fork copies this dictionary, and if parent and child
        # both spoke on one socket, each would read replies to the other's commands.
        self.connections: dict[tuple[int, Server], Connection] = {}


_kept = _Kept()


def take(server: Server, deadline: Deadline, limits: Limits) -> Connection | None:
    """Return this thread's connection to ``server``, with ``deadline``, if it is still alive."""
    connection = _kept.connections.pop((os.getpid(), server), None)
    if connection is None:
        return None
    connection.smtp.deadline = deadline
    idle = time.monotonic() - connection.used_at
    if idle >= limits.idle:
        connection.smtp.hang_up()
        return None
    if idle >= limits.probe_after and not _is_alive(connection.smtp, deadline, limits):
        connection.smtp.close()
        return None
    return connection


def keep(server: Server, connection: Connection, limits: Limits) -> None:
    """Keep ``connection`` after a transaction for the next one, unless it is closed or used up."""
    connection.transactions += 1
    if connection.smtp.sock is None:
        return
    if connection.transactions >= limits.transactions:
        connection.smtp.hang_up()
        return
    connection.used_at = time.monotonic()
    _kept.connections[os.getpid(), server] = connection


def close_kept_connections() -> None:
    """Say QUIT on the connections that this thread keeps, and forget them."""
    while _kept.connections:
        (process, _), connection = _kept.connections.popitem()
        # After a fork, the parent process still uses the connections that it opened.
        if process == os.getpid():
            connection.smtp.deadline = Deadline(1)
            connection.smtp.hang_up()


atexit.register(close_kept_connections)


def _is_alive(smtp: DeadlineSMTP, deadline: Deadline, limits: Limits) -> bool:
    # A firewall that has forgotten the connection drops our packets without a word. So the probe
    # gets a part of the time, and the rest is left for a new connection.
    smtp.deadline = Deadline(min(limits.probe, deadline.left / 2))
    try:
        return smtp.noop()[0] == _OK
    except OSError:
        return False
    finally:
        smtp.deadline = deadline
