"""``manage.py backlog``: how the outbox stands, as one line of JSON for whatever watches it."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from meetings.management.outcome import refusals_as_command_errors
from meetings.queries.backlog import backlog


class Command(BaseCommand):
    """``{"queued": 0, "sending": 0, "sent": 2, …, "oldest_queued_seconds": null}``."""

    help = "Prints deliveries by state and the age of the oldest queued one, in seconds, as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        """Count and print."""
        with refusals_as_command_errors():
            stands = backlog()
        counts = {state.value: count for state, count in stands.counts.items()}
        self.stdout.write(json.dumps(counts | {"oldest_queued_seconds": stands.oldest_queued}))
