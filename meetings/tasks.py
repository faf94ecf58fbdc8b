"""The tasks of Celery's workers.

A task says only which mail to look at. The truth is in its row, so a task may be lost or doubled.
"""

from celery import shared_task
from django.db import DatabaseError, InterfaceError, close_old_connections

from meetings import trouble
from meetings.operations import retention
from meetings.operations import sweep as sweeping
from meetings.operations.steps import publisher

# Deliveries that one sweep publishes. A few workers can send them in the 5 s until the next one.
BATCH = 2000


@shared_task
def deliver(mail_id: int) -> None:
    """Deliver what is due of one mail. If it fails, its lease ends and the next sweep finds it."""
    close_old_connections()  # in Django's sense: those that are old or broken
    try:
        sweeping.deliver_stored(mail_id)
    except (DatabaseError, InterfaceError):
        trouble.report(
            "database", "The database is unavailable. A later sweep delivers the pending mail."
        )


@shared_task
def sweep() -> None:
    """Publish a task for each mail that is due or whose lease has ended."""
    close_old_connections()
    try:
        due = sweeping.due_mails(BATCH)
    except (DatabaseError, InterfaceError):
        trouble.report("database", "The database is unavailable, so nothing is swept.")
        return
    for mail_id in due:
        publisher.send(publisher.DELIVER, [mail_id])


@shared_task
def drop_old() -> None:
    """Drop the bytes of old mails, and old counts of calls."""
    close_old_connections()
    retention.drop_old()
