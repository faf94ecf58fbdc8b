"""Calendars that do not reset single occurrences as RFC 5546 wants it, as they were measured.

They differ from ``CalendarClient`` in what becomes of messages about one occurrence when the whole
comes again (interop R13).
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.support.readers.calendar_client import CalendarClient, KnownMeeting
from tests.support.readers.itip_reader import Moment, ReceivedMessage


class Cyrus(CalendarClient):
    """Cyrus 3.6: what it was sent of one occurrence stays through every message of the whole.

    That holds for a CANCEL too, so such a day stays hidden until the day comes alone again. A
    CANCEL of a day that it was never sent alone becomes an EXDATE of the whole, which the next
    REQUEST replaces. It knows an occurrence by the text of its RECURRENCE-ID, without the zone.
    """

    def key(self, message: ReceivedMessage, when: Moment) -> Moment:
        """The local time, as it is written."""
        if not isinstance(when, datetime):
            return when
        line = message.find("RECURRENCE-ID") or message.one("DTSTART")
        zone = line.params.get("TZID")
        return when.astimezone(ZoneInfo(zone) if zone else UTC).replace(tzinfo=None)

    def store(self, message: ReceivedMessage, meeting: KnownMeeting) -> None:
        """Keep a message that is news."""
        if message.all("RECURRENCE-ID"):
            if message.method == "REQUEST":
                meeting.sent_alone.add(self.key_of(message))
            meeting.occurrences[self.key_of(message)] = message
            return
        meeting.whole = message
        kept = {key: meeting.occurrences[key] for key in meeting.sent_alone}
        gone = dict.fromkeys(meeting.sent_alone, message)
        meeting.occurrences = kept if message.method == "REQUEST" else gone


class Thunderbird(CalendarClient):
    """Thunderbird: it ignores a REQUEST of a day that it has hidden since a CANCEL of that day."""

    def store(self, message: ReceivedMessage, meeting: KnownMeeting) -> None:
        """Keep a message that is news."""
        if message.all("RECURRENCE-ID") and meeting.whole and message.method == "REQUEST":
            known = meeting.occurrences.get(self.key_of(message))
            if known and known.method == "CANCEL":
                return
        super().store(message, meeting)
