"""``manage.py cancel UID``: cancel a meeting and notify its attendees.

On a cancelled meeting only those who were not told are tried again.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from meetings.management.account import account
from meetings.management.meeting import add_uid_argument, find_meeting
from meetings.management.report import (
    EXIT_CODE,
    command_deadline,
    print_standing,
    refusals_as_command_errors,
)
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.steps.call import Actor, Cancel
from meetings.operations.steps.sending.ending import sending_ended


class Command(BaseCommand):
    help = f"Cancels a meeting. Every attendee who may have it gets a CANCEL. {EXIT_CODE}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_uid_argument(parser)
        parser.add_argument(
            "--reason", metavar="TEXT", default="", help="shown in the mail to every attendee"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals_as_command_errors(), sending_ended():
            meeting = find_meeting(options["uid"], ical_uid=options["ical_uid"])
            standing = cancel_meeting(
                Cancel(uid=meeting.uid, reason=options["reason"]),
                Actor.operator(f"manage.py cancel, by {account()}", meeting.client),
                now=timezone.now(),
                deadline=command_deadline(),
            )
            print_standing(standing, self.stdout.write)
