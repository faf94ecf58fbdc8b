"""Tell the workers, where there are any, that a meeting is due.

Whom to tell is named by a setting, so that nothing here imports what runs above it, and nothing of
a message broker is imported where there is none. The row is the truth: a word that is lost costs a
few seconds.
"""

from collections.abc import Sequence
from functools import partial

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string


def wake(meeting_ids: Sequence[int]) -> None:
    """Say, after the commit, that these meetings are due. Costs no time and never fails."""
    if not settings.MEETINGS_WAKE or not meeting_ids:
        return
    tell = partial(import_string(settings.MEETINGS_WAKE), meeting_ids)
    if connection.in_atomic_block:
        transaction.on_commit(tell)
    else:  # on_commit() would connect to a database that has gone away meanwhile
        tell()
