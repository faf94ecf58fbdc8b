"""``manage.py backlog``: the number of deliveries by state as one line of JSON, for monitoring."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from meetings.management.report import refusals_as_command_errors
from meetings.queries.backlog import backlog


class Command(BaseCommand):
    help = "Prints deliveries by state and the age of the oldest queued one, in seconds, as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals_as_command_errors():
            found = backlog()
        counts = {state.value: count for state, count in found.counts.items()}
        self.stdout.write(json.dumps(counts | {"oldest_queued_seconds": found.oldest_queued}))
