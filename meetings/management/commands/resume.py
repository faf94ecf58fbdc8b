"""``manage.py resume``: let mail go on after ``manage.py pause``."""

from typing import Any

from django.core.management.base import BaseCommand

from meetings.management.report import refusals_as_command_errors
from meetings.operations.pause import resume


class Command(BaseCommand):
    help = "Lets mail go on, and has a mail server that was left alone tried at once."

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals_as_command_errors():
            was_paused = resume()
        self.stdout.write(
            "Mail goes on."
            if was_paused
            else "Mail was not paused. The mail server is tried at once if it was left alone."
        )
