"""``manage.py resume``: let mail go on after ``manage.py pause``."""

from typing import Any

from django.core.management.base import BaseCommand

from meetings.management.report import refusals_as_command_errors
from meetings.operations.pause import resume


class Command(BaseCommand):
    help = (
        "Lets mail go on. A mail server that was left alone is tried at once, with all mails that "
        "wait for a next try."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals_as_command_errors():
            was_paused = resume()
        self.stdout.write(
            "Mail goes on."
            if was_paused
            else "Mail was not paused. What waits for the mail server is tried at once."
        )
