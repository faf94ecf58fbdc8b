"""The tasks of Celery's workers.

A task says only which meetings to look at. The truth is in their rows, so a task may be lost or
doubled: where nothing is outstanding, nothing is sent.
"""

from celery import shared_task
from django.db import DatabaseError, InterfaceError, close_old_connections

from meetings import trouble
from meetings.operations import retention, work
from meetings.operations.steps import publisher

# Meetings that one sweep claims. A few workers can work them off in the 5 s until the next one.
BATCH = 1000


@shared_task
def deliver(meeting_ids: list[int]) -> None:
    """Tell the people of up to 20 meetings what is outstanding.

    Its sender threads do that. What fails is due again when its claim ends.
    """
    work.tell_people_of(meeting_ids)


@shared_task
def sweep() -> None:
    """Claim the meetings that are due, and publish tasks for them."""
    close_old_connections()
    try:
        work.adopt_orphans()
        due = work.claim(BATCH)
    except (DatabaseError, InterfaceError):
        trouble.report("database", "The database is unavailable, so nothing is swept.")
        return
    for first in range(0, len(due), work.BATCH):
        publisher.send(publisher.DELIVER, [due[first : first + work.BATCH]])


@shared_task
def drop_old() -> None:
    """Drop the bytes of old mails, and old counts of calls."""
    close_old_connections()
    retention.drop_old()
