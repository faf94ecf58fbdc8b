"""Find what is due, or was left by somebody who died, and have it delivered.

The claim is the guard: any number of sweeps may run at once, on any number of machines.
"""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError

from meetings.models import Delivery, Message
from meetings.operations.deliver import deliver_message

log = logging.getLogger(__name__)

BATCH = 200  # deliveries that one look takes up


def due_messages(limit: int = BATCH) -> list[int]:
    """The ids of messages with something to send now, those that wait longest first. One query, by index."""
    return Delivery.objects.due_messages(limit)


def deliver_stored(message_id: int) -> int:
    """Deliver what is due of the message; how many deliveries were tried, 0 also for a message that is gone."""
    message = Message.objects.defer("raw").filter(pk=message_id).first()
    return deliver_message(message) if message else 0


def sweep(*, limit: int = BATCH, stop: Callable[[], bool] = lambda: False) -> list[int]:
    """Deliver what is due, one message after the other, until ``stop()``; the ids of the messages it went through.

    The same ones again mean that somebody else has them in hand. Raises OperationalError or InterfaceError when
    the database is away.
    """
    went_through = []
    for message_id in due_messages(limit):
        if stop():
            break
        _deliver(message_id)
        went_through.append(message_id)
    return went_through


def _deliver(message_id: int) -> None:
    try:
        deliver_stored(message_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # one message that cannot be sent does not keep the others: its lease ends, its deadline comes
        log.exception("Message %d could not be delivered.", message_id)
