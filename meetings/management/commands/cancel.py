"""``manage.py cancel UID``: cancel a meeting and tell everybody."""

from argparse import ArgumentParser
from getpass import getuser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from meetings.deadline import Deadline
from meetings.management.outcome import command_budget, print_outcome, refusals_as_command_errors
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.steps.call import Actor, Cancel


class Command(BaseCommand):
    """Cancelled a second time, only those whose CANCEL failed are tried again."""

    help = "Cancels a meeting: everybody who may have it gets a CANCEL. Exit code 1: some failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which meeting, and why."""
        parser.add_argument("uid", metavar="UID", help="the meeting's uid")
        parser.add_argument(
            "--reason", metavar="TEXT", default="", help="shown in the mail to every attendee"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Cancel, and say what became of the mails."""
        with refusals_as_command_errors():
            cancel_meeting(
                Cancel(uid=options["uid"], reason=options["reason"]),
                Actor.operator(f"manage.py cancel, by {_account()}"),
                now=timezone.now(),
                deadline=Deadline(command_budget()),
            )
            print_outcome(options["uid"], self.stdout.write)


def _account() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # a container's number that has no name
        return "somebody"
