"""``manage.py pause``: stop all mail, of all processes, until ``manage.py resume``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from meetings.management.account import account
from meetings.management.report import refusals_as_command_errors
from meetings.models import Pause
from meetings.operations.pause import pause


class Command(BaseCommand):
    help = (
        "Stops all mail. Calls are stored and answered 202, and nothing leaves before"
        " manage.py resume. While mail is paused, a new reason takes the place of the old one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--reason", metavar="TEXT", default="", help="shown to operators in the admin"
        )

    def handle(self, *args: Any, reason: str, **options: Any) -> None:
        with refusals_as_command_errors():
            paused = pause(account(), reason)
        if before := paused.before:
            self.stdout.write(f"Mail was paused already, since {_time(before)}: {before}")
            stays = "The reason is now" if reason else "This stays so"
            self.stdout.write(f"{stays}: {paused.switch}")
        else:
            self.stdout.write(f"Mail is paused since {_time(paused.switch)}: {paused.switch}")


def _time(switch: Pause) -> str:
    return f"{switch.since:%Y-%m-%d %H:%M:%S} UTC"
