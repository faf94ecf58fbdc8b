"""What is remembered, in PostgreSQL: a meeting, its revisions, their messages, and each message's deliveries.

Meeting 1─n Revision (one per SEQUENCE) 1─n Message (frozen bytes) 1─n Delivery (one per recipient).
"""

from meetings.models.access import ApiKey
from meetings.models.delivery import Delivery, DeliveryState, Message
from meetings.models.meeting import Attendee, Meeting, MeetingStatus, Revision
from meetings.models.override import OccurrenceOverride

__all__ = [
    "ApiKey",
    "Attendee",
    "Delivery",
    "DeliveryState",
    "Meeting",
    "MeetingStatus",
    "Message",
    "OccurrenceOverride",
    "Revision",
]
