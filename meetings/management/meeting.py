"""The meeting that a command is about."""

from meetings.models import Meeting
from meetings.operations.steps.errors import UnknownMeeting


def find_meeting(uid: str) -> Meeting:
    """Return the meeting ``uid``, whichever client owns it. Raises UnknownMeeting."""
    meeting = Meeting.objects.select_related("client").filter(uid=uid).first()
    if meeting is None:
        raise UnknownMeeting(uid)
    return meeting
