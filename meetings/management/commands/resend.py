"""``manage.py resend UID``: mail the current version of a meeting again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from meetings.deadline import Deadline
from meetings.management.outcome import command_budget, print_outcome, refusals_as_command_errors
from meetings.operations.resend import resend
from meetings.operations.steps.call import Actor, Resend


class Command(BaseCommand):
    """Same SEQUENCE, newer DTSTAMP: whoever has the meeting already sees no second one."""

    help = (
        "Mails the current version of a meeting again: to everybody on its list, or to some."
        " Exit code 1: some failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which meeting, and to whom."""
        parser.add_argument("uid", metavar="UID", help="the meeting's uid")
        some = parser.add_mutually_exclusive_group()
        some.add_argument("--to", metavar="ADDRESS", default="", help="to this attendee only")
        some.add_argument("--failed", action="store_true", help="to those only whose mail failed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Mail, and say what became of it."""
        with refusals_as_command_errors():
            resend(
                Resend(uid=options["uid"], to=options["to"], only_failed=options["failed"]),
                Actor.operator("manage.py resend"),
                now=timezone.now(),
                deadline=Deadline(command_budget()),
            )
            print_outcome(options["uid"], self.stdout.write)
