"""The meeting that a command is about."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from meetings.models import Meeting
from meetings.operations.steps.errors import UnknownMeeting
from meetings.queries.named import meetings_named


def add_uid_argument(parser: ArgumentParser) -> None:
    """Have the command ask for the meeting."""
    parser.add_argument(
        "uid", metavar="UID", help="the meeting's uid, as its client or as a calendar shows it"
    )
    parser.add_argument(
        "--ical-uid",
        action="store_true",
        help="UID is the one that calendars show, where several clients have a meeting with it",
    )


def find_meeting(uid: str, *, ical_uid: bool) -> Meeting:
    """Return the meeting ``uid`` with its client. It may be any client's.

    Raises UnknownMeeting, and CommandError where ``uid`` means several meetings.
    """
    found = meetings_named(uid)
    if ical_uid:
        found = [meeting for meeting in found if meeting.ical_uid == uid]
    if not found:
        raise UnknownMeeting(uid)
    if len(found) > 1:
        names = ", ".join(meeting.ical_uid for meeting in found)
        raise CommandError(
            f"Several clients have a meeting with the uid {uid}: add --ical-uid and name one of"
            f" {names}."
        )
    return found[0]
