"""A command → its story."""

from datetime import datetime

from meetings.api.reading.command import Command
from meetings.deadline import Deadline
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.send_meeting import send_meeting
from meetings.operations.split_series import split_series
from meetings.operations.steps.call import Actor, Send, Update
from meetings.operations.update_meeting import update_meeting
from meetings.queries.standing import Standing


def perform(command: Command, actor: Actor, *, now: datetime, deadline: Deadline) -> Standing:
    """Do what ``command`` asks for. Raises what its story raises."""
    if isinstance(command, Send):
        return send_meeting(command, actor, now=now, deadline=deadline)
    if command.and_future:
        return split_series(command, actor, now=now, deadline=deadline)
    if isinstance(command, Update):
        return update_meeting(command, actor, now=now, deadline=deadline)
    return cancel_meeting(command, actor, now=now, deadline=deadline)
