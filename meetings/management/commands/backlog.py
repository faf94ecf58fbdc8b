"""``manage.py backlog``: how much waits to be told, as one line of JSON, for monitoring."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from meetings.management.report import refusals_as_command_errors
from meetings.queries.backlog import backlog


class Command(BaseCommand):
    help = (
        "Prints as JSON: meetings that wait, those that are due, for how many seconds the oldest"
        " has been, mails that are being sent, people in back-off and given up, the living"
        " processes that have sent mail, whether mail is paused, and how the mail server stands."
        " Nothing is left to send only if waiting and sending are both 0."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals_as_command_errors():
            found = backlog()
        self.stdout.write(json.dumps(asdict(found)))
