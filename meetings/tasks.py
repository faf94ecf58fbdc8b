"""Envelopes for the operations that Celery's workers run. The row is the truth: a task only says
where to look.
"""

from celery import shared_task
from django.db import DatabaseError, InterfaceError, close_old_connections

from meetings import trouble
from meetings.operations import retention
from meetings.operations import sweep as sweeping
from meetings.operations.steps import publisher

# deliveries that one sweep publishes: every five seconds as many as a few workers can send
BATCH = 2000


@shared_task
def deliver(message_id: int) -> None:
    """Deliver what is due of one message. Whatever goes wrong, the lease ends and the next sweep
    finds it.
    """
    close_old_connections()  # in Django's sense: those that are old or broken
    try:
        sweeping.deliver_stored(message_id)
    except (DatabaseError, InterfaceError):
        trouble.report(
            "database", "the database is away: the sweep delivers what waits when it is back"
        )


@shared_task
def sweep() -> None:
    """Publish what is due, or was left by somebody who died."""
    close_old_connections()
    try:
        due = sweeping.due_mails(BATCH)
    except (DatabaseError, InterfaceError):
        trouble.report("database", "the database is away: nothing is swept until it is back")
        return
    for message_id in due:
        publisher.send(publisher.DELIVER, [message_id])


@shared_task
def drop_old_bytes() -> None:
    """Let go of the bytes of old mails."""
    close_old_connections()
    retention.drop_old_bytes()
