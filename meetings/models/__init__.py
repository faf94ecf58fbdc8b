"""What is remembered, in PostgreSQL.

Client 1─n Meeting 1─n Version (one for each SEQUENCE). Meeting 1─n Attendee, with what each was
told. Meeting 1─n Mail (one e-mail and its bytes) 1─n Delivery (one for each recipient).
"""

from meetings.models.api_key import ApiKey
from meetings.models.attendee import Attendee, ToldOccurrence
from meetings.models.call_count import CallCount
from meetings.models.client import Client
from meetings.models.delivery import Delivery, DeliveryState
from meetings.models.mail import Mail, MailBytes
from meetings.models.mail_server import MailServer
from meetings.models.meeting import Meeting, MeetingStatus
from meetings.models.override import OccurrenceOverride
from meetings.models.sender import Pause, Sender
from meetings.models.version import Version

__all__ = [
    "ApiKey",
    "Attendee",
    "CallCount",
    "Client",
    "Delivery",
    "DeliveryState",
    "Mail",
    "MailBytes",
    "MailServer",
    "Meeting",
    "MeetingStatus",
    "OccurrenceOverride",
    "Pause",
    "Sender",
    "ToldOccurrence",
    "Version",
]
