"""``manage.py resend UID``: mail the current version of a meeting again.

The SEQUENCE stays and the DTSTAMP is newer, so recipients who have the meeting see no second one.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from meetings.management.meeting import add_uid_argument, find_meeting
from meetings.management.report import (
    EXIT_CODE,
    command_deadline,
    print_standing,
    refusals_as_command_errors,
)
from meetings.operations.resend import resend
from meetings.operations.steps.call import Actor, Resend
from meetings.operations.steps.sending.ending import sending_ended


class Command(BaseCommand):
    help = (
        "Mails the current version of a meeting again, to all attendees or to one, or brings them"
        f" up to date. {EXIT_CODE}"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_uid_argument(parser)
        some = parser.add_mutually_exclusive_group()
        some.add_argument("--to", metavar="ADDRESS", default="", help="only to this person")
        some.add_argument(
            "--failed",
            action="store_true",
            help="bring up to date: only what somebody has not been told yet",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals_as_command_errors(), sending_ended():
            meeting = find_meeting(options["uid"], ical_uid=options["ical_uid"])
            standing = resend(
                Resend(uid=meeting.uid, to=options["to"], only_failed=options["failed"]),
                Actor.operator("manage.py resend", meeting.client),
                deadline=command_deadline(),
            )
            print_standing(standing, self.stdout.write)
